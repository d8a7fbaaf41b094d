"""Schemas that are inferred from documents."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukkal import limits
from sukkal.inference import NOTHING, merged


def inferred(*documents: Any) -> Any:
    schema = NOTHING
    for document in documents:
        schema = merged(schema, document)
    return schema


def fits(schema: Any, document: Any) -> bool:
    """Tell whether a document is valid, as far as inferred schemas say anything."""
    given_types = schema.get("type", [])
    types = [given_types] if isinstance(given_types, str) else given_types
    kinds = {
        "null": document is None,
        "boolean": isinstance(document, bool),
        "integer": isinstance(document, int) and not isinstance(document, bool),
        "number": isinstance(document, int | float) and not isinstance(document, bool),
        "string": isinstance(document, str),
        "array": isinstance(document, list),
        "object": isinstance(document, dict),
    }
    if types and not any(kinds[each] for each in types):
        return False
    if isinstance(document, dict):
        members = schema.get("properties", {})
        return set(schema.get("required", ())) <= document.keys() and all(
            fits(members[name], value) for name, value in document.items() if name in members
        )
    if isinstance(document, list):
        looked_at = document[: limits.SCHEMA_ITEMS_LOOKED_AT]
        return all(fits(schema.get("items", {}), each) for each in looked_at)
    return True


@pytest.mark.parametrize(
    ("documents", "schema"),
    [
        ([], {}),
        ([1, 2], {"type": "integer"}),
        ([1, 2.5], {"type": "number"}),
        ([None, "x", True], {"type": ["boolean", "null", "string"]}),
        ([[], [1, "x"]], {"type": "array", "items": {"type": ["integer", "string"]}}),
        (
            [{"a": 1, "b": 1}, {"b": None, "c": {"d": []}}],
            {
                "type": "object",
                "properties": {
                    "a": {"type": "integer"},
                    "b": {"type": ["integer", "null"]},
                    "c": {"type": "object", "properties": {"d": {"type": "array"}}, "required": ["d"]},
                },
                "required": ["b"],
            },
        ),
    ],
)
def test_a_schema_says_which_types_and_members_there_were(documents: list[Any], schema: Any) -> None:
    assert inferred(*documents) == schema


def test_depth_and_members_are_bounded() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"a": [deep]}
    wide = {f"m{number}": number for number in range(10_000)}
    assert len(msgspec.json.encode(inferred(deep))) < 1_000
    assert len(inferred(wide, wide)["properties"]) == limits.SCHEMA_MEMBERS_MAX


_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(documents=st.lists(_DOCUMENTS, min_size=1, max_size=4))
def test_every_document_that_was_seen_fits_the_schema(documents: list[Any]) -> None:
    schema = inferred(*documents)
    assert all(fits(schema, document) for document in documents)
    assert merged(schema, documents[0]) == schema
