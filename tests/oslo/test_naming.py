"""Each address has a queue of its own, with a name that a queue may have."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukkal.oslo import naming
from sukkal.service.names import is_queue_name

PARTS = st.text(st.sampled_from("a.b_-\u00e4" + string.digits), max_size=40)


def test_a_name_is_readable() -> None:
    assert naming.topic_queue("nova", "conductor") == "oslo1.topic.nova.conductor"
    assert naming.server_queue("nova", "compute", "host-1") == "oslo1.server.nova.compute.host-1"
    assert naming.notification_queue("nova", "versioned.info") == "oslo1.notify.nova.versioned_2einfo"


@given(PARTS, PARTS, PARTS)
def test_any_parts_make_a_name_that_a_queue_may_have(exchange: str, topic: str, server: str) -> None:
    assert is_queue_name(naming.server_queue(exchange, topic, server))
    assert is_queue_name(naming.pool_queue(exchange, topic, server))


@given(st.tuples(PARTS, PARTS, PARTS), st.tuples(PARTS, PARTS, PARTS))
def test_different_parts_make_different_names(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (naming.server_queue(*one) == naming.server_queue(*other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"), [(("a", "b.c"), ("a.b", "c")), (("a", ""), ("", "a")), (("é", ""), ("e", ""))]
)
def test_neighbours_are_told_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert naming.topic_queue(*one) != naming.topic_queue(*other)


def test_a_long_name_keeps_its_beginning_and_its_difference() -> None:
    one, other = (naming.topic_queue("exchange", "t" * 60 + end) for end in "ab")
    assert one != other
    assert ".topic.exchange.ttt" in one
    assert len(one) == len(other) == 64


def test_kinds_are_told_apart() -> None:
    makers = (naming.topic_queue, naming.fanout_queue, naming.notification_queue)
    assert len({make("a", "b") for make in makers}) == 3
