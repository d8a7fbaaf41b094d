"""Trying whether the service works, by doing what its callers do."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from sukkal.errors import SukkalError
from sukkal.model import Message, NewClaim, NewMessage, Post, QueueKey, Release, View
from sukkal.pools import PooledEngine
from sukkal.store import Store

__all__ = ["Health"]

_MESSAGES: Final = 10
_TTL_S: Final = 60
_NO_PROJECT: Final = ""  # No tenant has this id, so nobody sees the queue that is tried on.


class Health:
    """The health check of the API: each main operation on a queue of its own, with success and duration."""

    def __init__(self, engine: PooledEngine, now_ms: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._new_id = new_id

    async def check(self) -> dict[str, Any]:
        """Return which operations work at the store and how many seconds each took, and which pools answer."""
        trial = _Trial(self._engine.home, QueueKey(_NO_PROJECT, self._new_id()), self._now_ms, self._new_id)
        status: dict[str, Any] = {}
        for name, step in trial.steps():
            began_ms = self._now_ms()
            ref = None
            try:
                await step()
            except SukkalError as error:
                ref = error.code
            status[name] = {
                "succeeded": ref is None,
                "seconds": (self._now_ms() - began_ms) / 1_000,
                "ref": ref,
            }
        reachable = all(outcome["succeeded"] for outcome in status.values())
        found: dict[str, Any] = {"storage_reachable": reachable, "operation_status": status}
        if len(self._engine.members):
            found["pools"] = {each.name: {"storage_reachable": not each.down} for each in self._engine.members}
        return found


class _Trial:
    """The operations on one queue, one after another."""

    def __init__(self, store: Store, key: QueueKey, now_ms: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._store = store
        self._key = key
        self._now_ms = now_ms
        self._claim_id = new_id()
        self._messages = tuple(NewMessage(id=new_id(), body=b"{}", ttl_s=_TTL_S) for _ in range(_MESSAGES))
        self._claimed: tuple[Message, ...] = ()

    def steps(self) -> tuple[tuple[str, Callable[[], Awaitable[Any]]], ...]:
        """Return the operations by their names, in order."""
        return (
            ("create_queue", self._create_queue),
            ("post_messages", self._post_messages),
            ("claim_messages", self._claim_messages),
            ("list_messages", self._list_messages),
            ("delete_messages", self._delete_messages),
            ("delete_claim", self._delete_claim),
            ("bulk_delete_messages", self._bulk_delete_messages),
            ("delete_queue", self._delete_queue),
        )

    async def _create_queue(self) -> None:
        await self._store.put_queue(self._key, {}, revision=None, now_ms=self._now_ms())

    async def _post_messages(self) -> None:
        await self._store.publish((Post(self._key, self._messages),), now_ms=self._now_ms())

    async def _claim_messages(self) -> None:
        claim = NewClaim(id=self._claim_id, ttl_s=_TTL_S, grace_s=_TTL_S)
        self._claimed = await self._store.claim(self._key, claim, limit=_MESSAGES // 2, now_ms=self._now_ms())

    async def _list_messages(self) -> None:
        await self._store.browse(self._key, after=None, limit=_MESSAGES, view=View(), now_ms=self._now_ms())

    async def _delete_messages(self) -> None:
        ids = [message.id for message in self._claimed[:1]]
        await self._store.delete_messages(self._key, ids, now_ms=self._now_ms(), claimed=True)

    async def _delete_claim(self) -> None:
        await self._store.settle(self._key, self._claim_id, {}, now_ms=self._now_ms(), rest=Release())

    async def _bulk_delete_messages(self) -> None:
        ids = [message.id for message in self._messages]
        await self._store.delete_messages(self._key, ids, now_ms=self._now_ms(), claimed=True)

    async def _delete_queue(self) -> None:
        await self._store.delete_queue(self._key)
