"""Leases: claims that are kept alive as long as somebody works on what they hold."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from sukkal.client.asking import Asking
from sukkal.client.errors import ClientError
from sukkal.client.refusals import NotFound

__all__ = ["GRACE_S", "Lease"]

GRACE_S: Final = 60
"""What a message outlives its claim by, at least: the shortest that the service permits."""

_RENEWALS: Final = 3


class Lease:
    """A claim at ``path``, renewed three times in its ``ttl_s`` seconds until it is closed or lost.

    It is lost when the service says so, or when no renewal has succeeded for its whole time. ``on_lost`` is told once.
    """

    def __init__(self, asking: Asking, path: str, ttl_s: int, on_lost: Callable[["Lease"], None]) -> None:
        self.path = path
        self.id = path.rpartition("/")[2]
        self.lost = False
        self._asking = asking
        self._ttl_s = ttl_s
        self._on_lost = on_lost
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(ttl_s, self._lose)
        self._renewing: asyncio.Task[None] | None = loop.create_task(self._keep())

    async def extend(self, ttl_s: int | None = None) -> None:
        """Begin its time anew, from now on with ``ttl_s`` seconds if that is given. Raises ``ClientError``."""
        ttl_s = self._ttl_s if ttl_s is None else ttl_s
        # It begins before the service can have heard of it, so that we never think that it is longer than it is.
        alarm = asyncio.get_running_loop().call_later(ttl_s, self._lose)
        try:
            asking = self._asking.within(max(self._ttl_s / _RENEWALS, 1))
            await asking.ask("PATCH", self.path, {"ttl": ttl_s, "grace": GRACE_S})
        except BaseException as error:
            alarm.cancel()
            if isinstance(error, NotFound):
                self._lose()
            raise
        self._alarm.cancel()
        if self._renewing is None:
            alarm.cancel()
        self._alarm, self._ttl_s = alarm, ttl_s

    def close(self) -> None:
        """Renew it no more."""
        self._alarm.cancel()
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None

    async def release(self) -> None:
        """End it, and give back what it still holds. Raises ``ClientError``."""
        self.close()
        if not self.lost:
            await self._asking.do("DELETE", self.path)

    async def _keep(self) -> None:
        while not self.lost:
            await asyncio.sleep(self._ttl_s / _RENEWALS)
            with contextlib.suppress(ClientError):  # There is time for another renewal; if not, the alarm rings.
                await self.extend()

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            self._alarm.cancel()
            self._on_lost(self)
