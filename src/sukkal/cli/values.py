"""Values as they stand on the command line."""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sukkal.errors import SettingsError

__all__ = ["attributes", "body", "document", "filters", "positive"]


def positive(text: str) -> int:
    """Return a whole number from 1 on, for argparse."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def body(text: str, *, plain: bool = False) -> Any:
    """Return the body that a text means: JSON if it is that, else the text itself, which ``plain`` forces."""
    if plain:
        return text
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def document(text: str, option: str) -> Any:
    """Return a JSON document. Raises ``SettingsError``."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise SettingsError(f"{option} takes JSON: {error}") from None


def attributes(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """Return what ``NAME=VALUE`` arguments set; a value is JSON if it is that, else text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise SettingsError(f"{option} takes NAME=VALUE, not {pair!r}.")
        found[name] = body(value)
    return found


def filters(text: str | None) -> list[Mapping[str, Any]] | None:
    """Return the filters that a JSON document has: one, or a list of them."""
    if text is None:
        return None
    found = document(text, "--filter")
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise SettingsError('--filter takes a filter such as {"prefix": {"type": "compute."}}, or a list of them.')
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
