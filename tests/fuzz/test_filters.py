"""Whatever is given as a filter or an expression: it is used, or refused with the documented error."""

import os
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from sukkal.errors import InvalidFilter
from sukkal.filters.explaining import explain
from sukkal.filters.matching import compiled
from sukkal.filters.reading import read_filters
from sukkal.filters.values import Attributes
from tests.filters.expressions import EVENTS, FILTERS, WRITTEN

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "15")) * 20
SIGNS: Final = "( ) , = != <> < <= > >= + - * / % AND or Xor NOT LIKE IN EXISTS TRUE false 'a' \"b\" '%_' ' \\ _ \n"
WORDS: Final = "1 2147483648 a type 9z LEFT( INT( concat( ABC( \u00e9 \x00"
PIECES: Final = st.sampled_from(f"{SIGNS} {WORDS}".split(" "))
NEARLY: Final = st.one_of(st.text(), st.lists(PIECES, max_size=30).map(" ".join), st.lists(PIECES).map("".join))
JSON: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), WRITTEN),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["exact", "prefix", "suffix", "all", "any", "not", "sql", "a", ""]), inner, max_size=2
        ),
    ),
    max_leaves=8,
)


def use(filters: Any, event: Attributes) -> None:
    """Use the filters as a request would: refusals are the only errors, and name a place that is there."""
    try:
        read = read_filters(filters)
    except InvalidFilter as refused:
        read, field, at = None, refused.field, refused.at or 1
    else:
        field, at = "filters", 1
    assert field.startswith("filters")
    assert at >= 1
    assert read is None or explain(read, event).result is compiled(read)(event)


@settings(max_examples=EXAMPLES)
@given(NEARLY, EVENTS)
def test_any_text_is_an_expression_or_is_refused_at_a_character_of_it(text: str, event: Attributes) -> None:
    use([{"sql": text}], event)


@settings(max_examples=EXAMPLES)
@given(WRITTEN, st.data(), EVENTS)
def test_an_expression_with_a_slip_of_the_pen_is_used_or_refused(
    text: str, data: st.DataObject, event: Attributes
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    use([{"sql": text[:start] + data.draw(PIECES) + text[end:]}], event)


@settings(max_examples=EXAMPLES)
@given(JSON | FILTERS, EVENTS)
def test_any_document_is_filters_or_is_refused(document: Any, event: Attributes) -> None:
    use(document, event)
