"""A bug that is put in on purpose."""

from typing import NamedTuple

__all__ = ["Mutant"]


class Mutant(NamedTuple):
    """A bug: in ``file`` of ``folder``, ``old`` becomes ``new``. One of the ``suites`` has to fail on it."""

    story: str
    file: str
    old: str
    new: str
    folder: str = "src/sukkal/engines/sqlite"
    suites: tuple[str, ...] = ("tests/engines/test_sqlite.py",)
