"""What may stand behind ``sukkal import``."""

from typing import Any, Final

__all__ = ["STATE", "add_to"]

STATE: Final = "sukkal-import.state"

_SUMMARY: Final = "Bring queues, metadata, messages and subscriptions from a running Zaqar."
_WHO: Final = (
    "SUKKAL_URL names the service that all is brought to. Who asks there is said by SUKKAL_TOKEN, by OS_AUTH_URL and "
    "others of OpenStack, or by --project; who asks Zaqar, by ZAQAR_TOKEN, the same of OpenStack, or --project."
)


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    command = commands.add_parser("import", help=_SUMMARY, description=_SUMMARY, epilog=_WHO, allow_abbrev=False)
    add = command.add_argument
    add("--from-zaqar", metavar="URL", required=True, help="The URL of the Zaqar, which is only read.")
    add(
        "--project",
        dest="projects",
        metavar="ID",
        action="append",
        default=[],
        help="The id of a project to bring; repeatable. Default: that of the token or the user.",
    )
    add(
        "--queues",
        dest="patterns",
        metavar="PATTERN",
        action="append",
        default=[],
        help="Only queues with such a name, as in 'orders-*'; repeatable. Default: all.",
    )
    add(
        "--skip",
        action="append",
        default=[],
        choices=["messages", "subscriptions"],
        help="Leave these where they are; repeatable.",
    )
    add("--state", metavar="FILE", default=STATE, help=f"Where to note what was brought. Default: {STATE}.")
    add("--dry-run", action="store_true", help="Write nothing, and tell what would be brought.")
    add("--output", choices=["table", "json"], default="table", help="Default: table.")
