"""Server-sent events are put together however their bytes come."""

import pytest

from sukkal.client.streams import Event, EventReader

STREAM = b"id: 1.1\nevent: ready\ndata: {}\n\n: comment\n\nid: 1.2\ndata: a\ndata: \xc3\xa9\r\n\r\n"
EVENTS = [Event("1.1", "ready", "{}"), Event("1.2", "", "a\né")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pieces_of_any_size_bring_the_same_events(size: int) -> None:
    reader = EventReader()
    pieces = [STREAM[begin : begin + size] for begin in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in reader.feed(piece)] == EVENTS


def test_an_event_without_an_id_has_the_last_one() -> None:
    reader = EventReader()
    reader.feed(STREAM)
    assert reader.feed(b"event: end\ndata: {}\n\n") == [Event("1.2", "end", "{}")]


def test_an_event_that_is_not_complete_is_none() -> None:
    assert EventReader().feed(b"data: half\n") == []
