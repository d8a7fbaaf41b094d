"""Packages that only some installations have."""

import contextlib
from collections.abc import Iterator

from sukkal.errors import SettingsError

__all__ = ["needs_extra"]


@contextlib.contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Import what comes with an extra. Raises ``SettingsError`` if it is not installed, which says how to."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(f"{purpose}, {error.name} is missing: pip install 'sukkal[{extra}]'.") from error
