"""Inferring a JSON Schema from documents, one after another, within fixed bounds."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sukkal import limits

__all__ = ["NOTHING", "merged", "with_all"]

NOTHING: Final[Mapping[str, Any]] = {}
"""The schema of no document yet, which allows everything."""

Schema = dict[str, Any]


def merged(schema: Mapping[str, Any], document: Any) -> Schema:
    """Return a schema for all documents that the given one is for, and for this one.

    It says which types there are, and of objects which members and which of them were always there. What lies deeper
    than ``SCHEMA_DEPTH_MAX`` is not described, nor are more than ``SCHEMA_MEMBERS_MAX`` members of an object.
    """
    return _merge(dict(schema), document, limits.SCHEMA_DEPTH_MAX)


def with_all(schema: Mapping[str, Any], documents: Sequence[Any], *, before: int) -> Mapping[str, Any]:
    """Return a schema for more documents, when it has seen so many before; ``None`` is no document.

    The first ones are looked at, and then a few of them: a type that comes all day costs little.
    """
    for number, document in enumerate(documents, start=before):
        told = number < limits.SCHEMA_LOOKED_AT_FIRST or number % limits.SCHEMA_LOOKED_AT_EACH == 0
        if told and document is not None:
            schema = merged(schema, document)
    return schema


def _merge(schema: Schema, document: Any, depth: int) -> Schema:
    known = _types(schema)
    kind = _kind(document)
    result = schema | {"type": _written(known | {kind})}
    if depth <= 0:
        return result
    if isinstance(document, dict):
        _merge_members(result, document, depth, first="object" not in known)
    elif isinstance(document, list):
        items = dict(result.get("items", {}))
        for each in document[: limits.SCHEMA_ITEMS_LOOKED_AT]:
            items = _merge(items, each, depth - 1)
        if items:
            result["items"] = items
    return result


def _merge_members(result: Schema, document: Mapping[Any, Any], depth: int, *, first: bool) -> None:
    properties: Schema = dict(result.get("properties", {}))
    for name, value in document.items():
        if not isinstance(name, str) or len(name) > limits.SCHEMA_NAME_CHARS_MAX:
            continue
        if name in properties or len(properties) < limits.SCHEMA_MEMBERS_MAX:
            properties[name] = _merge(dict(properties.get(name, {})), value, depth - 1)
    result["properties"] = properties
    always = properties if first else result.get("required", ())
    result["required"] = [name for name in always if name in document]


def _types(schema: Mapping[str, Any]) -> set[str]:
    given = schema.get("type", [])
    return {given} if isinstance(given, str) else set(given)


def _written(kinds: set[str]) -> str | list[str]:
    if "number" in kinds:
        kinds = kinds - {"integer"}
    found = sorted(kinds)
    return found[0] if len(found) == 1 else found


def _kind(document: Any) -> str:
    match document:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float() | Decimal():
            return "number"
        case str() | bytes():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
