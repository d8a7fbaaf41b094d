"""``sukkal redrive``: have what was given up tried again."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from sukkal.cli.service import Options, Session, add_options
from sukkal.cli.service import run as run_with_service
from sukkal.cli.values import positive
from sukkal.errors import SettingsError

if TYPE_CHECKING:
    from sukkal.client import HeldMessage

__all__ = ["add_to", "run"]

_SUMMARY: Final = "Put dead letters back into the queues they came from, or have failed deliveries tried again."
_AHEAD: Final = 20


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "redrive", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False
    )
    parser.add_argument("queue", metavar="QUEUE", help="A queue of dead letters, or with --subscription its queue.")
    parser.add_argument("--to", metavar="QUEUE", help="Put the letters into this queue instead.")
    parser.add_argument("--limit", metavar="N", type=positive, help="Only so many letters.")
    parser.add_argument("--subscription", metavar="ID", help="Try the failed deliveries of this subscription again.")
    parser.add_argument(
        "--delivery", dest="deliveries", metavar="ID", action="append", help="Only this delivery; repeatable."
    )
    add_options(parser)


def run(options: Options) -> int:
    """Have letters or deliveries tried again, and return the exit code."""
    of_letters = options["to"] or options["limit"]
    if options["subscription"] and of_letters:
        raise SettingsError("--to and --limit are for dead letters, not for a --subscription.")
    if options["deliveries"] and not options["subscription"]:
        raise SettingsError("--delivery needs the --subscription whose delivery it is.")
    return run_with_service(options, _deliveries if options["subscription"] else _letters)


async def _deliveries(session: Session, options: Options) -> None:
    subscriptions = session.client.queue(options["queue"]).subscriptions
    session.out.value("redriven", await subscriptions.redrive(options["subscription"], options["deliveries"]))


async def _letters(session: Session, options: Options) -> None:
    limit = options["limit"]
    redriven, kept = 0, 0
    await session.client.ping()
    consumer = session.client.queue(options["queue"]).consume(prefetch=_AHEAD, wait=0, until_empty=True)
    unknown: list[HeldMessage] = []
    async with consumer:
        while (letter := await consumer.take()) is not None:
            target = options["to"] or _origin(letter)
            if target is None:
                # Held to the end, so that it is not claimed over and over.
                unknown.append(letter)
                kept += 1
                if kept == _AHEAD:
                    break  # There is no room for more.
                continue
            # The key lets a repeated run store nothing twice; the letter goes only when it is stored there.
            await session.client.queue(target).post(letter.body, key=f"redrive-{letter.id}")
            await letter.ack()
            redriven += 1
            if redriven == limit:
                break
    session.out.value("redriven", redriven)
    if kept:
        session.out.note(f"{kept} messages stay: nothing says where they came from. Name a queue with --to.")


def _origin(letter: "HeldMessage") -> str | None:
    told = letter.message.dead_letter
    queue = told.get("queue") if isinstance(told, dict) else None
    return queue if isinstance(queue, str) else None
