"""Expressions, events and filters drawn at random."""

import string
from typing import Any, Final

from hypothesis import strategies as st

from sukkal.filters.cesql.functions import problem_of_call
from sukkal.filters.cesql.printing import printed
from sukkal.filters.cesql.tokens import KEYWORDS
from sukkal.filters.cesql.tree import (
    INTEGER_MAX,
    INTEGER_MIN,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Exists,
    In,
    Like,
    Logic,
    Negative,
    Node,
    Not,
)

CALLS: Final = ["ABS", "BOOL", "CONCAT", "CONCAT_WS", "INT", "LEFT", "LENGTH", "LOWER", "RIGHT", "STRING", "SUBSTRING"]
NAMES: Final = st.sampled_from(["a", "b", "id", "type", "x1", "9y"])


def can_be_written(text: str) -> bool:
    try:
        printed(Constant(text))
    except ValueError:
        return False
    return True


def is_name(text: str) -> bool:
    return not text.isdigit() and text.upper() not in KEYWORDS


TEXTS: Final = st.text("ab'\"\\%_ é\n0-", max_size=8).filter(can_be_written)
INTEGERS: Final = st.one_of(
    st.integers(-3, 12), st.sampled_from([INTEGER_MIN, INTEGER_MAX]), st.integers(INTEGER_MIN, INTEGER_MAX)
)
CONSTANTS: Final = st.builds(
    Constant, st.one_of(st.booleans(), INTEGERS, TEXTS, st.sampled_from(["true", "FALSE", "12"]))
)
ATTRIBUTES: Final = st.builds(
    Attribute, st.one_of(NAMES, st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=5).filter(is_name))
)


def _larger(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(nodes, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Exists, NAMES),
        st.builds(Not, nodes),
        st.builds(Negative, nodes),
        st.builds(Logic, st.sampled_from(["AND", "OR", "XOR"]), st.lists(nodes, min_size=2, max_size=3).map(tuple)),
        st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/", "%"]), nodes, nodes),
        st.builds(Comparison, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), nodes, nodes),
        st.builds(Like, nodes, TEXTS, st.booleans()),
        st.builds(In, nodes, several, st.booleans()),
        st.builds(Call, st.sampled_from(CALLS), several).filter(
            lambda call: problem_of_call(call.name, len(call.arguments)) is None
        ),
    )


@st.composite
def expressions(draw: st.DrawFn, depth: int) -> Node:
    if depth == 0 or draw(st.booleans()):
        return draw(CONSTANTS | ATTRIBUTES)
    return draw(_larger(expressions(depth - 1)))


EXPRESSIONS: Final = expressions(3)

EVENTS: Final[st.SearchStrategy[dict[str, Any]]] = st.dictionaries(
    NAMES, st.one_of(TEXTS, INTEGERS, st.booleans(), st.binary(max_size=3), st.just(2**40)), max_size=6
)

WRITTEN: Final = EXPRESSIONS.map(printed)

_WANTED: Final = st.dictionaries(NAMES, st.text("ab0", min_size=1, max_size=2), min_size=1, max_size=2)
_SIMPLE: Final = st.one_of(
    *(st.builds(dict, st.tuples(st.tuples(st.just(name), _WANTED))) for name in ("exact", "prefix", "suffix")),
    EXPRESSIONS.map(lambda tree: {"sql": printed(Comparison("=", tree, Constant(True)))}),
)
FILTERS: Final[st.SearchStrategy[list[dict[str, Any]]]] = st.lists(
    st.recursive(
        _SIMPLE,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda several: {"all": several}),
            st.lists(inner, min_size=1, max_size=3).map(lambda several: {"any": several}),
            inner.map(lambda one: {"not": one}),
        ),
        max_leaves=5,
    ),
    max_size=3,
)
