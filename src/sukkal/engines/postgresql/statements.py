"""The engine's SQL, read from its ``.sql`` files: statements by name, migrations, and functions.

The functions stand in a schema of their own that is named after their text. So nodes of two versions have each its own
while they share the tables, and none is ever changed under a node that runs.
"""

from hashlib import sha256
from importlib import resources
from typing import Final

from sukkal.sql import Statements

__all__ = ["CODE_SCHEMA", "FUNCTIONS", "SCHEMA", "SETUP", "SQL", "migrations"]

SCHEMA: Final = "sukkal"


def migrations() -> list[str]:
    """Return the scripts that build the schema, in order: the n-th makes version n."""
    return _all_in("migrations")


def _all_in(name: str) -> list[str]:
    folder = resources.files(__package__) / name
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / each).read_text("utf-8") for each in names]


def _read(*names: str) -> str:
    return "".join((resources.files(__package__) / name).read_text("utf-8") for name in names)


SQL: Final = Statements(_read("queries.sql", "records.sql", "subscriptions.sql", "moving.sql"))
SETUP: Final = Statements(_read("setup.sql"))
FUNCTIONS: Final = "".join(_all_in("functions"))
CODE_SCHEMA: Final = f"{SCHEMA}_{sha256(FUNCTIONS.encode()).hexdigest()[:12]}"
