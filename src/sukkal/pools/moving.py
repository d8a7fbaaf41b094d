"""Moving queues from pool to pool: each step can be repeated, and whoever holds the lease goes on with what was begun.

Before the target is opened nothing has happened that cannot be forgotten. From then on the source stays held until the
place is that of the target and the source has given up its copy: there is no way back, only forward.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import QueueMoved, StoreUnavailable, SukkalError
from sukkal.model import QueueKey, Record, RecordKey, Subscription
from sukkal.pools.asking import Ask
from sukkal.pools.copying import Copying
from sukkal.pools.lease import Lease
from sukkal.pools.owners import Owners, history_of
from sukkal.pools.places import Places, place_key
from sukkal.records import Records

__all__ = ["MOVES", "Mover", "note_move"]

_log: Final = logging.getLogger("sukkal.pools")

MOVES: Final = "queue-move"
_ROUNDS_MAX: Final = 20
_FEW: Final = 200
_AT_ONCE: Final = 10_000
_MARKED_MS: Final = 86_400_000


class _Move(msgspec.Struct, frozen=True):
    """What was begun: a queue's move, and the hidden queues of which something may be staged."""

    source: str
    target: str
    backlogs: tuple[str, ...] = ()


class Mover:
    """Moves queues one at a time. ``ask`` makes a call of a pool's engine."""

    def __init__(
        self, records: Records, places: Places, owners: Owners, ask: Ask, lease: Lease, now_ms: Callable[[], int]
    ) -> None:
        self._records = records
        self._places = places
        self._owners = owners
        self._ask = ask
        self._lease = lease
        self._now_ms = now_ms

    async def begun(self) -> list[QueueKey]:
        """Return some queues whose move was begun."""
        after = ("", "")
        page = await self._records.list_records(MOVES, None, after=after, limit=limits.PAGE_MAX, now_ms=self._now_ms())
        return [_key_of(record) for record in page.records]

    async def move(self, key: QueueKey, source: str, target: str) -> None:
        """Move a queue with all that belongs to it; if its move was begun, that one is brought to its end."""
        await note_move(self._records, key, source, target, now_ms=self._now_ms())
        await self.go_on(key)

    async def go_on(self, key: QueueKey) -> None:
        """Bring the move of a queue to its end, if one was begun."""
        record = await self._records.get_record(_move_key(key), now_ms=self._now_ms())
        if record is None:
            return
        move = msgspec.json.decode(record.value, type=_Move)
        self._places.forget(key)
        place = await self._places.find(key)
        if place == move.target:
            await self._give_up(key, move)
        elif place != move.source:
            # It went another way meanwhile; the operator may have ended what was begun.
            await self._records.delete_record(_move_key(key), now_ms=self._now_ms())
        elif await self._ask(move.target, "frame", key) is not None:
            await self._switch(key, move)
        else:
            await self._copy(key, move)

    async def _copy(self, key: QueueKey, move: _Move) -> None:
        history = history_of(key)
        held: list[QueueKey] = []
        try:
            await self._ask(move.target, "drop_staged", (key, history, *_backlogs(key, move.backlogs)))
            copies = [Copying(self._ask, each, move.source, move.target) for each in (key, history)]
            copies += await self._new_backlogs(key, move, copies)
            await self._catch_up(copies)
            held += [key, history]
            await self._ask(move.source, "hold", held, held=True)
            # Nobody can subscribe any more, so these are all.
            copies += await self._new_backlogs(key, move, copies)
            held = [each.key for each in copies]
            await self._ask(move.source, "hold", held, held=True)
            for copy in copies:
                await copy.catch_up(self._now_ms())
                await copy.finish(self._now_ms())
            for subscription in await self._subscriptions(key, move.source):
                await self._owners.note(subscription)
            if not await self._lease.keep():
                raise StoreUnavailable("Somebody else moves queues now.")
        except BaseException:
            await self._let_go(move.source, held)
            raise
        await self._ask(move.target, "open_staged", held, now_ms=self._now_ms())
        await self._switch(key, move)

    async def _catch_up(self, copies: Sequence[Copying]) -> None:
        for _ in range(_ROUNDS_MAX):
            brought = sum([await copy.catch_up(self._now_ms(), most=_AT_ONCE) for copy in copies])
            if not await self._lease.keep():
                raise StoreUnavailable("Somebody else moves queues now.")
            if brought < _FEW:
                return

    async def _switch(self, key: QueueKey, move: _Move) -> None:
        await self._places.move(key, move.source, move.target)
        await self._give_up(key, move)

    async def _give_up(self, key: QueueKey, move: _Move) -> None:
        try:
            subscribed = [each.backlog for each in await self._subscriptions(key, move.source)]
        except QueueMoved:
            subscribed = []  # It has given up everything already.
        parts = (key, history_of(key), *{*subscribed, *_backlogs(key, move.backlogs)})
        await self._ask(move.source, "give_up", parts, until_ms=self._now_ms() + _MARKED_MS)
        await self._records.delete_record(_move_key(key), now_ms=self._now_ms())
        _log.info("moved the %s %s of project %s to the pool %s", key.kind, key.name, key.project, move.target)

    async def _let_go(self, source: str, held: Sequence[QueueKey]) -> None:
        """Let a queue be written to again that does not move now."""
        if not held:
            return
        try:
            await self._ask(source, "hold", held, held=False)
        except SukkalError as error:
            _log.warning("a queue stays held until its move goes on: %s", error)

    # -- what was begun

    async def _new_backlogs(self, key: QueueKey, move: _Move, known: Sequence[Copying]) -> list[Copying]:
        """Return the backlogs that are to be moved too, after having noted them for whoever goes on."""
        here = {copy.key for copy in known}
        found = [each.backlog for each in await self._subscriptions(key, move.source) if each.backlog not in here]
        if found:
            names = tuple({*move.backlogs, *(each.name for each in (*here, *found) if each.kind == "backlog")})
            noted = replace(move, backlogs=names)
            await self._records.put_record(_move_key(key), msgspec.json.encode(noted), now_ms=self._now_ms())
        return [Copying(self._ask, each, move.source, move.target) for each in found]

    async def _subscriptions(self, key: QueueKey, source: str) -> list[Subscription]:
        found: list[Subscription] = []
        while True:
            after = found[-1].id if found else ""
            page = await self._ask(
                source, "list_subscriptions", key, after=after, limit=limits.PAGE_MAX, now_ms=self._now_ms()
            )
            found += page
            if len(page) < limits.PAGE_MAX:
                return found


async def note_move(records: Records, key: QueueKey, source: str, target: str, *, now_ms: int) -> None:
    """Have a queue moved by whoever moves queues, unless it is being moved already."""
    await records.swap_record(_move_key(key), None, msgspec.json.encode(_Move(source, target)), now_ms=now_ms)


def _backlogs(key: QueueKey, names: Sequence[str]) -> list[QueueKey]:
    return [QueueKey(key.project, name, "backlog") for name in names]


def _move_key(key: QueueKey) -> RecordKey:
    return place_key(key)._replace(kind=MOVES)


def _key_of(record: Record) -> QueueKey:
    kind, _, name = record.key.name.partition("/")
    return QueueKey(record.key.project, name, kind)  # type: ignore[arg-type]
