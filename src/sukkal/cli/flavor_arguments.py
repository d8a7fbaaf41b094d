"""What may stand behind ``sukkal flavor``."""

import argparse
from typing import Any, Final

from sukkal.cli.pool_arguments import WHERE

__all__ = ["add_to"]

_SUMMARY: Final = "Make, list, change and delete flavors: choices of pools that have a name."


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    actions = commands.add_parser("flavor", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False).add_subparsers(
        dest="action", metavar="ACTION", required=True
    )
    listing = _action(actions, "list", "List the flavors.")
    listing.add_argument("--output", choices=["table", "json"], default="table", help="Default: table.")
    for name, summary in (
        ("show", "Show a flavor."),
        ("create", "Make a flavor."),
        ("update", "Give a flavor other pools."),
        ("delete", "Forget a flavor; queues stay where they are."),
    ):
        action = _action(actions, name, summary)
        action.add_argument("name", metavar="NAME", help="The name of the flavor.")
        if name in ("create", "update"):
            action.add_argument("pools", metavar="POOL", nargs="+", help="The name of a pool; repeatable.")


def _action(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        name, help=summary, description=summary, epilog=WHERE, allow_abbrev=False
    )
    return action
