"""Settling deliveries: what became of those of one claim is kept together, at a cost that they share."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sukkal import limits
from sukkal.errors import ClaimNotFound, SukkalError
from sukkal.model import QueueKey, Release, Settlement
from sukkal.store import Store

__all__ = ["Settling"]

_log: Final = logging.getLogger("sukkal.deliveries")


class Settling:
    """The settlements of one claim on a backlog.

    A transaction for each would cost more than most deliveries. But what is not kept yet when the process dies is
    delivered again: so nothing waits for longer than ``DELIVERY_UNKEPT_S``, however long the next attempt takes.
    ``lost`` says that the claim has ended.
    """

    def __init__(self, store: Store, key: QueueKey, claim_id: str, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._key = key
        self._claim_id = claim_id
        self._now_ms = now_ms
        self._waiting: dict[str, Settlement] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.lost = False

    def add(self, message_id: str, settlement: Settlement) -> None:
        """Keep what became of a delivery, soon."""
        self._waiting[message_id] = settlement
        if self._alarm is None and self._keeping is None:
            self._alarm = asyncio.get_running_loop().call_later(limits.DELIVERY_UNKEPT_S, self._begin)

    async def end(self) -> None:
        """Keep all that is not kept yet, give the rest back, and end the claim."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._keeping is not None:
            await self._keeping
        if not self.lost:
            await self._settle(Release())

    def _begin(self) -> None:
        self._alarm = None
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        try:
            while self._waiting and not self.lost:
                await self._settle(None)
        except SukkalError as error:
            # They are kept with the next ones, or at the end.
            _log.warning("outcomes of deliveries could not be kept yet: %s", error)
        finally:
            self._keeping = None

    async def _settle(self, rest: Settlement | None) -> None:
        settlements, self._waiting = self._waiting, {}
        try:
            await self._store.settle(self._key, self._claim_id, settlements, now_ms=self._now_ms(), rest=rest)
        except ClaimNotFound:
            self.lost = True
            if settlements:
                _log.warning(
                    "deliveries took longer than their claim; they may be repeated: %s", ", ".join(settlements)
                )
        except BaseException:
            # Whether they were kept is not known. To settle them again changes nothing.
            self._waiting = settlements | self._waiting
            raise
