"""Moving whole queues out of memory and into it. See ``sukkal.moving``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from sukkal.engines.holds import Marker, check_give_up, check_hold, check_staged, lets_go, not_yours
from sukkal.engines.memory.contents import Contents, Delivery, shown
from sukkal.engines.memory.subscriptions import SubscriptionsInMemory
from sukkal.engines.pages import until_full
from sukkal.errors import QueueMoved
from sukkal.model import Message, QueueKey
from sukkal.moving import Act, Changes, Details, Frame, Stored

__all__ = ["Followed", "MovingInMemory", "Staged"]

_MARKS: Final = 4_096


@dataclass
class Followed:
    """The messages of a queue as they were when it was followed, or when they were last seen to differ."""

    epoch: int
    seen: dict[str, Stored]
    token: int
    changed: dict[str, int] = field(default_factory=dict)
    last: int = 0


@dataclass
class Staged:
    """A queue that nobody sees yet, and the token of who brings it."""

    contents: Contents
    frame: Frame
    token: int


class MovingInMemory(SubscriptionsInMemory):
    """The part of the engine that is the source or the target of a move."""

    _sequence: int
    _began: int
    markers: dict[QueueKey, Marker]
    staged: dict[QueueKey, Staged]
    followed: dict[QueueKey, Followed]
    _dropped: dict[int, int]

    def _next(self) -> int:
        raise NotImplementedError

    @staticmethod
    def _mark_of(key: QueueKey) -> int:
        return hash(key) % _MARKS

    def reading(self, key: QueueKey) -> None:
        """Refuse to read a queue that was moved away."""
        marker = self.markers.get(key)
        if marker is not None and marker.until_ms is not None:
            raise QueueMoved("The queue was moved.")

    def writing(self, key: QueueKey) -> None:
        """Refuse to write to a queue that is held, or was moved away."""
        if key in self.markers:
            error = QueueMoved("The queue is being moved.")
            error.held = self.markers[key].until_ms is None
            raise error

    def sweep_markers(self, now_ms: int) -> None:
        """Remove the markers whose time has come."""
        for key, (until_ms, _) in list(self.markers.items()):
            if until_ms is not None and until_ms <= now_ms:
                del self.markers[key]

    # -- the source

    async def frame(self, key: QueueKey) -> Frame | None:
        """Return a queue without what it holds."""
        contents = self.queues.get(key)
        if contents is None:
            return None
        return Frame(
            queue=shown(contents),
            epoch=contents.epoch,
            last=self._sequence,
            ends_ms=contents.ends_ms,
            token=contents.token,
        )

    async def follow(self, key: QueueKey, *, token: int = 0) -> None:
        """Note from now on which messages of a queue change."""
        contents, followed = self.queues.get(key), self.followed.get(key)
        if contents is None:
            return
        if followed is None or followed.epoch != contents.epoch:
            followed = self.followed[key] = Followed(contents.epoch, _all(contents), token)
        followed.token = max(followed.token, token)

    async def stored_after(
        self, key: QueueKey, sequence: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> tuple[Stored, ...]:
        """Return messages behind a sequence."""
        contents = self.queues.get(key)
        found = _all(contents).values() if contents else ()
        behind = [_given(each, now_ms) for each in found if each.message.sequence > sequence][:limit]
        return tuple(until_full(behind, bytes_max))

    async def changes(
        self, key: QueueKey, after: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> Changes:
        """Return messages that have changed since the queue was followed."""
        contents, followed = self.queues.get(key), self.followed.get(key)
        if contents is None or followed is None:
            return Changes()
        now = _all(contents)
        for id_ in [*now, *(id_ for id_ in followed.seen if id_ not in now)]:
            if now.get(id_) != followed.seen.get(id_):
                followed.last += 1
                followed.changed[id_] = followed.last
        followed.seen = now
        noted = sorted((number, id_) for id_, number in followed.changed.items() if number > after)[:limit]
        full = tuple(until_full((_given(now[id_], now_ms) for _, id_ in noted if id_ in now), bytes_max))
        if len(full) < sum(id_ in now for _, id_ in noted):
            last = followed.changed[full[-1].message.id]
            noted = [(number, id_) for number, id_ in noted if number <= last]
        stored = full
        return Changes(stored, tuple(id_ for _, id_ in noted if id_ not in now), noted[-1][0] if noted else None)

    async def details(self, key: QueueKey, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
        """Return claims, acts and subscriptions of a queue."""
        contents = self.queues.get(key)
        if contents is None:
            return Details()
        claims = {("claims", id_): each for id_, each in contents.claims.items() if now_ms < each.expires_ms}
        acts = {("once", id_): Act(*each) for id_, each in contents.once.items() if now_ms < each[0].expires_ms}
        orders = {
            ("subscriptions", id_): each for id_, each in contents.subscriptions.items() if now_ms < each.expires_ms
        }
        names = sorted(name for name in (*claims, *acts, *orders) if name > after)[:limit]
        return Details(
            tuple(claims[name] for name in names if name in claims),
            tuple(acts[name] for name in names if name in acts),
            tuple(orders[name] for name in names if name in orders),
            names[-1] if len(names) == limit else None,
        )

    async def hold(self, keys: Sequence[QueueKey], *, held: bool, token: int = 0) -> None:
        """Refuse writes to these queues, or take them again."""
        if held:
            for key in keys:
                check_hold(self.markers.get(key), token, follower=self._follower(key))
            self.markers |= dict.fromkeys(keys, Marker(None, token))
            return
        for key in keys:
            if lets_go(self.markers.get(key), token):
                del self.markers[key]
            if self._follower(key) <= token:
                self.followed.pop(key, None)

    def _follower(self, key: QueueKey) -> int:
        followed = self.followed.get(key)
        return 0 if followed is None else followed.token

    async def give_up(self, keys: Sequence[QueueKey], *, until_ms: int, token: int = 0) -> None:
        """Remove these queues and leave markers."""
        given = [key for key in keys if check_give_up(self.markers.get(key), token, there=key in self.queues)]
        for key in given:
            self.queues.pop(key, None)
            self.followed.pop(key, None)
            self._dropped[self._mark_of(key)] = self._next()
            self.markers[key] = Marker(until_ms, token)

    # -- the target

    async def admit(self, keys: Sequence[QueueKey], *, above: int) -> None:
        """Remove markers of these queues, and give only greater numbers from now on."""
        self._began = self._began or above
        self._sequence = max(self._sequence, above)
        for key in keys:
            self.markers.pop(key, None)

    async def stage(
        self,
        frame: Frame,
        *,
        stored: Sequence[Stored] = (),
        gone: Sequence[str] = (),
        details: Details | None = None,
        now_ms: int,
        token: int = 0,
    ) -> None:
        """Keep a queue for later, or add to what is kept."""
        key, queue = frame.queue.key, replace(frame.queue, subscriptions=0)
        staged = self.staged.get(key)
        check_staged(None if staged is None else staged.token, token)
        self._sequence = max(self._sequence, frame.last)
        if staged is None:
            staged = self.staged[key] = Staged(Contents(queue, b"{}", self._next(), token=token), frame, token)
        staged.frame, contents = frame, staged.contents
        contents.queue, contents.metadata = queue, msgspec.json.encode(queue.metadata)
        contents.ends_ms = frame.ends_ms
        for id_ in gone:
            contents.deliveries.pop(id_, None)
        for each in stored:
            present = contents.deliveries.get(each.message.id)
            sequence = present.message.sequence if present else self._next()
            message = replace(each.message, sequence=sequence)
            contents.deliveries[message.id] = Delivery(message, each.set_aside, each.key)
        if details is not None:
            contents.claims |= {claim.id: claim for claim in details.claims}
            contents.once |= {act.once.key: (act.once, act.ids) for act in details.acts}
            contents.subscriptions |= {each.id: each for each in details.subscriptions}

    async def drop_staged(self, keys: Sequence[QueueKey], *, token: int = 0) -> None:
        """Forget what was staged of these queues."""
        for key in keys:
            if key in self.staged and self.staged[key].token <= token:
                del self.staged[key]

    async def open_staged(self, keys: Sequence[QueueKey], *, now_ms: int, token: int = 0) -> None:
        """Let those of these queues that are staged be seen."""
        for key in keys:
            if key in self.staged:
                check_staged(self.staged[key].token, token)
                if key in self.queues:
                    raise not_yours()
        for key in keys:
            self.markers.pop(key, None)
            staged = self.staged.pop(key, None)
            if staged is not None:
                staged.contents.removed = self._dropped[self._mark_of(key)] = self._next()
                self.queues[key] = staged.contents


def _all(contents: Contents) -> dict[str, Stored]:
    return {
        id_: Stored(message=each.message, set_aside=each.set_aside, key=each.key)
        for id_, each in contents.deliveries.items()
    }


def _given(stored: Stored, now_ms: int) -> Stored:
    """Return a message without a claim that has ended."""
    message: Message = stored.message
    ended = message.claim_id is not None and now_ms >= message.visible_ms
    return replace(stored, message=replace(message, claim_id=None)) if ended else stored
