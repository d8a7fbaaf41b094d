"""What may stand behind ``sukkal migrate``, ``backup`` and ``restore``."""

from typing import Any, Final

__all__ = ["add_backup_to", "add_migrate_to", "add_restore_to"]

_MIGRATE: Final = "Move all that a store keeps into another, empty one, while nobody serves them."
_BACKUP: Final = "Write all that a store keeps into a file, also while it is served."
_RESTORE: Final = "Fill an empty store from a file that `sukkal backup` wrote."
_AGAIN: Final = "If it is broken off, the same command goes on from there."
_STORE: Final = "The store, as the setting `store` has it. Default: the environment variable SUKKAL_STORE."


def add_migrate_to(commands: Any) -> None:
    """Add ``migrate`` to the commands of a parser."""
    command = commands.add_parser("migrate", help=_MIGRATE, description=_MIGRATE, epilog=_AGAIN, allow_abbrev=False)
    command.add_argument("--from", dest="source", metavar="URL", required=True, help="The store that is read.")
    command.add_argument("--to", dest="target", metavar="URL", required=True, help="The store that is filled.")


def add_backup_to(commands: Any) -> None:
    """Add ``backup`` to the commands of a parser."""
    command = commands.add_parser("backup", help=_BACKUP, description=_BACKUP, allow_abbrev=False)
    command.add_argument("--store", metavar="URL", help=_STORE)
    command.add_argument("file", metavar="FILE", help="The file to write, which must not be there yet.")


def add_restore_to(commands: Any) -> None:
    """Add ``restore`` to the commands of a parser."""
    command = commands.add_parser("restore", help=_RESTORE, description=_RESTORE, epilog=_AGAIN, allow_abbrev=False)
    command.add_argument("file", metavar="FILE", help="The file to read.")
    command.add_argument("--store", metavar="URL", help=_STORE)
