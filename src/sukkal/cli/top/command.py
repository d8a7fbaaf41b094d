"""``sukkal top``: its arguments, and the live table."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import Any, Final

from sukkal.cli.output import one_line
from sukkal.cli.service import Options, Session, add_options
from sukkal.cli.service import run as run_with_service
from sukkal.cli.tables import table
from sukkal.cli.top.looks import SORTS, Line, Looking
from sukkal.cli.top.posts import Posts
from sukkal.cli.top.screen import Screen
from sukkal.cli.values import positive
from sukkal.clock import elapsed_s

__all__ = ["add_to", "run"]

_SUMMARY: Final = "Show the queues of the project live: depth, what comes and goes, the oldest message. q ends it."
_BOLD: Final = "1;7"
_HEAD: Final = ("QUEUE", "FREE", "CLAIMED", "DELAYED", "OLDEST", "IN/S", "OUT/S", "SUBSCRIPTIONS")
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "top", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False
    )
    parser.add_argument("--name", metavar="PATTERN", help="Only queues whose names begin with this regular expression.")
    parser.add_argument(
        "--limit", metavar="N", type=positive, default=100, help="At most so many queues. Default: 100."
    )
    parser.add_argument("--sort", choices=tuple(SORTS), default="depth", help="Default: depth.")
    parser.add_argument("--interval", metavar="SECONDS", type=positive, default=2, help="Between looks. Default: 2.")
    parser.add_argument("--once", action="store_true", help="Look once, print, and end; the rates need --measure.")
    parser.add_argument("--measure", action="store_true", help="With --once: first wait for the interval.")
    add_options(parser)


def run(options: Options) -> int:
    """Show the table until somebody presses q, and return the exit code."""
    on_screen = sys.stdout.isatty() and not options["once"] and options["output"] == "table"
    return run_with_service(options, _show if on_screen else _print)


async def _print(session: Session, options: Options) -> None:
    looking = Looking(session.client, pattern=options["name"], limit=options["limit"])
    lines = await looking.look({}, 0)
    if options["measure"]:
        async with Posts(session.client) as posts:
            await posts.listen_to(line.queue for line in lines)
            lines = await looking.look({}, 0)
            begin_s = elapsed_s()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(options["interval"]):
                    await posts.count()
            lines = await looking.look(posts.take(), elapsed_s() - begin_s)
    lines.sort(key=SORTS[options["sort"]])
    if session.out.form == "table":
        print(table(_rows(lines)), file=session.out.out)
    else:
        session.out.rows({}, [line._asdict() for line in lines])


async def _show(session: Session, options: Options) -> None:
    looking = Looking(session.client, pattern=options["name"], limit=options["limit"])
    last_s: float | None = None
    async with Posts(session.client) as posts:
        with Screen() as screen:
            while not screen.quit.is_set():
                now_s = elapsed_s()
                lines = await looking.look(posts.take(), 0 if last_s is None else now_s - last_s)
                last_s = now_s
                lines.sort(key=SORTS[options["sort"]])
                await posts.listen_to(line.queue for line in lines)
                shown = [_title(lines), *table(_rows(lines)).splitlines()]
                await _until_next(session, screen, posts, shown, options["interval"])


async def _until_next(session: Session, screen: Screen, posts: Posts, shown: Sequence[str], seconds: float) -> None:
    """Show this and count for a while; draw it anew when the size of the terminal changes."""
    counting = asyncio.create_task(posts.count())
    quitting = asyncio.create_task(screen.quit.wait())
    end_s = elapsed_s() + seconds
    try:
        while (left_s := end_s - elapsed_s()) > 0 and not screen.quit.is_set():
            screen.changed.clear()
            screen.draw(shown, head=lambda line: session.out.colour(_BOLD, line))
            changing = asyncio.create_task(screen.changed.wait())
            await asyncio.wait((quitting, changing), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            changing.cancel()
    finally:
        for task in (counting, quitting):
            task.cancel()
        await asyncio.wait((counting, quitting))


def _title(lines: Sequence[Line]) -> str:
    messages = sum(line.depth for line in lines)
    return f"{len(lines)} queues, {messages:,} messages. q ends."


def _rows(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [_HEAD]
    for line in lines:
        counts = (line.free, line.claimed, line.delayed)
        rates = ("-" if rate is None else f"{rate:,.1f}" for rate in (line.in_per_s, line.out_per_s))
        rows.append(
            (
                one_line(line.queue),
                *(f"{count:,}" for count in counts),
                _age(line.oldest_s),
                *rates,
                str(line.subscriptions),
            )
        )
    return rows


def _age(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("d", _DAY_S), ("h", _HOUR_S), ("m", _MINUTE_S)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
