"""Tails: what is told of a queue, in the order of the store, whichever node it is posted through.

What this node posts is told at once if it follows what was told last. Otherwise others have posted as well, and what
comes next is read from the store; so it is when there is a hint that something came. What was gone before it could be
read cannot be told: then those who listen are sent away, and learn of it when they come back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from sukkal.errors import KeyUnavailable, SukkalError
from sukkal.model import Message, Page, QueueKey
from sukkal.service.hearing import Heard

__all__ = ["Tail"]

_END: Final = 2**63 - 1
_GONE: Final = (
    "Messages were taken before they could be heard here. Come back to hear the others; a queue with a history keeps "
    "what was taken (_history)."
)
_CHANGED: Final = "The queue has begun or ended to keep a history. Come back to go on."


class Tail:
    """What has been told of one queue on this node.

    ``find`` returns what is to be read, the queue or its history; ``read`` a page of it behind a sequence. ``tell`` is
    given messages in their order, each once, ``end`` why no more can be told. ``eased`` waits until more can be told.
    """

    def __init__(
        self,
        *,
        find: Callable[[], Awaitable[QueueKey]],
        read: Callable[[QueueKey, int], Awaitable[Page]],
        heard: Callable[[QueueKey, Message, int], Heard],
        tell: Callable[[Sequence[Heard]], None],
        end: Callable[[str], None],
        eased: Callable[[], Awaitable[None]],
    ) -> None:
        self._find = find
        self._read = read
        self._heard = heard
        self._tell = tell
        self._end = end
        self._eased = eased
        self._watched: QueueKey | None = None
        self._epoch = self._told = 0
        self._ahead: dict[int, Heard] = {}
        self._beginning = asyncio.ensure_future(self._begin())
        self._looking: asyncio.Task[None] | None = None
        self._again = False

    async def ready(self) -> None:
        """Wait until all that is posted from now on will be told. Raises what the store raises."""
        await asyncio.shield(self._beginning)

    def posted(self, messages: Sequence[tuple[int, Heard]]) -> None:
        """Tell what this node has posted, by sequence, as soon as all before it has been told."""
        self._ahead.update(each for each in messages if each[0] > self._told)
        if self._watched is None:
            return  # What was there before the beginning is not told.
        self._go_on()
        if self._ahead:
            self.look()

    def look(self) -> None:
        """Tell what has come to the store since."""
        self._again = True
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    def close(self) -> None:
        """Tell nothing any more."""
        self._beginning.cancel()
        if self._looking is not None:
            self._looking.cancel()

    async def _begin(self) -> None:
        watched = await self._find()
        page = await self._read(watched, _END)
        self._watched, self._epoch, self._told = watched, page.epoch, page.last
        self._ahead = {at: each for at, each in self._ahead.items() if at > page.last}
        self._go_on()
        if self._ahead:
            self.look()

    def _go_on(self) -> None:
        """Tell what follows what was told last."""
        ready: list[Heard] = []
        while (heard := self._ahead.pop(self._told + 1, None)) is not None:
            ready.append(heard)
            self._told += 1
        if ready:
            self._tell(ready)

    async def _look(self) -> None:
        try:
            await self.ready()
            while self._again:
                self._again = False
                while await self._step():
                    await self._eased()
        except KeyUnavailable as error:
            self._end(str(error))
        except SukkalError:
            return  # Whoever asks next, or looks after a while, finds it.
        finally:
            self._looking = None

    async def _step(self) -> bool:
        """Tell a page of what has come, and whether there may be more."""
        watched = await self._find()
        if watched != self._watched:
            self._end(_CHANGED)
            return False
        page = await self._read(watched, self._told)
        upto = page.last if page.next is None else page.next.sequence
        found = {each.sequence: each for each in page.messages if self._told < each.sequence <= upto}
        if self._lacks(page, found, upto):
            self._end(_GONE)
            return False
        for sequence, message in found.items():
            if sequence not in self._ahead:
                self._ahead[sequence] = self._heard(watched, message, page.epoch)
        ready = [self._ahead.pop(at) for at in sorted(self._ahead) if at <= upto]
        self._epoch, self._told = page.epoch, max(self._told, upto)
        if ready:
            self._tell(ready)
        self._go_on()
        return page.next is not None

    def _lacks(self, page: Page, found: Mapping[int, Message], upto: int) -> bool:
        """Tell whether something is gone that was posted after what was told last."""
        if self._epoch and page.epoch != self._epoch:
            return page.dropped > self._told
        if page.complete or upto <= self._told:
            return False
        there = {at for at in self._ahead if self._told < at <= upto} | set(found)
        return len(there) < upto - self._told
