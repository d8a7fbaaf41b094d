"""``sukkal drain``: take the messages of a queue out of it, onto standard output."""

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from sukkal.cli.nouns.message import message_record
from sukkal.cli.output import Output, one_line
from sukkal.cli.service import Options, Session, add_options
from sukkal.cli.service import run as run_with_service
from sukkal.cli.values import positive

if TYPE_CHECKING:
    from sukkal.client import HeldMessage

__all__ = ["add_to", "run"]

_SUMMARY: Final = "Write the messages of a queue to standard output, and delete each once it is written."
_AHEAD: Final = 20
_FOR_EVER_WAIT_S: Final = 20


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "drain", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False
    )
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")
    parser.add_argument("--limit", metavar="N", type=positive, help="End after so many messages.")
    parser.add_argument("--wait", metavar="SECONDS", type=positive, default=0, help="Wait so long for another one.")
    parser.add_argument("--follow", action="store_true", help="Go on when the queue is empty, until Ctrl-C.")
    add_options(parser)


def run(options: Options) -> int:
    """Take messages until there are no more, and return the exit code."""
    return run_with_service(options, _drain)


async def _drain(session: Session, options: Options) -> None:
    left, out, count = options["limit"], session.out, 0
    await session.client.ping()  # A consumer would wait for a service that is away.
    consumer = session.client.queue(options["queue"]).consume(
        prefetch=min(_AHEAD, left or _AHEAD),
        wait=_FOR_EVER_WAIT_S if options["follow"] else options["wait"],
        until_empty=not options["follow"],
    )
    try:
        async with consumer:
            # The loop acknowledges what was written; a message that could not be is given back.
            async for message in consumer:
                _write(out, message)
                count += 1
                if count == left:
                    await message.ack()
                    break
    finally:
        out.note(f"{count} {'message was' if count == 1 else 'messages were'} taken.")


def _write(out: Output, message: "HeldMessage") -> None:
    def text() -> str:
        return one_line(message.body) if isinstance(message.body, str) else json.dumps(message.body, ensure_ascii=False)

    out.each(message_record(message.message), text)
