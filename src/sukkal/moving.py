"""The contract for moving whole queues from one engine to another. The laws are those of ``sukkal.store``.

The source *follows* a queue while its messages are given page by page: it notes which of them change. Then it *holds*
the queue: writes to it raise ``QueueMoved`` with ``held``, reads go on. What has changed meanwhile, and what is small,
is given last. The target *stages* what it gets, where no other call sees it, and opens all staged queues at once. At
last the source gives up its copy, and leaves a *marker*: every call on the queue raises ``QueueMoved``.

Each call may be repeated, and what was followed, held and staged is still so after a crash. So whoever moves a queue
goes on by beginning anew. Hidden queues are queues of their own here: they are named beside those that they are with.

Of several that move a queue, one after another because each seemed to be gone, the later has the greater ``token``. A
hold, and what is staged, bear the token that they were made with. A call that would undo or use what a later one has
made raises ``QueueMoved`` and changes nothing, and one that lets go or drops passes by what has a greater token. So a
mover that comes late, and be it hours, cannot spoil what was done since. Where there is only one, it needs none.

An engine that gives its queues to a file, or takes them from one, uses the same calls.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sukkal.model import Claim, Message, Once, Queue, QueueKey, Subscription

__all__ = ["Act", "Changes", "Details", "Frame", "Moving", "Stored"]


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A message with what an engine keeps of it beside what callers see. Its sequence is the source's.

    ``claim_id`` is that of a live claim.
    """

    message: Message
    set_aside: bool = False
    key: bytes | None = None


class Changes(msgspec.Struct, frozen=True):
    """Messages that have changed, as they are now, and the ids of those that are gone. ``next`` is where more begin."""

    stored: tuple[Stored, ...] = ()
    gone: tuple[str, ...] = ()
    next: int | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A queue without what it holds; ``ends_ms`` is the end of a backlog.

    ``epoch`` names its contents (see ``Page``), and ``last`` is the greatest number that the engine has given.
    ``token`` is that with which it was opened, 0 if it was not.
    """

    queue: Queue
    epoch: int
    last: int
    ends_ms: int | None = None
    token: int = 0


class Act(msgspec.Struct, frozen=True):
    """An act of publishing that had a name, and the ids that it gave."""

    once: Once
    ids: tuple[tuple[str, ...], ...]


class Details(msgspec.Struct, frozen=True):
    """Live claims, acts and subscriptions of a queue: those of one page. ``next`` is where the next one begins."""

    claims: tuple[Claim, ...] = ()
    acts: tuple[Act, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    next: tuple[str, str] | None = None


class Moving(Protocol):
    """What both ends of a move have to offer."""

    # -- the source

    async def frame(self, key: QueueKey) -> Frame | None:
        """Return a queue without what it holds, or ``None``; also of a held one."""

    async def follow(self, key: QueueKey, *, token: int = 0) -> None:
        """Note from now on which messages of a queue change. What was noted before stays noted."""

    async def stored_after(
        self, key: QueueKey, sequence: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> tuple[Stored, ...]:
        """Return up to ``limit`` messages behind a sequence in the order of posting; of the expired, some or none.

        With ``bytes_max`` none comes behind those whose bodies are so many bytes. Fewer than both are the last ones.
        """

    async def changes(
        self, key: QueueKey, after: int, *, limit: int, now_ms: int, bytes_max: int | None = None
    ) -> Changes:
        """Return up to ``limit`` messages that have changed since the queue was followed, behind a place, 0 to begin.

        One that changes again comes again, behind all that was returned before. ``bytes_max`` is as in
        ``stored_after``.
        """

    async def details(self, key: QueueKey, after: tuple[str, str], *, limit: int, now_ms: int) -> Details:
        """Return up to ``limit`` claims, acts and subscriptions behind a place, ``("", "")`` to begin."""

    async def hold(self, keys: Sequence[QueueKey], *, held: bool, token: int = 0) -> None:
        """Refuse writes to these queues, whether they exist or not; or take them again.

        Raises ``QueueMoved`` if one was given up, or is held or followed with a greater token. Whoever lets go of one
        has it followed no more, if that was not with a greater token.
        """

    async def give_up(self, keys: Sequence[QueueKey], *, until_ms: int, token: int = 0) -> None:
        """Remove these queues with all that they hold and leave markers, which a sweep after ``until_ms`` removes.

        Raises ``QueueMoved`` if one is there that is not held, or held with a greater token.
        """

    # -- the target

    async def admit(self, keys: Sequence[QueueKey], *, above: int) -> None:
        """Remove markers of these queues, and give only numbers greater than ``above`` from now on."""

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
        """Keep a queue for later, or add to what is kept; a message that is kept already becomes what it is now.

        Messages are ordered as they came first. Nobody but these calls sees anything of it. Raises ``QueueMoved`` if
        what is kept has another token.
        """

    async def drop_staged(self, keys: Sequence[QueueKey], *, token: int = 0) -> None:
        """Forget what was staged of these queues, but for what has a greater token."""

    async def open_staged(self, keys: Sequence[QueueKey], *, now_ms: int, token: int = 0) -> None:
        """Let those of these queues that are staged be seen, all at once, with the frames that were staged last.

        Whoever has an old place in one of them is told that something is missing. Raises ``QueueMoved`` if one is
        staged with another token, or is there already.
        """
