"""Commands that ask a service: what they share from the flags to the exit code."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sukkal.cli import codes, profile
from sukkal.cli.files import read_text
from sukkal.cli.output import FORMS, Output
from sukkal.cli.values import positive
from sukkal.identity.keys import without_secrets

if TYPE_CHECKING:
    from sukkal.client import Client, ClientError

__all__ = ["Act", "Options", "Session", "add_options", "run", "told"]

_EPILOG: Final = (
    "The environment may name the service (SUKKAL_URL) and who asks: SUKKAL_TOKEN, or OS_AUTH_URL and others of "
    "OpenStack, or SUKKAL_PROJECT. So may the file ~/.config/sukkal/client.toml."
)


class Session(NamedTuple):
    """The service that a command asks, where it prints, and what makes UUIDs that nobody else has."""

    client: "Client"
    out: Output
    new_name: Callable[[], str]


Options = Mapping[str, Any]
"""What stands on the command line, by the names of the arguments."""

Act = Callable[[Session, Options], Awaitable[None]]


def add_options(parser: argparse.ArgumentParser, *, forms: bool = True) -> None:
    """Add the options that every such command has."""
    parser.epilog = _EPILOG
    shared = parser.add_argument_group("the service")
    shared.add_argument("--url", metavar="URL", help="The service. Default: SUKKAL_URL, else http://127.0.0.1:8888.")
    shared.add_argument("--project", metavar="PROJECT", help="The project whose queues are meant.")
    if forms:
        shared.add_argument("--output", choices=FORMS, default="table", help="Default: table.")
    shared.add_argument("--timeout", metavar="SECONDS", type=positive, default=10, help="For an answer. Default: 10.")
    shared.add_argument("--quiet", action="store_true", help="Print data and errors only.")


def run(options: Options, act: Act) -> int:
    """Do something with the service, and return the exit code. What went wrong is one line on standard error."""
    from sukkal.client import Client, ClientError
    from sukkal.client.chance import SystemChance

    found = profile.environment(options, os.environ, read_text)
    out = Output(options.get("output", "table"), quiet=options["quiet"])
    chance = SystemChance()
    client = Client(
        profile.url(found), credentials=profile.credentials(found), timeout=options["timeout"], chance=chance
    )
    ended: list[int] = []

    async def session() -> None:
        task = asyncio.current_task()

        def end() -> None:
            ended.append(codes.TERMINATED)
            if task is not None:
                task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
        async with client:
            await act(Session(client, out, chance.name), options)

    try:
        asyncio.run(session())
    except ClientError as error:
        print(f"sukkal: {told(error)}", file=sys.stderr)
        return codes.code_of(error)
    except asyncio.CancelledError:
        if not ended:
            raise
        return ended[0]
    return codes.DONE


def told(error: "ClientError") -> str:
    """Return what went wrong in one line, with what finds the request in the service's log."""
    from sukkal.client import NotConnected, Refused

    more = ""
    if isinstance(error, Refused) and error.request_id:
        more = f" [{error.request_id}]"
    if isinstance(error, NotConnected):
        more = ". Does the service run? Ask: sukkal doctor"
    return without_secrets(" ".join(f"{error}{more}".split()))
