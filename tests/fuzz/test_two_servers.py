"""The service behind its own server and under uvicorn: the same bytes in, the same bytes out.

Only the ids of requests differ. What our server does better on purpose has tests of its own, and is not asked here: it
sends no `100 Continue` and no chunks to HTTP/1.0, and answers what stands before a request with a wrong body.
"""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sukkal import limits
from sukkal.app import App, running
from sukkal.settings import Settings
from sukkal.testing import FakeClock, counting_ids
from sukkal.transports.http.server import HttpServer
from tests.api.test_recorded_traffic import recorded
from tests.wired import Line, shared_of

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "15")) * 20
SETTINGS: Final = Settings(
    store="memory://", sweep_interval_s=3_600, max_messages_post_size=2_000, max_queue_metadata=2_000, cors_origins="*"
)
CLIENTS: Final = Path(__file__).parents[1] / "vectors" / "real-client-requests.jsonl"
CLIENT: Final = b"Client-ID: 6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52\r\nX-Project-Id: p\r\n"
_REQUEST_ID: Final = re.compile(rb"req-[0-9a-f-]{36}")


class Servers:
    """Two services in the same state, one behind each server."""

    def __init__(self, ours: App, theirs: App) -> None:
        self._shared = shared_of(ours.front, SETTINGS, body_bytes_max=ours.asgi.body_bytes_max)
        self._uvicorn = HttpServer(theirs.asgi, SETTINGS)
        self._uvicorn.server_state.default_headers = list(self._shared.heads.date)

    async def ask(self, *pieces: bytes) -> tuple[bytes, bytes]:
        """Send pieces on a new connection to each, one when the one before is answered; return what comes."""
        config: Any = self._uvicorn.config
        state = self._uvicorn.server_state
        protocol = config.http_protocol_class(config=config, server_state=state, app_state={})
        lines = Line(self._shared), Line(None, protocol)
        for line in lines:
            for piece in pieces:
                await line.say(piece)
                await line.quiet()
        answers = [_REQUEST_ID.sub(b"req-", line.received) + b"<closed>" * line.closed for line in lines]
        for line in lines:
            await line.leave()
            await line.quiet()
        return answers[0], answers[1]


class Pair:
    """The two, from one request to the next in the same state; begun anew after an answer that differed."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._servers = self._runner.run(self._started())

    async def _started(self) -> Servers:
        ours, theirs = [
            await self._stack.enter_async_context(running(SETTINGS, now_ms=FakeClock(), new_id=counting_ids(1)))
            for _ in range(2)
        ]
        return Servers(ours, theirs)

    def close(self) -> None:
        """Stop both."""
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def same(self, *pieces: bytes, before: bytes = b"") -> bytes:
        """Assert that both answer the same, and return it."""
        if before:
            self.same(before)
        ours, theirs = self._runner.run(self._servers.ask(*pieces))
        if ours != theirs:
            self.close()
            self._begin()
        assert ours == theirs
        return ours


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.close()


def request(method: str, path: str, body: bytes = b"", headers: bytes = CLIENT, version: bytes = b"1.1") -> bytes:
    head = b"%b %b HTTP/%b\r\nHost: x\r\n%b" % (method.encode(), path.encode(), version, headers)
    return head + (b"Content-Length: %d\r\n\r\n%b" % (len(body), body) if body else b"\r\n")


def chunked(method: str, path: str, body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    return request(method, path, headers=CLIENT + b"Transfer-Encoding: chunked\r\n") + chunks


POST: Final = b'{"messages": [{"body": 1}, {"body": {"a": [2]}, "ttl": 100}]}'
BEFORE: Final = request("POST", "/v2/queues/q/messages", POST) + request("PUT", "/v2/queues/r", b'{"a": 1}')


# -- requests as they are meant

PATHS: Final = st.sampled_from(
    [
        *("/", "/v2", "/v2/", "/v1.1", "/v2/ping", "/v2/health", "/healthz", "/openapi.json", "/nowhere", "/v3/x", "*"),
        *("/v2/queues", "/v2/queues?limit=1&detailed=true", "/v2/queues/q", "/v2/queues/%71", "/v2/queues/a%20b"),
        *("/v2/queues/q/messages", "/v2/queues/q/messages?echo=true", "/v2/queues/q/messages?pop=1", "//v2/queues"),
        *("/v2/queues/q/messages?limit=0", "/v2/queues/q/claims", "/v2/queues/q/claims?wait=0", "/v2/queues/q/stats"),
        *(
            "/v1.1/queues/q/messages",
            "/v2/queues/q/subscriptions",
            "/v2/queues/q/purge",
            "/v2/queues/q/share",
            "/v2/homes",
        ),
        *(
            "/v2/queues/q/messages/raw",
            "/v2/queues/%E2%82%AC",
            "/v2/topics/t",
            "/v2/queues/q?x#y",
            "http://x/v2/queues",
        ),
        *("/v2/queues/" + "n" * 65, "/v2/limits", "/v2/queues/r/metadata", "/v2/queues/q/messages?ids=a,b"),
    ]
)
METHODS: Final = st.sampled_from(
    ["GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "LINK"]
)
BODIES: Final = st.sampled_from(
    [
        *(b"", b"", b"{}", b"[]", b"{", b"null", b"\xff\xfe", b'{"a": 1}', b'{"ttl": 60, "grace": 60}', POST),
        *(b'{"resource_types": ["messages"]}', b'{"paths": ["messages"], "methods": ["GET"]}', b"x" * 3_000),
        b'{"messages": [{"body": "' + b"x" * 1_900 + b'"}]}',
    ]
)
HEADERS: Final = st.lists(
    st.sampled_from(
        [
            *(b"Accept: text/html\r\n", b"Accept: */*\r\n", b"Content-Type: application/json\r\n"),
            *(b"Content-Type: application/x-www-form-urlencoded\r\n", b"Origin: https://x\r\n", b"X-A: \xe4\r\n"),
            *(
                b"Client-ID: short\r\n",
                b"X-Project-Id: other\r\n",
                b"Connection: close\r\n",
                b"Connection: keep-alive\r\n",
            ),
            *(
                b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
                b"Expect: 100-continue\r\n",
                b"Idempotency-Key: k\r\n",
                b"X-B:\r\n",
            ),
            b"Access-Control-Request-Method: PUT\r\n",
        ]
    ),
    max_size=2,
).map(b"".join)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    method, path, body = draw(METHODS), draw(PATHS), draw(BODIES)
    if body and draw(st.booleans()):
        return chunked(method, path, body, draw(st.integers(1, 2_000)))
    who = CLIENT if draw(st.integers(0, 7)) else b""
    return request(method, path, body, who + draw(HEADERS))


@given(st.lists(requests(), min_size=1, max_size=4), st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_requests_are_answered_the_same_one_by_one_and_in_advance(
    pair: Pair, asked: list[bytes], in_advance: bool
) -> None:
    pair.same(*([b"".join(asked)] if in_advance else asked), before=BEFORE)


@given(requests(), st.lists(st.integers(0, 3_000), max_size=5))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_request_in_pieces_is_answered_the_same(pair: Pair, asked: bytes, places: list[int]) -> None:
    at = sorted({0, len(asked), *(place % len(asked) for place in places)})
    pair.same(*(asked[begin:end] for begin, end in pairwise(at)), before=BEFORE)


# -- and as they are not

PIECES: Final = st.sampled_from(
    [
        *(
            b"GET ",
            b"/v2/ping",
            b" HTTP/1.1",
            b" HTTP/1.0",
            b"\r\n",
            b"\n",
            b"\r",
            b"\x00",
            b"\xff",
            b": ",
            b" ",
            b"Host",
        ),
        *(b"Content-Length: 2\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"{}", b"0\r\n\r\n"),
        *(
            b"Content-Length: 99999999\r\n",
            b"X: y\r\n",
            b" folded\r\n",
            CLIENT,
            b"2\r\n{}\r\n",
            b"PUT /v2/queues/z HTTP/1.1\r\n",
        ),
        *(b"Connection: close\r\n", b"CONNECT x:1 HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n"),
    ]
)


@given(st.lists(PIECES | st.binary(max_size=6), max_size=12).map(b"".join))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_may_be_no_request_is_answered_the_same(pair: Pair, stream: bytes) -> None:
    head, blank, rest = stream.partition(b"\r\n\r\n")
    # What follows a whole request is another matter, see above.
    pair.same(head + blank + (rest if b"ength" in head or b"hunked" in head else b""))


# -- as they were recorded


@pytest.mark.parametrize(
    ("file", "begins", "version"), [("probe_v1.1.txt", "GET http", "v1.1"), ("probe4.txt", "## queue misc", "v2")]
)
def test_recorded_requests_are_answered_the_same(pair: Pair, file: str, begins: str, version: str) -> None:
    exchanges = list(recorded(file, begins=begins))
    asked = [
        request(each.method, f"/{version}{each.path}".replace(" ", "%20"), each.body.encode()) for each in exchanges
    ]
    answer = pair.same(*asked)
    assert answer.count(b"HTTP/1.1 ") >= len(asked) - 1


def test_requests_of_real_clients_are_answered_the_same(pair: Pair) -> None:
    asked = []
    for line in CLIENTS.read_text("utf-8").splitlines():
        each = json.loads(line)
        headers = {"Host": "x", **each["headers"]}
        body = b"" if each["body"] is None else json.dumps(each["body"]).encode()
        given_ = {name: text for name, text in headers.items() if name.lower() not in ("content-length", "connection")}
        head = b"".join(b"%b: %b\r\n" % (name.encode(), text.encode()) for name, text in given_.items())
        asked.append(request(each["method"], each["path"], body, head))
    assert pair.same(*asked).count(b"HTTP/1.1 ") == len(asked)


def test_sizes_at_their_limits_are_answered_the_same(pair: Pair) -> None:
    most, drained = SETTINGS.max_messages_post_size, limits.BODY_DRAIN_BYTES_MAX
    for size in (most, most + 1, most + drained, most + drained + 1):
        pair.same(request("POST", "/v2/queues/q/messages", b"x" * size) + request("GET", "/v2/ping"))
        if size <= most + drained:
            # Of what is larger it is chance how much uvicorn has read when it is looked at.
            pair.same(chunked("POST", "/v2/queues/q/messages", b"x" * size, 60_000))
    for size in (limits.REQUEST_HEADER_BYTES_MAX - 300, limits.REQUEST_HEADER_BYTES_MAX + 1):
        pair.same(request("GET", "/v2/ping", headers=CLIENT + b"X: %b\r\n" % (b"a" * size)))
        pair.same(request("GET", "/" + "a" * size))
