"""The filters that there are, in the dialects of the CloudEvents Subscriptions API."""

from typing import Final

import msgspec

from sukkal.filters.cesql.tree import Node

__all__ = ["TEXT_DIALECTS", "AllOf", "AnyOf", "Filter", "Not", "Sql", "Texts"]

TEXT_DIALECTS: Final = ("exact", "prefix", "suffix")


class Texts(msgspec.Struct, frozen=True):
    """Passes events all of whose named attributes are, begin with or end with their texts, as the dialect says."""

    dialect: str
    wanted: tuple[tuple[str, str], ...]


class AllOf(msgspec.Struct, frozen=True):
    """Passes events that pass all of the filters; without any, every event."""

    filters: "tuple[Filter, ...]"


class AnyOf(msgspec.Struct, frozen=True):
    """Passes events that pass one of the filters."""

    filters: "tuple[Filter, ...]"


class Not(msgspec.Struct, frozen=True):
    """Passes events that do not pass the filter."""

    filter: "Filter"


class Sql(msgspec.Struct, frozen=True):
    """Passes events for which the expression yields true, and no error."""

    tree: Node


Filter = Texts | AllOf | AnyOf | Not | Sql
