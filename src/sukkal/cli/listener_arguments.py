"""What may stand behind ``sukkal listener``."""

import argparse
from typing import Any, Final

from sukkal.cli.output import FORMS
from sukkal.service.listener_terms import KINDS

__all__ = ["add_to"]

_SUMMARY: Final = "Have a URL called when something happens to a workflow, a task or another resource."
_ADD: Final = "Make a listener and print its id."
_LIST: Final = "List the listeners of the project."
_DELETE: Final = "End a listener."
_WHERE: Final = (
    "SUKKAL_URL names the service. Who asks is said by SUKKAL_TOKEN, by OS_AUTH_URL and others of OpenStack, or by "
    "SUKKAL_PROJECT."
)


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    actions = commands.add_parser("listener", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False).add_subparsers(
        dest="action", metavar="ACTION", required=True
    )
    add = _action(actions, "add", _ADD)
    add.add_argument("kind", metavar="KIND", choices=KINDS, help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}.")
    add.add_argument("id", metavar="ID", help="The id or the name of it; * stands for all.")
    add.add_argument("url", metavar="URL", help="The URL that is called.")
    add.add_argument(
        "--event",
        dest="events",
        metavar="EVENT",
        action="append",
        default=[],
        help="on-enter, on-error, on-complete and others, or a type of events; repeatable. Default: everything.",
    )
    add.add_argument("--workbook", metavar="NAME", help="Only what the workflows of this workbook do.")
    add.add_argument("--heartbeat", metavar="SECONDS", type=int, help="Call it too when nothing came for so long.")
    add.add_argument("--queue", metavar="NAME", help="The queue in which the events are.")
    add.add_argument("--method", metavar="METHOD", help="The method of the call. Default: POST.")
    add.add_argument(
        "--header",
        dest="headers",
        metavar="NAME:VALUE",
        action="append",
        default=[],
        help="A header of the call; repeatable.",
    )
    add.add_argument("--ttl", metavar="SECONDS", type=int, help="The life of the listener. Default: an hour.")
    listing = _action(actions, "list", _LIST)
    listing.add_argument("--output", choices=FORMS, default="table", help="Default: table.")
    delete = _action(actions, "delete", _DELETE)
    delete.add_argument("id", metavar="ID", help="The id of the listener.")


def _action(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        name, help=summary, description=summary, epilog=_WHERE, allow_abbrev=False
    )
    action.add_argument("--url", dest="service", metavar="URL", help="The service. Default: SUKKAL_URL.")
    action.add_argument("--project", metavar="PROJECT", help="The project whose listeners are meant.")
    return action
