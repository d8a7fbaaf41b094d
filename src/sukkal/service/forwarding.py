"""Forwarding: subscribers that are queues, of the same project or of one where the orderer may post."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sukkal import limits
from sukkal.errors import Forbidden, InvalidRequest
from sukkal.model import QueueKey, Subscription
from sukkal.service.access import Caller
from sukkal.service.fan_out import passing
from sukkal.service.gate import Gate
from sukkal.service.incoming import Draft
from sukkal.service.names import is_queue_name
from sukkal.service.orders import GRANTED, Arranged
from sukkal.service.repeats import own_name
from sukkal.settings import Settings
from sukkal.sink import Delivery

__all__ = ["RULE", "Forwarding", "target_of"]

RULE: Final = "subscription:forward"
_SCHEME: Final = "queue:"
_PROJECT: Final = "project"
_ANY: Final = "any"

Post = Callable[..., Awaitable[object]]
"""Posts messages as any client's are: ``Messages.post``."""


def target_of(subscriber: str, project: str) -> QueueKey:
    """Return the queue that ``queue:NAME`` or ``queue:/PROJECT/NAME`` means. Raises ``InvalidRequest``."""
    _, _, rest = subscriber.partition(":")
    if rest.startswith("/"):
        project, _, rest = rest[1:].partition("/")
    if not subscriber.lower().startswith(_SCHEME) or not 0 < len(project) <= limits.PROJECT_CHARS_MAX:
        raise InvalidRequest("subscriber must be queue:NAME, or queue:/PROJECT/NAME for a queue of another project.")
    if not is_queue_name(rest):
        raise InvalidRequest("subscriber: the name behind queue: is none that a queue can have.")
    return QueueKey(project, rest)


class Forwarding:
    """Decides who may have messages forwarded where, and forwards them as ordinary posts."""

    def __init__(self, gate: Gate, settings: Settings, post: Post) -> None:
        self._gate = gate
        self._settings = settings
        self._post = post

    def check(self, subscriber: str) -> None:
        """Refuse what names no queue. Raises ``InvalidRequest``."""
        target_of(subscriber, _ANY)

    async def begin(self, wanted: Subscription, present: Mapping[str, Any] | None, orderer: Caller | None) -> Arranged:
        """Keep the project in which the orderer may post. Raises ``Forbidden``, ``InvalidRequest``."""
        target = target_of(wanted.subscriber, wanted.queue.project)
        if target == wanted.queue:
            raise InvalidRequest("subscriber: a queue cannot be forwarded to itself.")
        if (
            orderer is None
            or orderer.identity.method == "signed_url"
            or not self._gate.allows(orderer.identity, RULE, project=target.project)
        ):
            raise Forbidden("You are not authorized to have messages forwarded to this queue.")
        return Arranged({_PROJECT: target.project}, wanted.options)

    async def end(self, granted: Mapping[str, Any]) -> None:
        """Nothing was made that would have to go."""

    async def forward(self, delivery: Delivery) -> None:
        """Post a delivery to its queue; a repetition changes nothing. Raises what posting raises, and ``Forbidden``."""
        target = target_of(delivery.subscriber, delivery.project)
        granted = delivery.options.get(GRANTED)
        if not isinstance(granted, Mapping) or granted.get(_PROJECT) != target.project:
            raise Forbidden("Nobody was permitted to have messages forwarded to this queue.")
        if passing(target) in delivery.passed:
            raise InvalidRequest("The message has been in this queue before: the subscriptions go round in a circle.")
        if len(delivery.passed) > limits.QUEUE_HOPS_MAX:
            raise InvalidRequest(f"The message has been forwarded {limits.QUEUE_HOPS_MAX} times, which is the most.")
        longest_s = self._settings.max_message_ttl
        ttl_s = min(max(delivery.ttl_s, limits.MESSAGE_TTL_S_MIN), longest_s)
        await self._post(
            target,
            "",
            [Draft(delivery.body, ttl_s)],
            size=len(delivery.body),
            name=own_name("forwarded", delivery.subscription_id, delivery.id),
            passed=delivery.passed,
        )
