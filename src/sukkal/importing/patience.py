"""Asks a service again that is busy or does not answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sukkal.client import Answer, Connection, Refused, Unreachable

__all__ = ["Patient", "Pause"]

Pause = Callable[[float], Awaitable[None]]

_TRIES_MAX: Final = 5
_PAUSE_S: Final = 1.0


class Patient:
    """A service that is asked up to five times, with a pause that grows or that it asks for.

    Only for requests that may be repeated. ``headers`` are sent with each.
    """

    def __init__(self, service: Connection, pause: Pause, *, headers: Mapping[str, str] | None = None) -> None:
        self._service = service
        self._pause = pause
        self._headers = headers or {}

    async def request(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer. Raises ``ClientError`` as the last try did."""
        for number in range(1, _TRIES_MAX):
            try:
                return await self.once(method, path, document, query=query, headers=headers)
            except Refused as refused:
                if not refused.may_succeed_later:
                    raise
                wanted_s = refused.retry_after_s
            except Unreachable:
                wanted_s = None
            await self._pause(number * _PAUSE_S if wanted_s is None else wanted_s)
        return await self.once(method, path, document, query=query, headers=headers)

    async def once(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request that is not worth waiting for. Raises ``ClientError``."""
        sent = {**self._headers, **(headers or {})}
        return await self._service.request(method, path, document, query=query, headers=sent)
