"""What a search asks for, as callers write it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.formats.times import instant
from sukkal.search import FACETS, FIELDS, Asked, Shelf
from sukkal.service.search_words import read_words

__all__ = ["ASKED", "asked_of", "check_members", "facets_of", "place_of"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


ASKED: Final = ("q", "since", *FIELDS)
"""What a question is made of."""


def check_members(given: Iterable[str], shelf: Shelf) -> None:
    """Refuse a question with members that there are not: it would find more than was asked for."""
    known = (*ASKED, "facets", "marker", "limit", *(("deleted",) if shelf == "resources" else ()))
    if unknown := set(given).difference(known):
        raise InvalidRequest(f"{min(unknown)!r} is none of {', '.join(known)}.")


def asked_of(given: Mapping[str, object]) -> Asked:
    """Return the question that ``q``, ``since`` and the fields make. Raises ``InvalidRequest``, naming the field."""
    texts = {name: _text(name, given.get(name)) for name in ASKED}
    fields = {name: text for name in FIELDS if (text := texts[name])}
    return Asked(terms=read_words(texts["q"] or ""), fields=fields, since_ms=_moment_ms(texts["since"]))


def facets_of(names: object) -> tuple[str, ...]:
    """Return what matches are to be counted by. Raises ``InvalidRequest``."""
    if not isinstance(names, list | tuple | None) or not set(names or ()) <= set(FACETS):
        raise InvalidRequest(f"facets: there are {', '.join(FACETS)}.")
    return tuple(dict.fromkeys(names or ()))


def place_of(marker: str | None) -> int | None:
    """Return the place behind which a page begins. Raises ``InvalidRequest``."""
    if not marker:
        return None
    if not (marker.isascii() and marker.isdigit() and len(marker) <= limits.SEARCH_MARKER_CHARS_MAX):
        raise InvalidRequest("marker: take it from the page before.")
    return int(marker)


def _text(name: str, value: object) -> str | None:
    most = limits.SEARCH_FIELD_CHARS_MAX
    if value is None or (isinstance(value, str) and len(value) <= most):
        return value
    raise InvalidRequest(f"{name} must be a text of at most {most} characters.")


def _moment_ms(text: str | None) -> int | None:
    if not text:
        return None
    moment = instant(text)
    if moment is None:
        raise InvalidRequest("since must be a time such as 2026-01-31T12:00:00Z.")
    return (moment - _EPOCH) // _MS
