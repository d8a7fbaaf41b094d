"""Filters pass events or not, say why, and are refused where they are wrong."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from tests.filters.expressions import EVENTS, FILTERS

from sukkal import limits
from sukkal.errors import InvalidFilter
from sukkal.filters.explaining import Explanation, explain
from sukkal.filters.matching import compiled
from sukkal.filters.reading import read_filters
from sukkal.filters.values import Attributes

EVENT: Attributes = {
    "id": "1",
    "type": "compute.instance.create.end",
    "source": "/nova/compute",
    "flag": True,
    "count": 17,
    "raw": b"ab",
}


def passes(*filters: object, event: Attributes = EVENT) -> bool:
    return compiled(read_filters(list(filters)))(event)


def refusal(*filters: object) -> str:
    with pytest.raises(InvalidFilter) as caught:
        read_filters(list(filters))
    return str(caught.value)


@pytest.mark.parametrize(
    "filter_",
    [
        {"exact": {"type": "compute.instance.create.end"}},
        {"exact": {"id": "1", "source": "/nova/compute"}},
        {"exact": {"flag": "true", "count": "17", "raw": "YWI="}},
        {"prefix": {"type": "compute.", "source": "/nova", "count": "1"}},
        {"suffix": {"type": ".end", "count": "7"}},
        {"all": [{"exact": {"id": "1"}}, {"suffix": {"type": "end"}}]},
        {"any": [{"exact": {"id": "2"}}, {"suffix": {"type": "end"}}]},
        {"not": {"exact": {"id": "2"}}},
        {"not": {"exact": {"nothing": "2"}}},
        {"not": {"sql": "nothing = 1"}},
        {"sql": "type LIKE 'compute.%' AND count > 16"},
        {"sql": "flag"},
    ],
)
def test_an_event_passes(filter_: object) -> None:
    assert passes(filter_)
    assert not passes({"not": filter_})


@pytest.mark.parametrize(
    "filter_",
    [
        {"exact": {"id": "2"}},
        {"exact": {"id": "1", "source": "/"}},
        {"exact": {"type": "COMPUTE.instance.create.end"}},
        {"exact": {"nothing": "1"}},
        {"exact": {"flag": "True"}},
        {"prefix": {"type": "instance"}},
        {"prefix": {"nothing": "1"}},
        {"suffix": {"type": "create"}},
        {"suffix": {"nothing": "1"}},
        {"all": [{"exact": {"id": "1"}}, {"suffix": {"type": "start"}}]},
        {"any": [{"exact": {"id": "2"}}, {"suffix": {"type": "start"}}]},
        {"not": {"exact": {"id": "1"}}},
        {"sql": "count > 17"},
        {"sql": "nothing = 1 OR TRUE"},
        {"sql": "count"},
    ],
)
def test_an_event_does_not_pass(filter_: object) -> None:
    assert not passes(filter_)


def test_an_event_has_to_pass_all_filters() -> None:
    assert passes()
    assert passes({"exact": {"id": "1"}}, {"prefix": {"type": "compute"}})
    assert not passes({"exact": {"id": "1"}}, {"prefix": {"type": "network"}})


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        ("type = 1", "filters[0]: a filter is an object with one member"),
        ({}, "filters[0]: a filter is an object with one member"),
        ({"exact": {"a": "1"}, "sql": "a"}, "filters[0]: a filter is an object with one member"),
        ({"regex": {"a": "1"}}, "filters[0]: 'regex' is no dialect; there are exact, prefix,"),
        ({"x" * 999: 1}, "filters[0]: '" + "x" * 79 + "... is no dialect"),
        ({"exact": "a"}, "filters[0].exact: it must be an object of one or more"),
        ({"exact": {}}, "filters[0].exact: it must be an object of one or more"),
        ({"prefix": {"": "a"}}, "filters[0].prefix: '' is no attribute name"),
        ({"prefix": {"myAttr": "a"}}, "filters[0].prefix: 'myAttr' is no attribute name"),
        ({"prefix": {"a" * 257: "a"}}, "is no attribute name, which has 1 to 256"),
        ({"suffix": {"a": ""}}, "filters[0].suffix.a: it must be a string that is not empty"),
        ({"suffix": {"a": 1}}, "filters[0].suffix.a: it must be a string that is not empty"),
        ({"suffix": {"a": "b" * 4097}}, "filters[0].suffix.a: it has 4097 characters, 4096 are allowed"),
        ({"all": []}, "filters[0].all: it must be an array of one or more filters"),
        ({"any": {"exact": {"a": "b"}}}, "filters[0].any: it must be an array of one or more filters"),
        ({"any": [{"exact": {"a": "b"}}, {"not": []}]}, "filters[0].any[1].not: a filter is an object"),
        ({"sql": 1}, "filters[0].sql: it must be an expression, which is a string"),
        ({"all": [{"sql": "a = "}]}, "filters[0].all[0].sql, character 5: here should be a value"),
        ({"sql": "LENGTH(a)"}, "filters[0].sql, character 1: it yields an integer, so no event would pass"),
        ({"sql": "'x'"}, "filters[0].sql, character 1: it yields a text, so no event would pass"),
    ],
)
def test_a_filter_that_cannot_be_used_is_refused_with_its_place(filter_: object, message: str) -> None:
    assert message in refusal(filter_)


def test_the_refusal_has_the_field_and_the_character_apart() -> None:
    with pytest.raises(InvalidFilter) as caught:
        read_filters([{"exact": {"a": "b"}}, {"sql": "a = = b"}], "subscriptions.filters")
    assert (caught.value.field, caught.value.at) == ("subscriptions.filters[1].sql", 5)
    assert caught.value.code == "invalid_filter"


@pytest.mark.parametrize("value", [None, {}, "sql", 5])
def test_filters_are_an_array(value: object) -> None:
    with pytest.raises(InvalidFilter, match="filters: it must be an array of filters"):
        read_filters(value)


def test_what_is_too_much_is_refused() -> None:
    deep: Any = {"exact": {"a": "b"}}
    for _ in range(limits.FILTER_DEPTH_MAX - 1):
        deep = {"not": deep}
    read_filters([deep])
    assert "nested more than 16 deep" in refusal({"not": deep})
    read_filters([{"exact": {"a": "b" * 4096, "c" * 256: "d"}}] * 500 + [{"all": [{"sql": "a"}]}] * 166)
    read_filters([{"exact": {"a": "b"}}] * 1000)
    read_filters([{"any": [{"sql": " OR ".join(["a"] * 997)}] * 2}])
    assert "it has 1001 filters, 1000 are allowed" in refusal(*[{"exact": {"a": "b"}}] * 1001)
    assert "more than 2500 parts in all" in refusal({"any": [{"sql": " OR ".join(["a"] * 999)}] * 3})


@given(FILTERS, EVENTS)
def test_the_explanation_comes_to_the_answer_of_matching(filters: list[Any], event: Attributes) -> None:
    read = read_filters(filters)
    assert explain(read, event).result is compiled(read)(event)


def flat(explanation: Explanation) -> list[tuple[str, object, str]]:
    own = (explanation.part, explanation.result, explanation.reason)
    return [own, *(line for part in explanation.parts for line in flat(part))]


def explained(*filters: object) -> list[tuple[str, object, str]]:
    return flat(explain(read_filters(list(filters)), EVENT))


def test_an_explanation_shows_what_was_compared() -> None:
    assert explained({"any": [{"exact": {"id": "2"}}, {"prefix": {"type": "compute", "nothing": "x"}}]}) == [
        ("all", False, "1 of 1 did not pass"),
        ("any", False, "0 of 2 passed"),
        ("exact id", False, "'1' is not '2'"),
        ("prefix", False, "1 of 2 did not pass"),
        ("prefix type", True, "'compute.instance.create.end' begins with 'compute'"),
        ("prefix nothing", False, "the event has no attribute nothing"),
    ]
    assert explained({"not": {"suffix": {"type": "start"}}})[1:] == [
        ("not", True, "the filter did not pass"),
        ("suffix type", False, "'compute.instance.create.end' does not end with 'start'"),
    ]


def test_an_explanation_follows_an_expression_into_its_parts() -> None:
    assert explained({"sql": "(count > 20 AND id = '1') OR LOWER(source) LIKE '/nova%'"})[1:] == [
        ("sql", True, "it yields true"),
        ("(count > 20 AND id = '1') OR LOWER(source) LIKE '/nova%'", True, ""),
        ("count > 20 AND id = '1'", False, ""),
        ("count > 20", False, "17 > 20"),
        ("count", 17, ""),
        ("id = '1'", None, "not looked at, as what stands before it decided"),
        ("id", None, "not looked at, as what stands before it decided"),
        ("LOWER(source) LIKE '/nova%'", True, ""),
        ("LOWER(source)", "/nova/compute", ""),
        ("source", "/nova/compute", ""),
    ]


def test_an_explanation_names_the_part_that_failed() -> None:
    assert explained({"sql": "INT(type) = 5"})[1:] == [
        ("sql", False, "an error, which never passes: 'compute.instance.create.end' is no integer of 32 bits"),
        ("INT(type) = 5", False, "a part of it has an error"),
        ("INT(type)", 0, "'compute.instance.create.end' is no integer of 32 bits"),
        ("type", "compute.instance.create.end", ""),
    ]
    assert explained({"sql": "count"})[1][2] == "it yields 17, which is neither true nor false"


def test_an_explanation_cuts_long_texts() -> None:
    event = {"a": "x" * 100_000}
    found = explain(read_filters([{"exact": {"a": "b"}}, {"sql": "a = 'b'"}, {"sql": "UPPER(a) = 'b'"}]), event)
    lines = flat(found)
    assert all(len(reason) < 200 and len(str(result)) < 100 for _, result, reason in lines)
    assert lines[-4][2] == "an error, which never passes: it takes more than the 65536 steps that are allowed"


def test_looking_further_does_not_change_the_answer() -> None:
    """Matching stops at the first filter that decides, so what comes after must not use up its steps."""
    event = {"a": "x" * 50_000}
    costly = {"sql": "UPPER(a) LIKE 'X%'"}
    filters = read_filters([{"any": [{"exact": {"a": "x" * 9}}, {"not": costly}, costly, costly]}])
    assert explain(filters, event).result is compiled(filters)(event) is False
    filters = read_filters([{"any": [costly, costly]}, {"not": {"exact": {"a": "y"}}}])
    found = explain(filters, event)
    assert found.result is compiled(filters)(event) is True
    assert [part.result for part in found.parts[0].parts] == [True, True]


def test_filters_may_be_used_for_any_number_of_events() -> None:
    matches = compiled(read_filters([{"sql": "UPPER(a) = 'X'"}]))
    assert all(matches({"a": "x"}) for _ in range(limits.FILTER_STEPS_MAX // 100))


def test_an_explanation_is_json() -> None:
    text = msgspec.json.encode(explain(read_filters([{"sql": "raw = id"}]), EVENT))
    assert json.loads(text)["parts"][0]["part"] == "sql"
