"""Expressions: what they mean, what is refused and where, and what they may cost."""

import itertools
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.filters.expressions import EVENTS, EXPRESSIONS, TEXTS

from sukkal import limits
from sukkal.filters.cesql.evaluating import evaluator_of
from sukkal.filters.cesql.failures import BadExpression, Failure, Kind, Steps
from sukkal.filters.cesql.like import matcher_of
from sukkal.filters.cesql.parser import parse
from sukkal.filters.cesql.printing import beginnings, printed
from sukkal.filters.cesql.tree import INTEGER_MIN, Call, Constant, Node, Scalar, parts_of
from sukkal.filters.cesql.watching import evaluate
from sukkal.filters.values import Attributes

EVENT: Attributes = {"id": "1", "type": "a.b", "flag": True, "count": 7, "large": 2**40, "raw": b"ab"}


def value(text: str, event: Attributes = EVENT) -> Scalar:
    outcome = evaluate(parse(text), event)
    assert outcome.failure is None, outcome.failure
    return outcome.value


def failure(text: str, event: Attributes = EVENT) -> tuple[Scalar, Kind]:
    outcome = evaluate(parse(text), event)
    assert outcome.failure is not None
    return outcome.value, outcome.failure.kind


def answer(tree: Node, event: Attributes, steps: Steps) -> str:
    """Return what the expression yields, or what is wrong."""
    try:
        return repr(evaluator_of(tree)(event, steps))
    except Failure as failed:
        return failed.kind + failed.problem


def refusal(text: str) -> tuple[int, str]:
    with pytest.raises(BadExpression) as caught:
        parse(text)
    return caught.value.at, caught.value.problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4-1", 3),
        ("-2147483647 - 1", INTEGER_MIN),
        ("INT('-2147483648')", INTEGER_MIN),
        ("'AB' = UPPER('ab')", True),
        ("'AB' != UPPER('ab')", False),
        ("'1' = ABS(-1)", True),
        ("id = count", False),
        ("count = count", True),
        ("4 -1", 3),
        ("+5", 5),
        ("- -5", 5),
        ("-2147483648", INTEGER_MIN),
        ("007", 7),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("7 % -2", 1),
        ("10 - 2 - 3", 5),
        ("2 + 3 * 4 % 5", 4),
        ("1 < 2 = TRUE", True),
        ("1 + 1 = 2 AND 2 * 2 > 3", True),
        ("false AND true OR true", True),
        ("true OR true AND false", False),
        ("true XOR true XOR true", True),
        ("NOT type LIKE 'x%' = true", None),
        ("'ab' IN ('x', CONCAT('a', 'b'))", True),
        ("1 + 2 IN (2)", 2),
        ("'1' = 1", True),
        ("TYPE = 'a.b'", True),
        ("flag", True),
        ("flag = 'true'", True),
        ("count * 2", 14),
        ("large", str(2**40)),
        ("raw", "YWI="),
        ("1 IN ('x', 1)", True),
        ("10 = TRUE", True),
        ("'\u00e4\u00df' LIKE '__'", True),
        ("'a\nb' LIKE 'a_b'", True),
        ("UPPER('\u00df')", "SS"),
        ("TRIM('\x1f\u2003a\u00a0')", "\x1f\u2003a"),
        ("SUBSTRING('abc', -2)", "bc"),
        ("SUBSTRING('abc', 2, 0)", ""),
        ("RIGHT('abc', 0)", ""),
        ("concat_ws('-', 1, TRUE, 'x')", "1-true-x"),
        ("INT('  1') = 1", None),
    ],
)
def test_an_expression_yields_its_value(text: str, expected: Scalar | None) -> None:
    if expected is None:
        assert failure(text)[1] == Kind.CAST
    else:
        assert (type(value(text)), value(text)) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2147483647 + 1", (0, Kind.MATH)),
        ("-(-2147483648)", (0, Kind.MATH)),
        ("-2147483648 / -1", (0, Kind.MATH)),
        ("INT('2147483648')", (0, Kind.CAST)),
        ("INT('1" + "0" * 70 + "')", (0, Kind.CAST)),
        ("INT('')", (0, Kind.CAST)),
        ("INT('\u0663')", (0, Kind.CAST)),
        ("BOOL('yes')", (False, Kind.CAST)),
        ("'a' = 1", (False, Kind.CAST)),
        ("'a' != 1", (False, Kind.CAST)),
        ("'a' < 1", (False, Kind.CAST)),
        ("1 IN ('x', 2)", (False, Kind.CAST)),
        ("1 NOT IN ('x', 2)", (False, Kind.CAST)),
        ("'x' AND TRUE", (False, Kind.CAST)),
        ("NOT 'x'", (True, Kind.CAST)),
        ("NOT (NOT 10)", (False, Kind.CAST)),
        ("NOT (nothing = 1)", (False, Kind.MISSING_ATTRIBUTE)),
        ("nothing = 1 OR TRUE", (False, Kind.MISSING_ATTRIBUTE)),
        ("nothing NOT LIKE 'x'", (False, Kind.MISSING_ATTRIBUTE)),
        ("id IN (nothing, '1')", (False, Kind.MISSING_ATTRIBUTE)),
        ("CONCAT(nothing, 'x')", ("", Kind.MISSING_ATTRIBUTE)),
        ("LENGTH(LEFT('abc', -1))", (0, Kind.FUNCTION)),
        ("SUBSTRING('', 1)", ("", Kind.FUNCTION)),
        ("SUBSTRING('abc', 0, -1)", ("", Kind.FUNCTION)),
    ],
)
def test_an_expression_fails_with_a_value_and_an_error(text: str, expected: tuple[Scalar, Kind]) -> None:
    got = failure(text)
    assert (type(got[0]), *got) == (type(expected[0]), *expected)


@pytest.mark.parametrize(
    ("text", "at", "problem"),
    [
        ("", 1, "here should be a value"),
        ("  ", 3, "here should be a value"),
        ("a = ", 5, "here should be a value"),
        ("a =\n= b", 5, "here should be a value"),
        ("a b", 3, "here the expression should end"),
        ("'a''b'", 4, "here the expression should end"),
        ("(a = 1", 7, "a parenthesis is not closed before this"),
        ("a = 1)", 6, "here the expression should end"),
        ("a = 'x", 5, "the text that begins here has no closing quote"),
        ('a = "x\\"', 5, "the text that begins here has no closing quote"),
        ("a ! b", 3, "'!' is no part of the language"),
        ("\u00e4 = 1", 1, "is no part of the language"),
        ("a LIKE b", 8, "here should be the pattern of LIKE"),
        ("a NOT b", 3, "here the expression should end"),
        ("a IN 1", 6, "here should be the list of IN, in parentheses"),
        ("a IN ()", 7, "here should be a value"),
        ("a IN (1,)", 9, "here should be a value"),
        ("EXISTS 1", 8, "here should be the name of an attribute"),
        ("EXISTS 'a'", 8, "here should be the name of an attribute"),
        ("a_b = 1", 1, "here should be the name of an attribute"),
        ("x = 1 AND f1(2)", 11, "the name of a function has letters and underscores only"),
        ("a = FOO(1)", 5, "there is no function FOO"),
        ("LEFT('a')", 1, "LEFT takes 2 arguments, not 1"),
        ("SUBSTRING('a')", 1, "SUBSTRING takes 2 arguments or 3 arguments, not 1"),
        ("CONCAT_WS()", 1, "CONCAT_WS takes 1 argument or more, not 0"),
        ("a = 2147483648", 5, "the number is not between"),
        ("a = -2147483649", 5, "the number is not between"),
        ("9" * 5000, 1, "the number is not between"),
        ("a '('", 3, "here the expression should end"),
        ("a" * 8193, 8193, "it has 8193 characters, 8192 are allowed"),
        ("(" * 40 + "1" + ")" * 40, 33, "it is nested more than 32 deep"),
        ("NOT " * 40 + "TRUE", 125, "it is nested more than 32 deep"),
        ("1" + " + 1" * 40, 127, "it is nested more than 32 deep"),
        ("a OR " * 999 + "a", 3, "it has more than 1000 parts"),
    ],
)
def test_what_is_no_expression_is_refused_where_it_shows(text: str, at: int, problem: str) -> None:
    got_at, got_problem = refusal(text)
    assert problem in got_problem
    assert got_at == at


def test_long_rows_of_one_word_are_no_nesting() -> None:
    assert value(" OR ".join(["FALSE"] * 400) + " OR TRUE") is True
    assert value("(FALSE) OR " * 300 + "(TRUE)") is True
    assert value("NOT TRUE OR " * 40 + "-(-1) = 1") is True


def test_an_expression_may_be_as_large_as_the_limits_say() -> None:
    assert value("TRUE".ljust(8192)) is True
    assert value("1<0 OR " * 332 + "1 > 0") is True
    assert value("(" * 31 + "TRUE" + ")" * 31) is True
    assert value("NOT " * 30 + "TRUE") is True


BINARY: Final = ["AND", "OR", "XOR", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]
LEVELS: Final = [{"AND", "OR", "XOR"}, {"=", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "%"}]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(BINARY, BINARY)))
def test_of_two_operators_the_closer_binds_first_and_else_the_left(first: str, second: str) -> None:
    left, right = (next(place for place, level in enumerate(LEVELS) if sign in level) for sign in (first, second))
    plain, grouped = parse(f"a {first} b {second} c"), [f"(a {first} b) {second} c", f"a {first} (b {second} c)"]
    if first != second or left > 0:
        assert repr(plain) == repr(parse(grouped[left < right]))
    for text in grouped:
        assert repr(parse(printed(parse(text)))) == repr(parse(text))


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("NOT a = b", "(NOT a) = b"),
        ("NOT a LIKE 'b'", "(NOT a) LIKE 'b'"),
        ("- a * b", "(- a) * b"),
        ("a + b LIKE 'c'", "a + (b LIKE 'c')"),
        ("a * b NOT IN (c) = d", "(a * (b NOT IN (c))) = d"),
        ("a LIKE 'b' IN (c)", "(a LIKE 'b') IN (c)"),
        ("NOT EXISTS a AND b", "(NOT (EXISTS a)) AND b"),
    ],
)
def test_what_stands_before_and_after_a_value_binds_closest(text: str, grouped: str) -> None:
    assert repr(parse(text)) == repr(parse(grouped))
    assert repr(parse(printed(parse(text)))) == repr(parse(text))


@given(EXPRESSIONS)
def test_an_expression_that_is_printed_and_read_again_is_the_same(tree: Node) -> None:
    assert repr(parse(printed(tree))) == repr(tree)


@given(EXPRESSIONS, st.integers(1, 40))
def test_the_beginnings_of_all_parts_are_those_of_their_texts(tree: Node, chars_max: int) -> None:
    found = beginnings(tree, chars_max)
    parts = [tree]
    while parts:
        part = parts.pop()
        assert found[id(part)] == printed(part)[:chars_max]
        parts += parts_of(part)


def test_what_is_written_of_an_expression_is_bounded_for_each_part() -> None:
    deep = parse("NOT " * (limits.EXPRESSION_DEPTH_MAX - 4) + f"(a = '{'x' * 8_000}')")
    found = beginnings(deep, 100)
    assert len(found) == limits.EXPRESSION_DEPTH_MAX - 1
    assert max(map(len, found.values())) == 100


@given(EXPRESSIONS, EVENTS)
def test_watching_an_expression_changes_nothing(tree: Node, event: Attributes) -> None:
    watched = evaluate(tree, event)
    expected = repr(watched.value) if watched.failure is None else watched.failure.kind + watched.failure.problem
    assert answer(tree, event, Steps()) == expected


@given(EXPRESSIONS, EVENTS, st.integers(0, 60))
def test_with_fewer_steps_an_expression_yields_the_same_or_gives_up(tree: Node, event: Attributes, count: int) -> None:
    steps = Steps(count)
    few = answer(tree, event, steps)
    assert few == answer(tree, event, Steps()) if steps.left >= 0 else few.startswith(Kind.GENERIC)


@pytest.mark.parametrize(
    "text",
    ["UPPER(a)", "CONCAT(a, a, a, a, a)", "a LIKE '%b%b%'", "LEFT(TRIM(a), 100000)", "CONCAT_WS(a, a, '')", "raw = 1"],
)
def test_what_costs_too_much_ends_with_an_error(text: str) -> None:
    event: Attributes = {"a": "a" * limits.FILTER_STEPS_MAX + "b", "raw": b"a" * limits.FILTER_STEPS_MAX + b"b"}
    assert failure(text, event)[1] == Kind.GENERIC


def like_by_regular_expression(pattern: str) -> re.Pattern[str]:
    parts = [
        {"%": ".*", "_": "."}.get(symbol, re.escape(symbol[-1]))
        for symbol in re.findall(r"\\[%_]|.", pattern, re.DOTALL)
    ]
    return re.compile("".join(parts), re.DOTALL)


@given(st.text("ab_%\\\n", max_size=12), st.text("ab_%\\\n", max_size=20))
def test_like_matches_what_a_regular_expression_would(pattern: str, text: str) -> None:
    assert matcher_of(pattern)(text, Steps()) is bool(like_by_regular_expression(pattern).fullmatch(text))


def test_like_is_right_about_every_short_pattern_and_text() -> None:
    def words(letters: str, sizes: range) -> list[str]:
        return ["".join(word) for size in sizes for word in itertools.product(letters, repeat=size)]

    texts, pieces = words("ab", range(7)), words("ab_", range(1, 4))
    for pattern in [*words("ab_%", range(6)), *(f"%{one}%{two}" for one in pieces for two in pieces)]:
        matches, expected = matcher_of(pattern), like_by_regular_expression(pattern)
        wrong = [text for text in texts if matches(text, Steps()) is not bool(expected.fullmatch(text))]
        assert wrong == [], pattern


@pytest.mark.parametrize("pattern", ["%a_a_a_b%", "%" + "a_" * 100 + "b%", "%a" * 50 + "%b", "_a%a_%_a"])
def test_like_costs_so_many_steps_for_each_character_and_no_more(pattern: str) -> None:
    def spent(size: int) -> int:
        steps = Steps(10**9)
        matcher_of(pattern)("a" * size, steps)
        return 10**9 - steps.left

    assert spent(10_000) <= 40 * 10_000
    assert spent(20_000) <= 2.1 * spent(10_000)


@pytest.mark.parametrize("pattern", ["{}", "{}%", "%{}", "%{}%"])
def test_each_text_between_two_wildcards_of_a_pattern_costs_steps(pattern: str) -> None:
    steps = Steps(10**9)
    assert matcher_of(pattern.format("_a" * 1_000))("ba" * 1_000, steps)
    assert 10**9 - steps.left >= 8 * 1_000


def test_a_text_is_written_without_escapes_where_it_can_be() -> None:
    assert printed(parse("a = 'it\\'s' OR a LIKE \"b\"")) == "a = \"it's\" OR a LIKE 'b'"


@given(TEXTS)
def test_a_text_is_read_as_it_was_written(text: str) -> None:
    assert value(printed(Call("CONCAT", (Constant(text),)))) == text
