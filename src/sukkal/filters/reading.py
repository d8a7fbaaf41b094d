"""How the ``filters`` of a request become filters, or a refusal that says which of them is wrong and where."""

import re
from typing import Final, NoReturn

from sukkal import limits
from sukkal.errors import InvalidFilter
from sukkal.filters.cesql.evaluating import type_of
from sukkal.filters.cesql.failures import BadExpression
from sukkal.filters.cesql.parser import parse
from sukkal.filters.cesql.tree import size_of
from sukkal.filters.dialects import TEXT_DIALECTS, AllOf, AnyOf, Filter, Not, Sql, Texts

__all__ = ["read_filters"]

_DIALECTS: Final = (*TEXT_DIALECTS, "all", "any", "not", "sql")
_NAME: Final = re.compile(r"[a-z0-9]+")
_TYPE_NAMES: Final = {int: "an integer", str: "a text"}


def read_filters(value: object, field: str = "filters") -> AllOf:
    """Return the filters of a JSON array, all of which an event has to pass. Raises ``InvalidFilter``."""
    if not isinstance(value, list):
        raise InvalidFilter(field, "it must be an array of filters")
    if len(value) > limits.FILTERS_MAX:
        raise InvalidFilter(field, f"it has {len(value)} filters, {limits.FILTERS_MAX} are allowed")
    reader = _Reader(field)
    return AllOf(tuple(reader.filter(each, f"{field}[{place}]", 1) for place, each in enumerate(value)))


class _Reader:
    """Reads the filters of one request, and counts what they are made of."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._parts = 0

    def filter(self, value: object, field: str, depth: int) -> Filter:
        """Return one filter."""
        if depth > limits.FILTER_DEPTH_MAX:
            raise InvalidFilter(field, f"filters are nested more than {limits.FILTER_DEPTH_MAX} deep")
        if not isinstance(value, dict) or len(value) != 1:
            raise InvalidFilter(
                field, f"a filter is an object with one member, which is named {', '.join(_DIALECTS[:-1])} or sql"
            )
        dialect, wanted = next(iter(value.items()))
        self._count(1)
        inner = f"{field}.{dialect}"
        match dialect:
            case "exact" | "prefix" | "suffix":
                return Texts(dialect, self._texts(wanted, inner))
            case "all":
                return AllOf(self._several(wanted, inner, depth))
            case "any":
                return AnyOf(self._several(wanted, inner, depth))
            case "not":
                return Not(self.filter(wanted, inner, depth + 1))
            case "sql":
                return self._sql(wanted, inner)
        return self._unknown(field, dialect)

    def _texts(self, value: object, field: str) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, dict) or not value:
            raise InvalidFilter(field, "it must be an object of one or more attribute names and texts")
        self._count(len(value))
        return tuple((_name(name, field), _text(text, f"{field}.{name}")) for name, text in value.items())

    def _several(self, value: object, field: str, depth: int) -> tuple[Filter, ...]:
        if not isinstance(value, list) or not value:
            raise InvalidFilter(field, "it must be an array of one or more filters")
        return tuple(self.filter(each, f"{field}[{place}]", depth + 1) for place, each in enumerate(value))

    def _sql(self, value: object, field: str) -> Sql:
        if not isinstance(value, str):
            raise InvalidFilter(field, "it must be an expression, which is a string")
        try:
            tree = parse(value)
        except BadExpression as bad:
            raise InvalidFilter(field, bad.problem, bad.at) from None
        self._count(size_of(tree))
        if (kind := type_of(tree)) in _TYPE_NAMES:
            raise InvalidFilter(
                field, f"it yields {_TYPE_NAMES[kind]}, so no event would pass; compare it with something", 1
            )
        return Sql(tree)

    def _count(self, parts: int) -> None:
        self._parts += parts
        if self._parts > limits.FILTER_PARTS_MAX:
            raise InvalidFilter(
                self._field, f"the filters have more than {limits.FILTER_PARTS_MAX} parts in all; use fewer"
            )

    def _unknown(self, field: str, dialect: object) -> NoReturn:
        raise InvalidFilter(field, f"{_cut(dialect)} is no dialect; there are {', '.join(_DIALECTS)}")


def _name(name: object, field: str) -> str:
    chars_max = limits.ATTRIBUTE_NAME_CHARS_MAX
    if not isinstance(name, str) or len(name) > chars_max or not _NAME.fullmatch(name):
        raise InvalidFilter(
            field, f"{_cut(name)} is no attribute name, which has 1 to {chars_max} lower case letters and digits"
        )
    return name


def _text(text: object, field: str) -> str:
    if not isinstance(text, str) or not text:
        raise InvalidFilter(field, "it must be a string that is not empty")
    if len(text) > limits.FILTER_VALUE_CHARS_MAX:
        raise InvalidFilter(field, f"it has {len(text)} characters, {limits.FILTER_VALUE_CHARS_MAX} are allowed")
    return text


def _cut(name: object) -> str:
    text = repr(name)
    return text if len(text) <= limits.FILTER_SHOWN_CHARS_MAX else text[: limits.FILTER_SHOWN_CHARS_MAX] + "..."
