"""What may stand behind ``sukkal key``."""

import argparse
from typing import Any, Final

from sukkal.cli.output import FORMS

__all__ = ["KEYS_FILE_VARIABLE", "add_to"]

KEYS_FILE_VARIABLE: Final = "SUKKAL_KEYS_FILE"

_SUMMARY: Final = "Make, list and revoke API keys."
_CREATE: Final = "Make an API key and print it, this once, on standard output."
_LIST: Final = "List the API keys, without their secrets."
_REVOKE: Final = "Revoke an API key."


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    actions = commands.add_parser("key", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False).add_subparsers(
        dest="action", metavar="ACTION", required=True
    )
    create = _action(actions, "create", _CREATE)
    create.add_argument("--project", required=True, help="The project whose queues the holder may use.")
    create.add_argument("--name", default="", help="What people call the key or its holder. Default: nothing.")
    create.add_argument(
        "--role", dest="roles", metavar="ROLE", action="append", default=[], help="A role of the holder; repeatable."
    )
    create.add_argument(
        "--expires",
        metavar="WHEN",
        default="never",
        help="30d, 12h, 2w or 90m from now, a time such as 2027-01-01T00:00:00Z, or never. Default: never.",
    )
    listing = _action(actions, "list", _LIST)
    listing.add_argument("--output", choices=FORMS, default="table", help="Default: table.")
    revoke = _action(actions, "revoke", _REVOKE)
    revoke.add_argument("id", metavar="ID", help="The id of the key, the first part behind sukkal_.")


def _action(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=summary, description=summary, allow_abbrev=False)
    action.add_argument(
        "--keys-file",
        metavar="FILE",
        help=f"The file with the keys. The environment variable {KEYS_FILE_VARIABLE} names one too.",
    )
    return action
