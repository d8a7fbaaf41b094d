"""What may stand behind ``sukkal forward``."""

from typing import Any, Final

__all__ = ["add_to"]

_SUMMARY: Final = "Bring the notifications of OpenStack's services to tenants' queues, webhooks and brokers."


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    command = commands.add_parser("forward", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False)
    command.add_argument("--config", metavar="FILE", required=True, help="YAML file with sources and publishers.")
    command.add_argument(
        "--check", action="store_true", help="Only look whether the file is right, and list the routes in it."
    )
