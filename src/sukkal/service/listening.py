"""Listening: whoever watches a queue is told what is posted to it, at once and in the order of posting.

A listener takes nothing and costs the store nothing. It hears a message when the message is posted, whatever its
delay. Each message has a place; a listener that went away goes on from the last place that it saw: it is told what
came after it, and whether something of that is gone. A queue with a *history* keeps what was posted to it for that
purpose in a queue of its own, which nobody can claim or delete from.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec

from sukkal import limits
from sukkal.errors import InvalidRequest, RevisionConflict, ShuttingDown, SukkalError
from sukkal.model import Message, NewMessage, Page, Position, QueueKey, View
from sukkal.service.attributes import history_s, stores_nothing
from sukkal.service.encryption import Encryption
from sukkal.service.handing_over import HandingOver
from sukkal.service.hearing import Ear, Heard, Place
from sukkal.service.lenses import CLEAR, Lens, Lenses, posted
from sukkal.service.tails import Tail
from sukkal.service.turns import Part
from sukkal.service.uses import Uses
from sukkal.store import Store

__all__ = ["Begun", "Kept", "Listeners", "history_key"]

_ALL: Final = View(claimed=True, delayed=True)
_END: Final = limits.INT64_MAX


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message was posted with, as the attributes of its copy in the history, which lives longer."""

    ttl_s: int
    delay_s: int = 0


_kept: Final = msgspec.json.Decoder(Kept)


def history_key(key: QueueKey) -> QueueKey:
    """Return the queue that keeps the history of a queue."""
    return QueueKey(key.project, f"{key.kind}/{key.name}", "history")


class Begun(NamedTuple):
    """A listener, and whether what it missed can all still be told; ``None`` if it did not ask."""

    ear: Ear
    recovered: bool | None


class Listeners:
    """Those who listen on this node, by queue. If the store is ``shared``, other nodes post as well."""

    def __init__(
        self,
        store: Store,
        encryption: Encryption,
        lenses: Lenses,
        uses: Uses,
        now_ms: Callable[[], int],
        *,
        shared: bool = False,
    ) -> None:
        self._store = store
        self._lenses = lenses
        self._encryption = encryption
        self._uses = uses
        self._now_ms = now_ms
        self._shared = shared
        self._ears: dict[QueueKey, set[Ear]] = {}
        self._tails: dict[QueueKey, Tail] = {}
        self._closed = False
        self._handing_over: HandingOver[Heard] = HandingOver()

    def __len__(self) -> int:
        return sum(map(len, self._ears.values()))

    def at(self, key: QueueKey) -> bool:
        """Tell whether anybody listens to the queue."""
        return key in self._ears

    def places(self) -> list[QueueKey]:
        """Return the queues to which somebody listens."""
        return list(self._ears)

    def look(self, key: QueueKey) -> None:
        """Tell what other nodes have posted to the queue."""
        if (tail := self._tails.get(key)) is not None:
            tail.look()

    async def begin(
        self,
        key: QueueKey,
        hear: Callable[[Heard], None],
        end: Callable[[str], None],
        *,
        since: Place | None,
        lens: Lens = CLEAR,
    ) -> Begun:
        """Begin to listen to what is posted from now on, or after the place ``since``, as the lens shows it.

        Nothing is heard before ``follow``; until then it waits. Whoever begins ends it by ``leave``.
        """
        if self._closed:
            raise ShuttingDown("The service is stopping. Try again in a few seconds.")
        self._check_filters(key, lens.filters)

        def look(heard: Heard) -> None:
            if (seen := self._seen(lens, heard)) is not None:
                hear(seen)

        ear = Ear(key, hear if lens.clear else look, end, begun_ms=self._now_ms(), lens=lens)
        self._ears.setdefault(key, set()).add(ear)
        try:
            if self._shared:
                await self._tail(key).ready()
            watched = ear.watched = await self._watched(key)
            page = await self._page(watched, _END if since is None else since.sequence)
            same = since is not None and _goes_on(since, page, watched)
            if not same and since is not None:
                # In other contents all is new to the listener.
                page = await self._page(watched, 0)
            remembers = await self._remembers(key)
        except BaseException:
            self.leave(ear)
            raise
        ear.missed = page
        if since is None:
            ear.place = Place(page.epoch, page.last)
            return Begun(ear, None)
        ear.place = Place(page.epoch, since.sequence if same else 0)
        ear.warned = not (same and page.complete and remembers)
        return Begun(ear, not ear.warned)

    def _check_filters(self, key: QueueKey, filters: bytes) -> None:
        # Each of them looks at each message while all wait.
        known = {ear.lens.filters for ear in self._ears.get(key, ()) if ear.lens.filters}
        if filters and filters not in known and len(known) >= limits.LISTENER_FILTERS_MAX:
            raise InvalidRequest(
                f"Those who listen to the queue have {limits.LISTENER_FILTERS_MAX} different filters already, which is "
                "the most. Use one of them, or subscribe."
            )

    async def follow(self, ear: Ear, paced: Callable[[], Awaitable[None]]) -> None:
        """Let a listener hear what it has missed, waiting by ``paced`` until it has read that, and then what comes."""
        (page, ear.missed), unread, part = (ear.missed, None), 0, Part()
        if page is None:
            return
        # What was posted since is held, whoever takes it from the queue meanwhile.
        epoch, last, kept = page.epoch, page.last, ear.watched.kind == "history"
        while not ear.ended:
            for message in page.messages:
                if message.sequence > last:
                    break
                heard = _heard(ear.key, message, epoch, kept=kept)
                weight = heard.weight(ear.lens)
                ear.hear(heard)
                if part.ends(1 + weight):
                    await asyncio.sleep(0)
                unread += len(message.body)
                if unread > limits.LISTENER_PACE_BYTES:
                    await paced()
                    unread = 0
            if page.next is None or page.next.sequence >= last:
                await ear.release(part)
                return
            ear.place = Place(epoch, page.next.sequence)
            await paced()
            await asyncio.sleep(0)  # Others have their turn, however fast this one reads.
            page = await self._page(ear.watched, ear.place.sequence)
            if page.epoch != epoch or not (page.complete or ear.warned):
                ear.end("Messages were removed before they could be read. Come back to hear the others.")

    def age_s(self, ear: Ear) -> int:
        """Return for how many seconds somebody has listened."""
        return max(self._now_ms() - ear.begun_ms, 0) // limits.SECOND_MS

    def leave(self, ear: Ear) -> None:
        """Listen no more."""
        ear.ended = True
        self._uses.note(ear.key)
        ears = self._ears.get(ear.key, set())
        ears.discard(ear)
        if not ears:
            self._ears.pop(ear.key, None)
            if (tail := self._tails.pop(ear.key, None)) is not None:
                tail.close()

    def close(self) -> None:
        """Send everybody away, now and from now on."""
        self._closed = True
        for ears in list(self._ears.values()):
            for ear in list(ears):
                ear.end("The service is stopping.")

    def announce(self, key: QueueKey, messages: Sequence[NewMessage], places: Sequence[Place | None]) -> int:
        """Tell those who listen what was posted, and return how many they are."""
        self._uses.note(key)
        ears = self._ears.get(key)
        if not ears:
            return 0
        try:
            heard = [self._opened(key, each, place) for each, place in zip(messages, places, strict=True)]
        except SukkalError as error:
            self._send_away(key, str(error))
            return 0
        tail = self._tails.get(key)
        if tail is not None and not any(place is None for place in places):
            tail.posted([(each.place.sequence, each) for each in heard if each.place is not None])
        else:
            self._tell(key, heard)
        return len(ears)

    def _tell(self, key: QueueKey, heard: Sequence[Heard]) -> None:
        self._handing_over.give(key, list(self._ears.get(key, ())), heard)

    def _tail(self, key: QueueKey) -> Tail:
        tail = self._tails.get(key)
        if tail is None:
            tail = self._tails[key] = Tail(
                find=partial(self._watched, key),
                read=self._page,
                heard=lambda watched, message, epoch: _heard(key, message, epoch, kept=watched.kind == "history"),
                tell=partial(self._tell, key),
                end=partial(self._send_away, key),
                eased=partial(self.eased, key),
            )
        return tail

    def _send_away(self, key: QueueKey, reason: str) -> None:
        for ear in list(self._ears.get(key, ())):
            ear.end(reason)

    async def eased(self, key: QueueKey) -> None:
        """Wait while too much of what was posted to the project's queues waits to be told."""
        await self._handing_over.eased(key)

    def _opened(self, key: QueueKey, message: NewMessage, place: Place | None) -> Heard:
        body = self._encryption.open_body(key.project, message.id, message.body)
        return Heard(*key[:2], message.id, body, message.ttl_s, message.delay_s, self._now_ms(), place, {})

    def _seen(self, lens: Lens, heard: Heard) -> Heard | None:
        """Return a message as it looks through a lens, ``None`` if it is not wanted there."""
        what = posted(QueueKey(heard.project, heard.queue_name), heard.id, at_ms=heard.posted_ms, ttl_s=heard.ttl_s)
        message = self._lenses.recogniser.recognised(heard.body, what)
        if lens.passes is not None:
            passes = heard.frames.get(("passes", lens.filters))
            if passes is None:
                attributes = heard.frames.get("attributes")
                if attributes is None:
                    attributes = heard.frames["attributes"] = message.attributes
                passes = heard.frames["passes", lens.filters] = lens.passes(attributes)
            if not passes:
                return None
        if lens.form is None:
            return heard
        seen: Heard | None = heard.frames.get(lens.form)
        if seen is None:
            body = message.body(lens.form)
            seen = heard.frames[lens.form] = msgspec.structs.replace(heard, body=body, frames={})
        return seen

    def doubt(self, key: QueueKey) -> None:
        """Send those away who might miss that a post to the queue was stored after all."""
        if not self._shared:  # There it is found in the store.
            self._send_away(key, "A message may have been missed. Come back to hear it.")

    async def _remembers(self, key: QueueKey) -> bool:
        queue = await self._store.get_queue(key)
        return not stores_nothing(key, queue)

    async def _page(self, watched: QueueKey, sequence: int) -> Page:
        after = Position(0, sequence)
        return await self._store.browse(
            watched, after=after, limit=limits.LISTENER_PAGE, view=_ALL, now_ms=self._now_ms()
        )

    async def _watched(self, key: QueueKey) -> QueueKey:
        queue = await self._store.get_queue(key)
        if queue is None or not history_s(queue.metadata):
            return key
        history = history_key(key)
        if await self._store.get_queue(history) is None:
            # A place in it is good from now on, not from the first post on.
            with contextlib.suppress(RevisionConflict):
                await self._store.put_queue(history, {}, revision=None, now_ms=self._now_ms())
        return history


def _goes_on(since: Place, page: Page, watched: QueueKey) -> bool:
    """Tell whether a place is one in the contents of which a page is, or from before they were the first ones."""
    if since.sequence > page.last:
        return False
    if since.epoch:
        return since.epoch == page.epoch
    # A history may have begun later than its queue.
    first = page.epoch == 0 or (page.epoch > since.sequence and watched.kind != "history")
    return first and page.dropped <= since.sequence


def _heard(key: QueueKey, message: Message, epoch: int, *, kept: bool) -> Heard:
    ttl_s, delay_s = message.ttl_s, 0
    if kept and message.attributes is not None:
        was = _kept.decode(message.attributes)
        ttl_s, delay_s = was.ttl_s, was.delay_s
    elif message.claim_id is None and message.attempts == 0:
        delay_s = max(message.visible_ms - message.created_ms, 0) // limits.SECOND_MS
    place = Place(epoch, message.sequence)
    return Heard(*key[:2], message.id, message.body, ttl_s, delay_s, message.created_ms, place, {})
