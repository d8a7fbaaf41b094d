"""Reading the parameters of a request's query."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl

from sukkal import limits
from sukkal.errors import InvalidParameter
from sukkal.service.names import name_of

__all__ = ["Query"]

_TRUE: Final = frozenset(("true", "True", "t", "yes", "y", "1", "on"))
_FALSE: Final = frozenset(("false", "False", "f", "no", "n", "0", "off"))


class Query:
    """The parameters of a query. Blank values count as absent; of repeated ones the last counts, except in lists."""

    __slots__ = ("_pairs", "_text", "_values")

    def __init__(self, query: str) -> None:
        self._text = query
        self._pairs = _parse(query) if query else []
        self._values = dict(self._pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._values.items())

    def all_pairs(self) -> list[tuple[str, str]]:
        """Return all parameters, repeated and blank ones too."""
        return _parse(self._text, blank=True)

    def text(self, name: str) -> str | None:
        """Return a parameter, or ``None``. Raises ``InvalidParameter``."""
        value = self._values.get(name)
        return None if value is None else name_of(name, value)

    def number(self, name: str) -> int | None:
        """Return a whole number, or ``None``. Raises ``InvalidParameter``."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            number = int(value)
        except ValueError:
            number = limits.INT64_MAX + 1
        if not limits.INT64_MIN <= number <= limits.INT64_MAX:
            raise InvalidParameter(f'The "{name}" parameter is invalid. The value must be an integer.')
        return number

    def flag(self, name: str) -> bool | None:
        """Return a truth value, or ``None``. Raises ``InvalidParameter``."""
        value = self._values.get(name)
        if value is None:
            return None
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise InvalidParameter(
            f'The "{name}" parameter is invalid. The value of the parameter must be "true" or "false".'
        )

    def words(self, name: str) -> list[str] | None:
        """Return a list given by commas or by repetition, or ``None``. Raises ``InvalidParameter``."""
        given = [name_of(name, value) for key, value in self._pairs if key == name]
        found = [word for value in given for word in value.split(",") if word]
        return found or None


def _parse(query: str, *, blank: bool = False) -> list[tuple[str, str]]:
    if "%" not in query and "+" not in query and query.count("&") < limits.QUERY_PARAMETERS_MAX:
        # The usual case: nothing is encoded, so it only has to be cut.
        pairs = [part.partition("=") for part in query.split("&") if part]
        return [(name, value) for name, _, value in pairs if value or blank]
    try:
        return parse_qsl(query, keep_blank_values=blank, errors="strict", max_num_fields=limits.QUERY_PARAMETERS_MAX)
    except ValueError:
        raise InvalidParameter(
            f"The query cannot be read: it must be UTF-8 and have at most {limits.QUERY_PARAMETERS_MAX} parameters."
        ) from None
