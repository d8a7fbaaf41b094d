"""``sukkal post``: its arguments, and what it does."""

import argparse
import contextlib
import shlex
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sukkal import limits
from sukkal.cli.posting.batches import Batches, Limits
from sukkal.cli.posting.progress import Progress
from sukkal.cli.posting.sources import FORMATS, Source, sources
from sukkal.cli.service import Options, Session, add_options
from sukkal.cli.service import run as run_with_service
from sukkal.cli.values import positive

if TYPE_CHECKING:
    from sukkal.client import Queue

__all__ = ["add_to", "run"]

_SUMMARY: Final = "Post a message for each line of files or of standard input, many at once, in their order."
_HOW: Final = (
    "text: each line is a text. ndjson: each line is JSON. json: the file is an array of bodies, or one body. Default: "
    "auto, which is json for files named so; else each line is JSON if it can be, and text if not."
)
_KEY: Final = "A name for this run: repeated with the same name and input within a day, it stores nothing twice."


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "post", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False
    )
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")
    parser.add_argument("files", metavar="FILE", nargs="*", help="What to read; - is standard input, and the default.")
    parser.add_argument("--format", choices=FORMATS, default="auto", help=_HOW)
    parser.add_argument("--ttl", metavar="SECONDS", type=positive, help="How long the messages live.")
    parser.add_argument("--delay", metavar="SECONDS", type=positive, help="How long nobody can claim them.")
    parser.add_argument("--key", metavar="NAME", help=_KEY)
    add_options(parser)


def run(options: Options) -> int:
    """Post what the sources have, and return the exit code."""
    opened = sources(options["files"], options["format"])

    async def act(session: Session, options: Options) -> None:
        await _Posting(session, options, opened).post()

    return run_with_service(options, act)


class _Posting:
    """One run of the command."""

    def __init__(self, session: Session, options: Options, opened: Sequence[Source]) -> None:
        self._session = session
        self._options = options
        self._sources = opened
        self._queue: Queue = session.client.queue(options["queue"])
        self._key = options["key"] or session.new_name()
        # What comes bit by bit would make other posts in another run: it is repeatable only if that is asked for.
        self._repeatable = bool(options["key"]) or all(source.is_file for source in opened)
        sizes = [source.size for source in opened]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._progress = Progress(session.out.err, total, wanted=not session.out.quiet)
        self._posts = self._posted = self._repeated = self._done = 0

    async def post(self) -> None:
        """Post everything, and say how much that was."""
        ended = False
        try:
            async for bodies in self._batches(Batches(await self._limits())):
                await self._post(bodies)
            ended = True
        finally:
            self._progress.clear()
            if not ended:
                self._say_how_to_go_on()
        out = self._session.out
        if out.form != "table":
            out.record({"posted": self._posted, "repeated": self._repeated})
        before = f"; {self._repeated:,} of them had been before" if self._repeated else ""
        out.note(f"{self._posted:,} {'message is' if self._posted == 1 else 'messages are'} posted{before}.")

    async def _limits(self) -> Limits:
        from sukkal.client.refusals import NotFound

        largest = limits.POST_BYTES_MAX
        with contextlib.suppress(NotFound):  # Then it comes into being with the first post.
            largest = (await self._queue.metadata()).get("_max_messages_post_size", largest)
        return Limits(limits.MESSAGES_PER_POST_MAX, largest)

    async def _batches(self, batches: Batches) -> AsyncIterator[list[Any]]:
        for source in self._sources:
            async for piece in source.pieces():
                full = self._lull(batches) if piece.lull else batches.add(piece.body)
                if full:
                    yield full
                self._done += piece.size
        if rest := batches.rest():
            yield rest

    def _lull(self, batches: Batches) -> list[Any]:
        """Return what has come so far, unless a repeated run, whose lulls are others, is to make the same posts."""
        return [] if self._repeatable else batches.rest()

    async def _post(self, bodies: list[Any]) -> None:
        given = self._options
        key = f"{self._key}-{self._posts}"
        posted = await self._queue.post_many(bodies, ttl=given["ttl"], delay=given["delay"], key=key)
        self._posts += 1
        self._posted += len(bodies)
        self._repeated += len(bodies) if posted.repeated else 0
        self._progress.show(self._done, self._posted)

    def _say_how_to_go_on(self) -> None:
        text = f"{self._posted:,} messages are posted."
        if self._repeatable:
            words = [self._options["queue"], *self._options["files"], "--key", self._key]
            text += f" Nothing is doubled by: sukkal post {shlex.join(words)}"
        print(text, file=self._session.out.err, flush=True)
