"""Publishes deliveries, and believes the broker only when it confirms."""

import asyncio
import ssl
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aiormq import spec
from aiormq.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from pamqp.exceptions import PAMQPException

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery, Outcome
from sukkal.sinks.amqp.connections import Busy, Connections
from sukkal.sinks.amqp.endpoint import SCHEMES, Endpoint, Route, parse
from sukkal.sinks.guard import Denied, Guard, is_name
from sukkal.sinks.notification import notification

__all__ = ["AmqpSink"]

_DENIED: Final = "The subscriber's host has no address that this service may deliver to."
_BUSY: Final = "Too many connections to brokers are in use at the moment; it goes on as soon as one is free."
_PERSISTENT: Final = 2
_FAILURES: Final = (AMQPError, PAMQPException, OSError, ValueError, EOFError, RuntimeError, struct.error)
_SENTENCES: Final[Mapping[type[Exception], str]] = {
    Denied: _DENIED,
    PublishError: "The broker has no queue for this exchange and routing key.",
    DeliveryError: "The broker did not take the message.",
    ChannelNotFoundEntity: "The broker has no such exchange.",
    ChannelAccessRefused: "The broker does not let this user publish there.",
    ProbableAuthenticationError: "The broker refused the user, the password or the virtual host.",
    AuthenticationError: "The broker refused the user, the password or the virtual host.",
}
_NO_BROKER: Final = "The broker does not take the connection, closed it, or speaks no AMQP 0-9-1."


class AmqpSink:
    """Delivers to ``amqp`` and ``amqps`` subscribers that the guard permits.

    ``tls`` says whose certificates are trusted, by default those that the system trusts.
    """

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._connections = Connections(guard, tls or ssl.create_default_context())

    @property
    def schemes(self) -> tuple[str, ...]:
        """The URI schemes, in lower case."""
        return SCHEMES

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse a subscriber that could never be delivered to. Raises ``InvalidRequest``."""
        host = parse(subscriber)[0].host
        if self._is_denied_address(host):
            raise InvalidRequest(f"subscriber: {host} is an address that this service does not deliver to.")

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Publish one message and return what the broker made of it."""
        try:
            endpoint, route = parse(delivery.subscriber)
        except InvalidRequest as wrong:
            return Outcome(delivered=False, error=str(wrong), permanent=True)
        if self._is_denied_address(endpoint.host):
            return Outcome(delivered=False, error=_DENIED, permanent=True)
        try:
            async with asyncio.timeout(delivery.timeout_s):
                return await self._publish(delivery, endpoint, route)
        except TimeoutError:
            error = f"The broker did not confirm the message within {delivery.timeout_s:g} seconds."
        except Busy:
            return Outcome(delivered=False, attempted=False, error=_BUSY)
        except (Denied, *_FAILURES) as failure:
            error = next((text for kind, text in _SENTENCES.items() if isinstance(failure, kind)), _NO_BROKER)
        except asyncio.CancelledError:
            # The library ends with it what waits for a connection that was lost; nobody meant this attempt.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            error = _NO_BROKER
        return Outcome(delivered=False, error=error)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._connections.close()

    def _is_denied_address(self, host: str) -> bool:
        return not is_name(host) and not self._guard.permits(host, host)

    async def _publish(self, delivery: Delivery, endpoint: Endpoint, route: Route) -> Outcome:
        refused: Exception | None = None
        confirmed: object = None
        async with self._connections.channel(endpoint, project=delivery.project) as channel:
            try:
                confirmed = await channel.basic_publish(
                    notification(delivery),
                    exchange=route.exchange,
                    routing_key=route.routing_key,
                    properties=_properties(delivery),
                    # What would lie in no queue is sent back instead of being dropped.
                    mandatory=True,
                )
            except (DeliveryError, ChannelNotFoundEntity, ChannelAccessRefused) as error:
                # These are answers, and the connection is as good as before.
                refused = error
        if refused is not None:
            raise refused
        if not isinstance(confirmed, spec.Basic.Ack):
            return Outcome(delivered=False, error=_SENTENCES[DeliveryError])
        return Outcome(delivered=True)


def _properties(delivery: Delivery) -> spec.Basic.Properties:
    return spec.Basic.Properties(
        content_type=delivery.media_type or "application/json",
        delivery_mode=_PERSISTENT,
        message_id=delivery.id,
        timestamp=datetime.fromtimestamp(delivery.now_ms // limits.SECOND_MS, UTC),
        app_id="sukkal",
        headers=dict(delivery.trace.headers) if delivery.trace is not None else None,
    )
