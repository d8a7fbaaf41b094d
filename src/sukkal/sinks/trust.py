"""Webhooks of other services of the cloud, which are called as the user who ordered the subscription."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from sukkal.errors import Forbidden, InvalidRequest, SukkalError
from sukkal.sink import Delivery, Outcome, Sink

__all__ = ["TrustSink"]

_PREFIX: Final = "trust+"
_HEADER: Final = "X-Auth-Token"
_UNAUTHORIZED: Final = 401


class TrustSink:
    """Delivers to ``trust+http`` and ``trust+https`` subscribers: as ``webhooks`` does, with a token.

    ``token`` returns one for a delivery and raises errors of the service; ``refused`` is told when the receiver did not
    take it.
    """

    schemes = ("trust+http", "trust+https")

    def __init__(
        self, webhooks: Sink, token: Callable[[Delivery], Awaitable[str]], refused: Callable[[Delivery], None]
    ) -> None:
        self._webhooks = webhooks
        self._token = token
        self._refused = refused

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse what no webhook can be, and a token of the subscriber's own. Raises ``InvalidRequest``."""
        self._webhooks.check(_url(subscriber), options)
        if any(name.lower() == _HEADER.lower() for name in options.get("post_headers") or {}):
            raise InvalidRequest(f"options.post_headers: {_HEADER} is the service's to set.")

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Get a token and make one request with it."""
        try:
            self.check(delivery.subscriber, delivery.options)
        except InvalidRequest as error:
            return Outcome(delivered=False, error=str(error), permanent=True)
        try:
            async with asyncio.timeout(delivery.timeout_s):
                token = await self._token(delivery)
                outcome = await self._webhooks.attempt(_with(delivery, token))
        except TimeoutError:
            late = f"Keystone and the subscriber did not answer within {delivery.timeout_s:g} seconds."
            return Outcome(delivered=False, error=late)
        except Forbidden as error:
            return Outcome(delivered=False, error=str(error))
        except SukkalError:
            return Outcome(delivered=False, error="Keystone cannot be asked for a token now.")
        if outcome.status == _UNAUTHORIZED:
            self._refused(delivery)
        return outcome

    async def close(self) -> None:
        """Let go of all connections, which are those of the webhooks."""
        await self._webhooks.close()


def _url(subscriber: str) -> str:
    return subscriber[len(_PREFIX) :]


def _with(delivery: Delivery, token: str) -> Delivery:
    headers = {**(delivery.options.get("post_headers") or {}), _HEADER: token}
    options = {**delivery.options, "post_headers": headers}
    return msgspec.structs.replace(delivery, subscriber=_url(delivery.subscriber), options=options)
