"""Queries that have nothing encoded are only cut, and nobody can tell."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukkal import limits
from sukkal.errors import InvalidParameter
from sukkal.transports.http.call import next_link
from sukkal.transports.http.query import Query

VALUES = st.dictionaries(st.sampled_from(("limit", "echo", "marker", "filter")), st.text(max_size=5) | st.none())


@given(st.text("ab=&;.%+2", max_size=20))
def test_a_query_is_read_as_the_standard_library_reads_it(query: str) -> None:
    try:
        pairs = parse_qsl(query, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(InvalidParameter):
            Query(query)
        return
    assert dict(Query(query)) == dict(pairs)
    assert Query(query).all_pairs() == parse_qsl(query, keep_blank_values=True, errors="strict")


@pytest.mark.parametrize("value", ["1", "%31"])
def test_a_query_has_so_many_parameters_and_no_more(value: str) -> None:
    most = [f"{number}={value}" for number in range(limits.QUERY_PARAMETERS_MAX)]
    assert len(dict(Query("&".join(most)))) == limits.QUERY_PARAMETERS_MAX
    with pytest.raises(InvalidParameter):
        Query("&".join([*most, f"more={value}"]))


@given(VALUES)
def test_the_link_to_the_next_page_repeats_what_was_given(given: dict[str, str | None]) -> None:
    link = next_link("/v2/queues", {**given, "marker": None}, "1-2")
    path, _, query = link["href"].partition("?")
    assert path == "/v2/queues"
    wanted = {name: value for name, value in given.items() if value is not None} | {"marker": "1-2"}
    assert dict(parse_qsl(query, keep_blank_values=True, errors="strict")) == wanted
    assert query.isascii()
