"""The Sukkal that everything is brought to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from sukkal.client import Answer, Client, Refused
from sukkal.importing.attributes import NO_QUEUE, Attributes, compare
from sukkal.importing.nouns import Message, Subscription
from sukkal.limits import MESSAGE_TTL_S_MIN, SUBSCRIPTION_TTL_S_MIN

__all__ = ["Destination"]

_CONFLICT: Final = 409
_PATCH: Final = {"Content-Type": "application/openstack-messaging-v2.0-json-patch"}


class Destination:
    """The queues of one project in a Sukkal. What is brought to it twice is there once.

    All raise ``Refused`` for what it does not take.
    """

    def __init__(self, service: Client) -> None:
        self._service = service
        self._defaults: Mapping[str, Any] | None = None

    async def compare(self, queue: str, metadata: Mapping[str, Any]) -> Attributes:
        """Return what a queue lacks to have this metadata. Nothing is written."""
        if self._defaults is None:
            self._defaults = (await self._ask("GET", _path(NO_QUEUE))).document
        present = (await self._ask("GET", _path(queue))).document
        return compare(metadata, present, self._defaults or {})

    async def make(self, queue: str) -> None:
        """Make a queue if there is none."""
        await self._ask("PUT", _path(queue), {})

    async def change(self, queue: str, metadata: Mapping[str, Any]) -> None:
        """Give a queue these metadata, and leave it the others."""
        changes = [{"op": "add", "path": f"/metadata/{_escaped(name)}", "value": metadata[name]} for name in metadata]
        await self._ask("PATCH", _path(queue), changes, headers=_PATCH)

    async def post(self, queue: str, message: Message) -> bool:
        """Post a message, and tell whether it is new there."""
        # It has waited already for as long as the queue wants.
        said = {"body": message.body, "ttl": max(message.lives_s, MESSAGE_TTL_S_MIN), "delay": 0}
        document = {"messages": [said]}
        key = {"Idempotency-Key": f"zaqar-{message.id}"}
        try:
            answer = await self._ask("POST", f"{_path(queue)}/messages", document, headers=key)
        except Refused as refused:
            # The same message, of which less was left when it was posted again.
            if refused.status != _CONFLICT:
                raise
            return False
        return "Idempotency-Replayed" not in answer.headers

    async def subscribers(self, queue: str) -> set[str]:
        """Return the subscribers that a queue has."""
        found: set[str] = set()
        links: Sequence[Mapping[str, str]] = [{"href": f"{_path(queue)}/subscriptions"}]
        while links:
            page = await self._ask("GET", links[0]["href"])
            found |= {each["subscriber"] for each in page.member("subscriptions", list)}
            links = page.member("links", list)
        return found

    async def subscribe(self, queue: str, subscription: Subscription) -> None:
        """Make a subscription, confirmed if it was."""
        path = f"{_path(queue)}/subscriptions"
        ttl = max(subscription.lives_s, SUBSCRIPTION_TTL_S_MIN)
        document = {"subscriber": subscription.subscriber, "ttl": ttl, "options": subscription.options}
        made = await self._ask("POST", path, document)
        if subscription.confirmed:
            id_ = quote(made.member("subscription_id", str), safe="")
            await self._ask("PUT", f"{path}/{id_}/confirm", {"confirmed": True})

    async def _ask(
        self, method: str, path: str, document: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await self._service.request(method, path, document, headers=headers, repeatable=True)


def _path(queue: str) -> str:
    return f"/v2/queues/{quote(queue, safe='')}"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
