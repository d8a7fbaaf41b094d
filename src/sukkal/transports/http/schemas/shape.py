"""The form of an operation's description, and the words that descriptions are made of."""

from typing import Any, Final

import msgspec

__all__ = [
    "AGE",
    "ANY",
    "FLAG",
    "LINKS",
    "TEXT",
    "TTL",
    "Schema",
    "Shape",
    "an_array",
    "an_object",
    "number",
    "parameter",
    "ref",
]

Schema = dict[str, Any]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """An operation's query parameters, headers, body and good answers (each with its schema, or without a body)."""

    query: tuple[Schema, ...] = ()
    headers: tuple[Schema, ...] = ()
    body: Schema | None = None
    body_type: str = "application/json"
    body_required: bool = False
    answers: dict[str, tuple[str, Schema | None]]
    answer_type: str = "application/json"


def ref(name: str) -> Schema:
    """Return a reference to one of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def an_object(*required: str, **properties: Schema) -> Schema:
    """Return an object with these members, of which some must be there."""
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(required)} if required else {})


def an_array(items: Schema) -> Schema:
    """Return a list."""
    return {"type": "array", "items": items}


TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
ANY: Final[Schema] = {}
AGE: Final[Schema] = {"type": "integer", "minimum": 0, "description": "Seconds since it was made."}
TTL: Final[Schema] = {"type": "integer", "description": "Life in seconds."}
LINKS: Final[Schema] = an_array(an_object("rel", "href", rel=TEXT, href=TEXT))


def parameter(name: str, schema: Schema, description: str) -> Schema:
    """Return a parameter of the query."""
    return {"name": name, "in": "query", "schema": schema, "description": description}


def number(low: int, high: int, **more: Any) -> Schema:
    """Return a whole number within limits."""
    return {"type": "integer", "minimum": low, "maximum": high, **more}
