"""Hands notifications to a sink, as subscriptions do: events in structured mode, to webhooks and brokers.

The receivers are the operator's choice, not a tenant's, so they may have any address.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidRequest, SettingsError
from sukkal.extras import needs_extra
from sukkal.formats import cloudevents
from sukkal.options import options_of
from sukkal.publisher import ACCEPTED, Notification, PublisherContext, Verdict
from sukkal.sink import Delivery, Sink
from sukkal.sinks.guard import Guard
from sukkal.sinks.webhook import WebhookSink

__all__ = ["SinkPublisher", "amqp_publisher", "webhook_publisher"]

_EVERY_ADDRESS: Final = "0.0.0.0/0, ::/0"
# Answers that are about the notification; all others are about the receiver.
_ABOUT_IT: Final = frozenset([400, 413, 422])
_BEHIND: Final = Verdict(accepted=False, reason="It waits for the one before it.", everybody=True)
# A sink calls the options what they are called in subscriptions.
_WORDS: Final = {
    "options._signing_secrets": "signing_secrets",
    "options.method": "method",
    "options.post_headers": "headers",
    "subscriber": "url",
}
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _WebhookOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    url: _Text
    method: str = "POST"
    headers: dict[str, str] = {}
    signing_secrets: list[str] = []


class _AmqpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    url: _Text


class SinkPublisher:
    """Makes one delivery of each notification. Raises ``SettingsError`` for a subscriber that could never get one.

    Deliveries have the same id whenever the same notification is delivered, made of its source and id.
    """

    batch_max = limits.FORWARDER_BATCH

    def __init__(
        self, make: Callable[[Guard], Sink], subscriber: str, options: Mapping[str, Any], context: PublisherContext
    ) -> None:
        self._sink = make(Guard(_EVERY_ADDRESS))
        try:
            self._sink.check(subscriber, options)
        except InvalidRequest as error:
            raise SettingsError(_in_our_words(str(error))) from None
        self._subscriber = subscriber
        self._options = options
        self._context = context

    def lane(self, notification: Notification) -> str:
        """Return a number: what happens to one thing is told in its order, and some things at once."""
        event = notification.event
        return str(zlib.crc32((event.subject or event.id).encode()) % limits.FORWARDER_LANES)

    async def publish(self, notifications: Sequence[Notification]) -> Sequence[Verdict]:
        """Deliver one after the other, until one is not taken: those behind it wait for it."""
        verdicts: list[Verdict] = []
        for each in notifications:
            verdicts.append(await self._deliver(each))
            last = verdicts[-1]
            if not last.accepted and not last.permanent:
                break
        return verdicts + [_BEHIND] * (len(notifications) - len(verdicts))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._sink.close()

    async def _deliver(self, notification: Notification) -> Verdict:
        now_ms = self._context.now_ms()
        outcome = await self._sink.attempt(
            Delivery(
                id=cloudevents.identity(notification.event),
                attempt=1,
                body=cloudevents.encode(notification.event),
                ttl_s=0,
                posted_ms=now_ms,
                project=notification.project or "",
                queue_name=self._context.name,
                subscription_id=self._context.name,
                subscriber=self._subscriber,
                options=self._options,
                now_ms=now_ms,
                timeout_s=self._context.timeout_s,
                media_type=cloudevents.STRUCTURED_TYPE,
            )
        )
        if outcome.delivered:
            return ACCEPTED
        return Verdict(
            accepted=False,
            reason=outcome.error,
            permanent=outcome.permanent,
            everybody=outcome.status not in _ABOUT_IT,
            retry_after_s=outcome.retry_after_s,
        )


def _in_our_words(text: str) -> str:
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    return text


def webhook_publisher(options: Mapping[str, Any], context: PublisherContext) -> SinkPublisher:
    """Return what posts each notification to a URL. Raises ``SettingsError``."""
    given = options_of(_WebhookOptions, options)
    asked = {"method": given.method, "post_headers": given.headers, "_signing_secrets": given.signing_secrets}
    return SinkPublisher(WebhookSink, given.url, asked, context)


def amqp_publisher(options: Mapping[str, Any], context: PublisherContext) -> SinkPublisher:
    """Return what publishes each notification to an exchange of a broker. Raises ``SettingsError``."""
    given = options_of(_AmqpOptions, options)
    with needs_extra("amqp", "To publish to AMQP brokers"):
        from sukkal.sinks.amqp import AmqpSink
    return SinkPublisher(AmqpSink, given.url, {}, context)
