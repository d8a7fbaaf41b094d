"""What may stand behind ``sukkal pool``."""

import argparse
from typing import Any, Final

__all__ = ["WHERE", "add_to"]

_SUMMARY: Final = "Make, list, change, drain and delete the pools in which queues are kept."
WHERE: Final = (
    "SUKKAL_URL names the service. Who asks is said by SUKKAL_TOKEN, by OS_AUTH_URL and others of OpenStack, or by "
    "SUKKAL_PROJECT; it has to be an administrator."
)


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    actions = commands.add_parser("pool", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False).add_subparsers(
        dest="action", metavar="ACTION", required=True
    )
    listing = _action(actions, "list", "List the pools.")
    listing.add_argument("--output", choices=["table", "json"], default="table", help="Default: table.")
    _named(actions, "show", "Show a pool, and how many queues it has.")
    create = _named(actions, "create", "Make a pool.")
    create.add_argument("uri", metavar="URI", help="Where it keeps its data, as the setting store.")
    create.add_argument("--weight", type=int, default=100, help="Its share of new queues. Default: 100.")
    create.add_argument("--flavor", metavar="NAME", help="A flavor that it belongs to.")
    update = _named(actions, "update", "Give a pool another weight or flavor.")
    update.add_argument("--weight", type=int, help="Its share of new queues; 0 takes none.")
    update.add_argument("--flavor", metavar="NAME", help="A flavor that it belongs to.")
    _named(actions, "delete", "Forget a pool that has no queues.")
    drain = _named(actions, "drain", "Move the queues of a pool to the other pools.")
    drain.add_argument("--stop", action="store_true", help="Move no more; what has moved stays where it is.")


def _named(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    action = _action(actions, name, summary)
    action.add_argument("name", metavar="NAME", help="The name of the pool.")
    return action


def _action(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        name, help=summary, description=summary, epilog=WHERE, allow_abbrev=False
    )
    return action
