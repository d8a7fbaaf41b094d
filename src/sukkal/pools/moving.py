"""Moving queues from pool to pool: each step can be repeated, and whoever holds the lease goes on with what was begun.

Before the target is opened nothing has happened that cannot be forgotten. From then on the source stays held until the
place is that of the target and the source has given up its copy: there is no way back, only forward.

The lease only keeps movers out of each other's way: it may end while one of them stands still, who then goes on as if
nothing had happened. So each who takes a move has a token, greater than all before, which every step bears: one that
comes late is refused. That the target is about to be opened is noted first; so whoever goes on knows whether it can
have been, and with which token, and takes no other queue for the one that was moved.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from sukkal import limits
from sukkal.errors import Conflict, QueueMoved, StoreUnavailable, SukkalError
from sukkal.model import QueueKey, Subscription
from sukkal.moving import Frame
from sukkal.pools.asking import Ask
from sukkal.pools.begun import UNKNOWN, Moves, Taken, note_move
from sukkal.pools.copying import Copying
from sukkal.pools.lease import Lease
from sukkal.pools.owners import Owners, history_of
from sukkal.pools.places import Places
from sukkal.records import Records

__all__ = ["Mover"]

_log: Final = logging.getLogger("sukkal.pools")

_ROUNDS_MAX: Final = 20
_FEW: Final = 200
_AT_ONCE: Final = 10_000
_MARKED_MS: Final = 86_400_000


class Mover:
    """Moves queues one at a time. ``ask`` makes a call of a pool's engine."""

    def __init__(
        self, records: Records, places: Places, owners: Owners, ask: Ask, lease: Lease, now_ms: Callable[[], int]
    ) -> None:
        self._records = records
        self._moves = Moves(records, now_ms)
        self._places = places
        self._owners = owners
        self._ask = ask
        self._lease = lease
        self._now_ms = now_ms
        self._stays_held: set[QueueKey] = set()

    async def begun(self) -> list[QueueKey]:
        """Return some queues whose move was begun."""
        return await self._moves.begun()

    async def move(self, key: QueueKey, source: str, target: str) -> None:
        """Move a queue with all that belongs to it; if its move was begun, that one is brought to its end."""
        await note_move(self._records, key, source, target, now_ms=self._now_ms())
        await self.go_on(key)

    async def go_on(self, key: QueueKey) -> None:
        """Bring the move of a queue to its end, if one was begun."""
        taken = await self._moves.take(key)
        if taken is None:
            return
        self._places.forget(key)
        place = await self._places.find(key)
        if place == taken.move.target:
            await self._give_up(taken)
        elif place != taken.move.source:
            # It went another way meanwhile; the operator may have ended what was begun.
            await self._let_go(taken, _parts(taken))
            await taken.end()
        elif await self._was_opened(taken):
            await self._switch(taken)
        else:
            if not taken.first:
                # Who began it is gone and may have left it held. It need not be while the target is down.
                await self._let_go(taken, _parts(taken))
            await self._copy(taken)

    async def _was_opened(self, taken: Taken) -> bool:
        """Tell whether somebody has opened the target; if not, nobody can any more but who begins anew."""
        move = taken.move
        if not move.opening:
            return False
        await self._ask(move.target, "drop_staged", _parts(taken), token=taken.token)
        for part in _parts(taken):
            frame: Frame | None = await self._ask(move.target, "frame", part)
            if frame is not None and move.opening in (UNKNOWN, frame.token):
                return True
        await taken.change(opening=0)
        return False

    async def _copy(self, taken: Taken) -> None:
        key, move = taken.key, taken.move
        held: list[QueueKey] = []
        try:
            if await self._ask(move.target, "frame", key) is not None:
                raise _stray(move.target)
            await self._ask(move.target, "drop_staged", _parts(taken), token=taken.token)
            copies = [self._copying(taken, each) for each in (key, history_of(key))]
            copies += await self._new_backlogs(taken, copies)
            await self._catch_up(copies)
            held += [key, history_of(key)]
            await self._ask(move.source, "hold", held, held=True, token=taken.token)
            # Nobody can subscribe any more, so these are all.
            copies += await self._new_backlogs(taken, copies)
            held = [each.key for each in copies]
            await self._ask(move.source, "hold", held, held=True, token=taken.token)
            await self._finish(copies)
            for subscription in await self._subscriptions(key, move.source):
                await self._owners.note(subscription)
            await taken.change(opening=taken.token)
        except BaseException:
            await self._let_go(taken, held)
            raise
        await self._open(taken, held)

    async def _finish(self, copies: Sequence[Copying]) -> None:
        for copy in copies:
            await copy.catch_up(self._now_ms())
            await copy.finish(self._now_ms())

    async def _open(self, taken: Taken, keys: Sequence[QueueKey]) -> None:
        await self._ask(taken.move.target, "open_staged", keys, now_ms=self._now_ms(), token=taken.token)
        # Whoever takes the move drops what was staged. So it has been opened if nobody had taken it by now.
        await taken.change()
        await self._switch(taken)

    def _copying(self, taken: Taken, key: QueueKey) -> Copying:
        move = taken.move
        return Copying(self._ask, key, move.source, move.target, token=taken.token, go_on=self._lease.go_on)

    async def _catch_up(self, copies: Sequence[Copying]) -> None:
        for _ in range(_ROUNDS_MAX):
            brought = sum([await copy.catch_up(self._now_ms(), most=_AT_ONCE) for copy in copies])
            if not await self._lease.keep():
                raise StoreUnavailable("Somebody else moves queues now.")
            if brought < _FEW:
                return

    async def _switch(self, taken: Taken) -> None:
        move = taken.move
        await self._places.move(taken.key, move.source, move.target, token=taken.token)
        await self._give_up(taken)

    async def _give_up(self, taken: Taken) -> None:
        key, move = taken.key, taken.move
        try:
            subscribed = [each.backlog for each in await self._subscriptions(key, move.source)]
        except QueueMoved:
            subscribed = []  # It has given up everything already.
        parts = tuple({**dict.fromkeys(_parts(taken)), **dict.fromkeys(subscribed)})
        until_ms = self._now_ms() + _MARKED_MS
        await self._ask(move.source, "give_up", parts, until_ms=until_ms, token=taken.token)
        await taken.end()
        _log.info("moved the %s %s of project %s to the pool %s", key.kind, key.name, key.project, move.target)

    async def _let_go(self, taken: Taken, held: Sequence[QueueKey]) -> None:
        """Let a queue be written to again that does not move now."""
        if not held:
            return
        try:
            await self._ask(taken.move.source, "hold", held, held=False, token=taken.token)
        except SukkalError as error:
            if taken.key not in self._stays_held:
                _log.warning("a queue stays held until its move goes on: %s", error)
            self._stays_held.add(taken.key)
            return
        self._stays_held.discard(taken.key)

    # -- its backlogs

    async def _new_backlogs(self, taken: Taken, known: Sequence[Copying]) -> list[Copying]:
        """Return the backlogs that are to be moved too, after having noted them for whoever goes on."""
        move, here = taken.move, {copy.key for copy in known}
        found = [each.backlog for each in await self._subscriptions(taken.key, move.source) if each.backlog not in here]
        if found:
            names = {*move.backlogs, *(each.name for each in (*here, *found) if each.kind == "backlog")}
            await taken.change(backlogs=tuple(sorted(names)))
        return [self._copying(taken, each) for each in found]

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


def _parts(taken: Taken) -> tuple[QueueKey, ...]:
    """Return all queues that a move may have touched."""
    key = taken.key
    backlogs = [QueueKey(key.project, name, "backlog") for name in taken.move.backlogs]
    return (key, history_of(key), *backlogs)


def _stray(pool: str) -> Conflict:
    return Conflict(
        f"The pool {pool} has a queue of this name already, which did not come with this move. Nothing was changed. "
        "See whether two pools are the same database, or remove the queue that is in the wrong place."
    )
