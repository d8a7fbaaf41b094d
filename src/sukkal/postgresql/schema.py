"""The schema of one part of us, read from its ``.sql`` files.

The functions stand in a schema of their own that is named after their text. So nodes of two versions have each its own
while they share the tables, and none is ever changed under a node that runs.
"""

from hashlib import sha256
from importlib import resources
from typing import Final

from sukkal.sql import Statements

__all__ = ["SETUP", "Schema", "statements"]


class Schema:
    """Tables under a name and functions on them, from the folders ``migrations`` and ``functions`` of a package.

    The n-th migration makes version n. ``works_with`` is the oldest version that a node may know and still work with
    the newest one.
    """

    def __init__(self, name: str, package: str, *, works_with: int = 1) -> None:
        self.name: Final = name
        self.migrations: Final = _all_in(package, "migrations")
        self.works_with: Final = works_with
        self.functions: Final = "".join(_all_in(package, "functions"))
        self.code_name: Final = f"{name}_{sha256(self.functions.encode()).hexdigest()[:12]}"


def statements(package: str, *names: str) -> Statements:
    """Return the named statements of some files of a package."""
    return Statements("".join((resources.files(package) / name).read_text("utf-8") for name in names))


def _all_in(package: str, name: str) -> list[str]:
    folder = resources.files(package) / name
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / each).read_text("utf-8") for each in names]


SETUP: Final = statements(__package__, "setup.sql")
