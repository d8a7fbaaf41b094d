"""Reading a table of options into a struct that says which there are."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from sukkal.errors import SettingsError

__all__ = ["options_of"]

T = TypeVar("T")


def options_of(kind: type[T], given: Mapping[str, Any]) -> T:
    """Return the options. Raises ``SettingsError``, naming the option and no value."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        # "Expected `int`, got `str` - at `$.window`" becomes "window: Expected `int`, got `str`".
        said, _, place = str(error).partition(" - at `$.")
        raise SettingsError(f"{place.rstrip('`')}: {said}" if place else said) from None
