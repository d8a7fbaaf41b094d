"""JSON schemas in words: as the rows of a table, and in a phrase."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["cell", "members_table", "phrase", "table"]

Schema = Mapping[str, Any]


def cell(text: str) -> str:
    """Return text for a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table, or nothing if it has no rows."""
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(each) + " |" for each in lines) + "\n"


def members_table(schema: Schema, components: Mapping[str, Any]) -> str:
    """Return a table of what an object is made of, those inside with dotted names."""
    rows = [
        [f"`{name}`", cell(phrase(each)), "yes" if required else "", cell(each.get("description", ""))]
        for name, each, required in _members(schema, components, "", 0)
    ]
    return table(("member", "is", "required", ""), rows)


_DEPTH_MAX = 3


def _members(
    schema: Schema, components: Mapping[str, Any], before: str, depth: int
) -> Iterator[tuple[str, Schema, bool]]:
    schema = _resolved(schema, components)
    for name, each in schema.get("properties", {}).items():
        yield before + name, each, name in schema.get("required", ())
        inside = _resolved(each, components)
        if depth < _DEPTH_MAX:
            if inside.get("type") == "array":
                yield from _members(inside.get("items", {}), components, f"{before}{name}[].", depth + 1)
            else:
                yield from _members(inside, components, f"{before}{name}.", depth + 1)


def _resolved(schema: Schema, components: Mapping[str, Any]) -> Schema:
    if "$ref" in schema:
        found: Schema = components[schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def phrase(schema: Schema) -> str:
    """Return what a schema allows, in a few words."""
    if "$ref" in schema:
        return f"a {schema['$ref'].rpartition('/')[2]}"
    for word in ("oneOf", "anyOf"):
        if word in schema and "properties" not in schema:
            return " or ".join(dict.fromkeys(phrase(each) for each in schema[word]))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    kinds = schema.get("type", "anything")
    named = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if named == "array" and schema.get("items"):
        named = f"array of {phrase(schema['items'])}"
    return named + _bounds(schema)


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and high < 2**53:
        return f", {low:,} to {high:,}"
    if low is not None:
        return f", {low:,} or more"
    if "maxLength" in schema:
        return f", at most {schema['maxLength']:,} characters"
    if "maxItems" in schema:
        return f", at most {schema['maxItems']:,}"
    return ""
