"""``sukkal tail``: show what is posted to a queue, as it is posted."""

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from sukkal.cli.output import Output, one_line
from sukkal.cli.service import Options, Session, add_options
from sukkal.cli.service import run as run_with_service
from sukkal.cli.values import filters, positive

if TYPE_CHECKING:
    from sukkal.client import Heard, MessagesMissed

__all__ = ["add_to", "run"]

_SUMMARY: Final = "Show what is posted to a queue, as it is posted, and take nothing. Ctrl-C ends it."
_DIM: Final = "2"
_GREEN: Final = "32"
_YELLOW: Final = "33"


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "tail", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False
    )
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")
    parser.add_argument("--since", metavar="POSITION", help="Begin behind this position, not with what comes now.")
    parser.add_argument("--filter", metavar="JSON", help="Only events that pass this filter.")
    parser.add_argument("--format", metavar="NAME", help="Show events in this format, such as cloudevents.")
    parser.add_argument("--limit", metavar="N", type=positive, help="End after so many messages.")
    add_options(parser)


def run(options: Options) -> int:
    """Show messages until it is interrupted, and return the exit code."""
    return run_with_service(options, _tail)


async def _tail(session: Session, options: Options) -> None:
    out, left = session.out, options["limit"]
    await session.client.ping()  # Listening would wait for a service that is away.
    listening = session.client.queue(options["queue"]).listen(
        since=options["since"],
        filters=filters(options["filter"]),
        form=options["format"],
        on_gap=lambda gap: _tell_gap(out, gap),
    )
    try:
        async with listening:
            out.note(f"Listening to {options['queue']}.")
            async for heard in listening:
                _show(out, heard)
                if left is not None:
                    left -= 1
                    if not left:
                        return
    finally:
        if listening.position is not None:
            out.note(f"Go on with: sukkal tail {options['queue']} --since {listening.position}")


def _show(out: Output, heard: "Heard") -> None:
    record = {"position": heard.position, "id": heard.message_id, "ttl": heard.ttl, "body": heard.body}
    out.each(record, lambda: f"{out.colour(_DIM, heard.position or '-')} {_body(out, heard.body)}")


def _body(out: Output, body: Any) -> str:
    if isinstance(body, str):
        return one_line(body)
    return out.colour(_GREEN, one_line(json.dumps(body, ensure_ascii=False)))


def _tell_gap(out: Output, gap: "MessagesMissed") -> None:
    out.out.flush()
    # Not a note: who asks for quiet must know of it all the same.
    text = f"Messages were missed here: what was posted since {gap.since} can be told no more."
    print(f"\x1b[{_YELLOW}m{text}\x1b[0m" if out.coloured and out.err.isatty() else text, file=out.err, flush=True)
