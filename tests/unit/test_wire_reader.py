"""Reading requests from bytes: the same from any pieces, and nothing that another reader could read otherwise."""

import json
from itertools import pairwise
from typing import Final, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sukkal import limits
from sukkal.transports.http.wire.reader import BETWEEN, BODY, ENDED, HEAD, OFFER, Arrival, Reader

BODY_BYTES_MAX: Final = 1_000
HOST: Final = b"Host: x\r\n"
GET: Final = b"GET /v2/ping HTTP/1.1\r\n" + HOST
POST: Final = b"POST /v2/queues/q/messages HTTP/1.1\r\n" + HOST
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE: Final = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


class Found(NamedTuple):
    """What was read: the requests, how they are to be answered, and how it ended."""

    arrived: list[Arrival]
    refused: int | None
    phase: str
    expects: bool
    offers: int


def read(*pieces: bytes) -> Found:
    """Read pieces as a connection does that answers at once and declines every offer."""
    reader = Reader("192.0.2.1", body_bytes_max=BODY_BYTES_MAX, has_sockets=lambda path: path == "/")
    arrived: list[Arrival] = []
    offers = 0
    for piece in pieces:
        reader.feed(piece)
        while True:
            if reader.phase is OFFER:
                offers += 1
                reader.decline()
            arrived += reader.arrived
            reader.arrived.clear()
            if not reader.rest or reader.phase is ENDED:
                break
            reader.go_on()
    refused = reader.refusal.status if reader.refusal else None
    return Found(arrived, refused, reader.phase, reader.expects, offers)


def one(request: bytes) -> Arrival:
    """Return the request that the bytes are, and nothing else."""
    found = read(request)
    assert found.refused is None
    (arrival,) = found.arrived
    return arrival


def test_a_request_arrives_with_all_that_was_sent() -> None:
    arrival = one(
        b"PUT /v2/queues/a%20b?x=%20&y HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a:  2\r\nContent-Length: 2\r\n\r\n{}"
    )
    request = arrival.request
    assert (request.method, request.path, request.query) == ("PUT", "/v2/queues/a b", "x=%20&y")
    assert request.headers == {b"host": b"x", b"x-a": b"2", b"content-length": b"2"}
    assert list(request.sent)[1:3] == [(b"x-a", b"1"), (b"x-a", b"2")]
    assert (request.body, request.peer) == (b"{}", "192.0.2.1")
    assert (arrival.keep, arrival.old, arrival.expects) == (True, False, False)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", ""),
        (b"/a?b?c", "/a", "b?c"),
        (b"/a#b?c", "/a", ""),
        (b"//host/a?b", "//host/a", "b"),
        (b"http://host:80/a?b", "/a", "b"),
        (b"/%E2%82%AC%2f", "/\u20ac/", ""),
        (b"*", "*", ""),
    ],
)
def test_a_target_is_its_path_and_its_query(target: bytes, path: str, query: str) -> None:
    request = one(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n").request
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize("target", [b"http://host", b"host:80", b"?a", b"/\xff", b"/\x00", b"/a b", b""])
def test_what_is_no_target_is_refused(target: bytes) -> None:
    assert read(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n").refused == 400


@pytest.mark.parametrize(
    ("request_", "keep", "old"),
    [
        (GET + b"\r\n", True, False),
        (GET + b"Connection: keep-alive\r\n\r\n", True, False),
        (GET + b"Connection: close\r\n\r\n", False, False),
        (GET + b"Connection: x, Close\r\n\r\n", False, False),
        (GET.replace(b"1.1", b"1.0") + b"\r\n", False, True),
        (GET.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n\r\n", False, True),
    ],
)
def test_a_connection_is_kept_unless_the_client_says_otherwise_or_is_old(
    request_: bytes, keep: bool, old: bool
) -> None:
    arrival = one(request_)
    assert (arrival.keep, arrival.old) == (keep, old)


SMUGGLING: Final = [
    pytest.param(POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="both lengths"),
    pytest.param(POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", id="both, other order"),
    pytest.param(POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", id="two lengths"),
    pytest.param(POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", id="the same length twice"),
    pytest.param(POST + b"Content-Length: 2, 2\r\n\r\n{}", id="a list of lengths"),
    pytest.param(POST + b"Content-Length: +2\r\n\r\n{}", id="a signed length"),
    pytest.param(POST + b"Content-Length: -1\r\n\r\n{}", id="a negative length"),
    pytest.param(POST + b"Content-Length: 0x2\r\n\r\n{}", id="a hexadecimal length"),
    pytest.param(POST + b"Content-Length: 2 3\r\n\r\n{}", id="a length with a blank"),
    pytest.param(POST + b"Content-Length: 99999999999999999999999\r\n\r\n", id="a length beyond all numbers"),
    pytest.param(POST + b"Content-Length : 2\r\n\r\n{}", id="a blank before the colon"),
    pytest.param(POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", id="a blank before the other colon"),
    pytest.param(POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="chunked is not the last"),
    pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="an unknown coding"),
    pytest.param(POST + b"Transfer-Encoding: identity\r\n\r\n{}", id="identity"),
    pytest.param(POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", id="two codings"),
    pytest.param(POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", id="a strange blank"),
    pytest.param(GET + b" X-A: folded\r\n\r\n", id="a folded header"),
    pytest.param(GET + b"X-A: 1\r\n\tfolded\r\n\r\n", id="a header folded by a tab"),
    pytest.param(GET.replace(b"\r\n", b"\n") + b"\n", id="bare line feeds"),
    pytest.param(GET + b"X-A: 1\nX-B: 2\r\n\r\n", id="a bare line feed"),
    pytest.param(GET + b"X-A: 1\rX-B: 2\r\n\r\n", id="a bare carriage return"),
    pytest.param(GET + b"X-A: 1\r\n\n", id="a bare line feed at the end"),
    pytest.param(GET + b"X-A: \x00\r\n\r\n", id="a NUL in a value"),
    pytest.param(GET + b"X\x00A: 1\r\n\r\n", id="a NUL in a name"),
    pytest.param(GET + b": 1\r\n\r\n", id="no name"),
    pytest.param(GET + b"X A: 1\r\n\r\n", id="a blank in a name"),
    pytest.param(GET + b"X-A\r\n\r\n", id="no colon"),
    pytest.param(b"GET /v2/ping HTTP/1.2\r\nHost: x\r\n\r\n", id="an unknown version"),
    pytest.param(b"GET /v2/ping HTTP/11\r\nHost: x\r\n\r\n", id="half a version"),
    pytest.param(b"get /v2/ping HTTP/1.1\r\nHost: x\r\n\r\n", id="a method in small letters"),
    pytest.param(POST + CHUNKED + b"zz\r\n", id="no size of a chunk"),
    pytest.param(POST + CHUNKED + b"-1\r\n\r\n", id="a negative size of a chunk"),
    pytest.param(POST + CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", id="a hexadecimal sign"),
    pytest.param(POST + CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n", id="a blank behind the size of a chunk"),
    pytest.param(POST + CHUNKED + b"2\n{}\r\n0\r\n\r\n", id="a bare line feed behind the size of a chunk"),
    pytest.param(POST + CHUNKED + b"1\r\n{}\r\n0\r\n\r\n", id="a chunk longer than its size"),
    pytest.param(POST + CHUNKED + b"fffffffffffffffff\r\n", id="a chunk beyond all numbers"),
    pytest.param(POST + CHUNKED + b"0\r\nX A: 1\r\n\r\n", id="a wrong trailer"),
    pytest.param(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", id="a tunnel"),
]


@pytest.mark.parametrize("request_", SMUGGLING)
def test_what_two_readers_could_read_in_two_ways_is_refused(request_: bytes) -> None:
    found = read(request_ + GET + b"\r\n")
    assert found.refused == 400
    assert found.arrived == [], "nothing behind it is served"
    assert found.phase == ENDED


def test_trailers_and_extensions_go_nowhere() -> None:
    body = b"2;x=y\r\n{}\r\n0\r\nX-Project-Id: theirs\r\n\r\n"
    found = read(POST + CHUNKED + body + GET + b"\r\n")
    first, second = found.arrived
    assert first.request.body == b"{}"
    assert b"x-project-id" not in first.request.headers
    assert b"x-project-id" not in second.request.headers
    assert (b"x-project-id", b"theirs") not in second.request.sent


def test_a_body_that_is_a_little_too_large_is_dropped_and_the_connection_kept() -> None:
    size = BODY_BYTES_MAX + limits.BODY_DRAIN_BYTES_MAX
    for head, body in (
        (b"Content-Length: %d\r\n\r\n" % size, b"x" * size),
        (CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)),
    ):
        first, second = read(POST + head + body + GET + b"\r\n").arrived
        assert (first.request.body, first.keep) == (None, True)
        assert second.request.method == "GET"


def test_a_body_far_too_large_is_not_waited_for() -> None:
    size = BODY_BYTES_MAX + limits.BODY_DRAIN_BYTES_MAX + 1
    for head, body in (
        (b"Content-Length: %d\r\n\r\n" % size, b""),
        (CHUNKED, b"%x\r\n%b" % (size, b"x" * size)),
    ):
        found = read(POST + head + body)
        (arrival,) = found.arrived
        assert (arrival.request.body, arrival.keep, found.phase) == (None, False, ENDED)


def test_a_head_may_have_so_many_bytes_and_no_more() -> None:
    most = limits.REQUEST_HEADER_BYTES_MAX
    used = len(b"/v2/ping") + len(b"hostx") + len(b"x-a")
    assert read(GET + b"X-A: " + b"a" * (most - used) + b"\r\n\r\n").refused is None
    assert read(GET + b"X-A: " + b"a" * (most - used + 1) + b"\r\n\r\n").refused == 431
    assert read(b"GET /" + b"a" * most + b" HTTP/1.1\r\n\r\n").refused == 431


@pytest.mark.parametrize(
    "endless",
    [
        GET + b"X: " + b"a" * 200_000,
        b"GET /" + b"a" * 200_000,
        GET + b"X: y\r\n" * 40_000,
        b"\r\n" * 100_000,
        POST + CHUNKED + b"0\r\n" + b"X: y\r\n" * 40_000,
        POST + CHUNKED + b"1;" + b"a" * 200_000,
    ],
    ids=["a value", "a target", "headers", "blank lines", "trailers", "an extension"],
)
def test_what_has_no_end_is_refused_before_it_is_kept(endless: bytes) -> None:
    assert read(endless).refused == 431
    assert read(*[endless[at : at + 100] for at in range(0, len(endless), 100)]).refused == 431


def test_a_client_may_wait_to_be_told_to_send_a_body() -> None:
    head = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    found = read(head)
    assert (found.expects, found.phase) == (True, BODY)
    (arrival,) = read(head + b"{}").arrived
    assert arrival.expects
    assert not read(head.replace(b"1.1", b"1.0")).expects
    assert not one(POST + b"Expect: x\r\nContent-Length: 2\r\n\r\n{}").expects


def test_an_offer_that_is_declined_leaves_a_request_with_its_body() -> None:
    for protocol in (b"h2c", b"websocket"):
        offer = b"Connection: Upgrade\r\nUpgrade: %b\r\n" % protocol
        first, second = read(POST + offer + b"Content-Length: 2\r\n\r\n{}" + GET + b"\r\n").arrived
        assert first.request.body == b"{}"
        assert b"upgrade" not in first.request.headers
        assert second.request.method == "GET"


def test_only_a_good_request_for_a_websocket_is_an_offer() -> None:
    good = b"GET / HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"\r\n"
    assert read(good).offers == 1
    for wrong in (
        good.replace(b"GET", b"POST"),
        good.replace(b"GET / ", b"GET /other "),
        good.replace(b"HTTP/1.1", b"HTTP/1.0"),
        good.replace(b"websocket", b"h2c"),
    ):
        found = read(wrong)
        assert found.offers == 0
        assert len(found.arrived) == 1


def test_an_offer_is_taken_with_its_head_and_nothing_else() -> None:
    good = b"GET /?a HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"\r\n"
    reader = Reader("", body_bytes_max=0, has_sockets=lambda path: path == "/")
    reader.feed(good)
    assert reader.take() == b"GET /?a HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"
    assert reader.phase is ENDED
    for more, status in ((b"\x81\x80", 400), (b"X: " + b"a" * 40_000 + b"\r\n\r\n", 431)):
        reader = Reader("", body_bytes_max=0, has_sockets=lambda path: path == "/")
        reader.feed(good[:-2] + more if status == 431 else good + more)
        assert reader.take() is None
        assert reader.refusal is not None
        assert reader.refusal.status == status


def test_many_requests_at_once_wait_to_be_read() -> None:
    reader = Reader("", body_bytes_max=0, has_sockets=lambda path: False)
    reader.feed((GET + b"\r\n") * 10_000)
    assert reader.rest
    assert len(reader.arrived) < 1_000
    count = 0
    while reader.arrived:
        count += len(reader.arrived)
        reader.arrived.clear()
        reader.go_on()
    assert count == 10_000


def test_it_says_where_in_a_request_it_is() -> None:
    head, length = POST[:10], POST + b"Content-Length: 2\r\n\r\n"
    for sent, phase in ((b"", BETWEEN), (head, HEAD), (length, BODY), (length + b"{", BODY), (length + b"{}", BETWEEN)):
        assert read(sent).phase == phase


# -- any bytes, in any pieces

WORDS: Final = st.sampled_from(
    [
        *(GET, POST, b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b":", b"\x00", b"\xff", b"HTTP/1.1", b"HTTP/1.0"),
        *(b"Content-Length: 2\r\n", b"Content-Length: 1200\r\n", b"Content-Length: 9999999\r\n", b"{}", b"x" * 1_200),
        *(CHUNKED, b"0\r\n\r\n", b"2\r\n{}\r\n", b"2;a=b\r\n{}\r\n", b"7fffffff\r\n", b"Connection: close\r\n"),
        *(
            b"Expect: 100-continue\r\n",
            UPGRADE,
            b"GET / HTTP/1.1\r\n",
            b"CONNECT x:1 HTTP/1.1\r\n",
            b"X: " + b"a" * 9_000,
        ),
    ]
)
STREAMS: Final = st.lists(WORDS | st.binary(max_size=20), max_size=14).map(b"".join)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[begin:end] for begin, end in pairwise(at)]


def seen(found: Found) -> object:
    return [repr(arrival) for arrival in found.arrived], *found[1:]


@given(STREAMS, st.lists(st.integers(0, 60_000), max_size=12))
@example(GET + UPGRADE + b"\r\n" + GET + b"\r\n", [1, 60, 95])
@settings(max_examples=400, deadline=None)
def test_the_pieces_make_no_difference(stream: bytes, places: list[int]) -> None:
    assert seen(read(*cut(stream, places))) == seen(read(stream))


@given(STREAMS)
@settings(max_examples=60, deadline=None)
def test_byte_by_byte_is_the_same(stream: bytes) -> None:
    assert seen(read(*(stream[at : at + 1] for at in range(len(stream))))) == seen(read(stream))


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(stream: bytes) -> None:
    found = read(stream)
    assert found.refused in (None, 400, 431)
    assert json.dumps(found.phase)
