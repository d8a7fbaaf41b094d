"""What a query says about which messages are wanted, and in which form."""

from typing import Any, Final

import msgspec

from sukkal.errors import InvalidFilter
from sukkal.service.lenses import CLEAR, Lens, lens_of
from sukkal.transports.http.query import Query

__all__ = ["lens_in", "lens_texts"]

_NAMES: Final = ("filter", "sql", "format")


def lens_texts(query: Query) -> dict[str, str | None]:
    """Return what the query says about it, as it stands."""
    return {name: query.text(name) for name in _NAMES}


def lens_in(query: Query) -> Lens:
    """Return the lens that the query asks for. Raises ``InvalidFilter``, ``InvalidRequest``."""
    text, sql, form = lens_texts(query).values()
    if not (text or sql or form):
        return CLEAR
    filters: Any = None
    if text is not None:
        try:
            filters = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            raise InvalidFilter("filter", "it must be an array of filters, as JSON") from None
    if sql is not None:
        expression = {"sql": sql}
        if filters is None:
            return lens_of([expression], form, field="sql")
        if isinstance(filters, list):
            filters = [*filters, expression]
    return lens_of(filters, form, field="filter")
