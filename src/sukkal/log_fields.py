"""What the lines of the log are about: for which request, and for whom, a line was written, if for anybody.

It is kept for each task, and read when a line is written. Work on behalf of many begins with ``on_behalf_of_many``, or
it would go by the name of whoever happened to set it off.
"""

from collections.abc import Mapping
from contextvars import Context, ContextVar
from typing import Final

__all__ = ["add_log_fields", "log_fields", "on_behalf_of_many", "set_log_fields"]

_NOTHING: Final[Mapping[str, str]] = {}
_fields: Final[ContextVar[Mapping[str, str]]] = ContextVar("log_fields", default=_NOTHING)


def log_fields() -> Mapping[str, str]:
    """Return what a line has that is written now."""
    return _fields.get()


set_log_fields: Final = _fields.set
"""Lets the lines of this task have these fields and no others from now on, and what is put into them later."""


def add_log_fields(**fields: str) -> None:
    """Let them have more."""
    _fields.set({**_fields.get(), **fields})


def on_behalf_of_many() -> Context:
    """Return the context of work that is nobody's in particular."""
    return Context()
