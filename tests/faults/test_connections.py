"""Clients that are broken, slow or greedy: each gets a refusal or a closed connection, and nobody else notices."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.serving import ServerProcess

CLIENT: Final = b"Host: x\r\nClient-ID: 6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52\r\nX-Project-Id: p\r\n"
MESSAGE: Final = b'{"messages": [{"body": 1}]}'
POST: Final = b"POST /v2/queues/q/messages HTTP/1.1\r\n" + CLIENT
PING: Final = b"GET /v2/ping HTTP/1.1\r\n" + CLIENT
LAST: Final = b"Connection: close\r\n"
MANY: Final = 500


@pytest.fixture(scope="module", params=["own", "uvicorn"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = f"sqlite:///{tmp_path_factory.mktemp('connections')}/data"
    flags = ("--request-headers-timeout-s", "1", "--request-body-timeout-s", "1", "--http-server", request.param)
    with ServerProcess(store, *flags) as server:
        yield server


@pytest.fixture(autouse=True)
def unharmed(server: ServerProcess) -> Iterator[None]:
    """After each test the service answers as ever, and holds what was posted and no more."""
    before = stored(server)
    yield
    assert stored(server) == before
    assert status(talk(server, PING + LAST + b"\r\n")) == 204


def stored(server: ServerProcess) -> int:
    answer = talk(server, b"GET /v2/queues/q/stats HTTP/1.1\r\n" + CLIENT + LAST + b"\r\n")
    total: int = json.loads(answer.partition(b"\r\n\r\n")[2])["messages"]["total"]
    return total


def talk(server: ServerProcess, *parts: bytes, close_half: bool = False) -> bytes:
    """Send bytes and return everything that comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            if close_half:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The server may refuse before it has read everything; what it said is still to be read.
        answer = b""
        try:
            while received := connection.recv(65_536):
                answer += received
        except ConnectionResetError:
            pass
        return answer


def peak_memory_bytes(server: ServerProcess) -> int:
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{server.pid}/status").read_text(), re.MULTILINE)
    return int(peak) * 1_024


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def drip(server: ServerProcess, beginning: bytes) -> bytes:
    """Send a beginning and then a byte now and then, and return what comes until the server closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as connection:
        try:
            connection.sendall(beginning)
            for _ in range(400):
                try:
                    if not (received := connection.recv(65_536)):
                        return answer
                    answer += received
                except TimeoutError:
                    connection.sendall(b"1")
        except ConnectionError:
            return answer
    pytest.fail("a client that goes on like this is never cut off")


def refusal(answer: bytes, expected: int, *words: str) -> None:
    assert status(answer) == expected
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert set(document) == {"title", "description"}
    for word in words:
        assert word in document["description"]


@pytest.mark.parametrize(
    "request_",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"FOO /v2/ping HTTP/1.1\r\n" + CLIENT + b"\r\n",
        b"CONNECT x:80 HTTP/1.1\r\n" + CLIENT + b"\r\n",
        b"GET /v2/queues/\xff HTTP/1.1\r\n" + CLIENT + b"\r\n",
        PING + b"A: b\x00c\r\n\r\n",
        PING + b"A b: c\r\n\r\n",
        POST + b"Content-Length: abc\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http_is_refused(server: ServerProcess, request_: bytes) -> None:
    refusal(talk(server, request_), 400)


def test_headers_that_are_too_large_are_refused(server: ServerProcess) -> None:
    for request in (
        PING + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
        PING + b"".join(b"X%d: yyyyyyyyyy\r\n" % number for number in range(4_000)) + b"\r\n",
        b"GET /v2/" + b"a" * 40_000 + b" HTTP/1.1\r\n" + CLIENT + b"\r\n",
    ):
        refusal(talk(server, request), 431, "32768")


def test_headers_without_an_end_are_cut_off(server: ServerProcess) -> None:
    answer = talk(server, PING, *[b"X: " + b"a" * 65_536] * 40)
    assert answer == b"" or status(answer) in (400, 431)


def test_a_client_that_is_slow_with_headers_or_body_is_cut_off(server: ServerProcess) -> None:
    for request in (b"", b"GET /v2/ping HTTP/1.1\r\nHost", POST + b"Content-Length: 100\r\n\r\n{"):
        refusal(talk(server, request), 408)


def test_blank_lines_do_not_stop_the_clock(server: ServerProcess) -> None:
    refusal(talk(server, b"\r\n"), 408)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(PING + b"\r\n")
        assert status(connection.recv(65_536)) == 204
        connection.sendall(b"\r\n")
        assert status(connection.recv(65_536)) == 408


@pytest.mark.parametrize("beginning", [PING + b"X: ", POST + b"Content-Length: 9999\r\n\r\n"])
def test_a_byte_now_and_then_does_not_stop_the_clock(server: ServerProcess, beginning: bytes) -> None:
    refusal(drip(server, beginning), 408)


def test_a_body_that_is_too_large_is_refused(server: ServerProcess) -> None:
    words = "Message collection size is too large. Max size 262144"
    body = b'{"messages": [{"body": "' + b"x" * 300_000 + b'"}]}'
    refusal(talk(server, POST + LAST + b"Content-Length: %d\r\n\r\n" % len(body), body), 400, words)
    refusal(talk(server, POST + b"Content-Length: 99999999999\r\n\r\n"), 400, words)
    chunks = [b"10000\r\n" + b"x" * 65_536 + b"\r\n"] * 5
    refusal(talk(server, POST + LAST + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n"), 400, words)


def test_a_body_without_an_end_is_cut_off(server: ServerProcess) -> None:
    chunks = [b"10000\r\n" + b"x" * 65_536 + b"\r\n"] * 100
    answer = talk(server, POST + b"Transfer-Encoding: chunked\r\n\r\n", *chunks)
    assert answer == b"" or status(answer) in (400, 408)


def test_a_client_that_stops_sending_in_the_middle_stores_nothing(server: ServerProcess) -> None:
    assert talk(server, POST + b"Content-Length: 100\r\n\r\n" + MESSAGE, close_half=True) == b""


def test_a_client_that_has_said_all_still_gets_its_answer(server: ServerProcess) -> None:
    assert status(talk(server, PING + b"\r\n", close_half=True)) == 204


def test_requests_sent_in_advance_are_answered_in_order(server: ServerProcess) -> None:
    names = [b"a", b"b", b"c"]
    requests = [b"PUT /v2/queues/%s HTTP/1.1\r\n" % name + CLIENT + b"\r\n" for name in names]
    answer = talk(server, b"".join(requests) + PING + LAST + b"\r\n")
    locations = [line for line in answer.split(b"\r\n") if line.startswith(b"location: ")]
    assert locations == [b"location: /v2/queues/" + name for name in names]


def test_a_malformed_request_behind_a_good_one_does_not_spoil_its_answer(server: ServerProcess) -> None:
    answer = talk(server, PING + b"\r\n" + b"GARBAGE\r\n\r\n")
    assert status(answer) == 204
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_body_longer_than_declared_is_answered_and_its_rest_is_not_stored(server: ServerProcess) -> None:
    request = b"POST /v2/queues/longer/messages HTTP/1.1\r\n" + CLIENT + b"Content-Length: %d\r\n\r\n" % len(MESSAGE)
    assert status(talk(server, request + MESSAGE + MESSAGE)) == 201
    listed = talk(server, b"GET /v2/queues/longer/messages?echo=true HTTP/1.1\r\n" + CLIENT + LAST + b"\r\n")
    assert len(json.loads(listed.partition(b"\r\n\r\n")[2])["messages"]) == 1


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_an_offer_to_change_protocols_is_declined_and_the_request_served(
    server: ServerProcess, protocol: bytes
) -> None:
    offer = b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n"
    create = b"PUT /v2/queues/%s HTTP/1.1\r\n" % protocol + CLIENT + offer + b"Content-Length: 7\r\n\r\n"
    show = b"GET /v2/queues/%s HTTP/1.1\r\n" % protocol + CLIENT + LAST + b"\r\n"
    answer = talk(server, create, b'{"a":1}', show)
    assert status(answer) == 201
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["a"] == 1


def test_what_follows_a_body_does_not_count_as_headers(server: ServerProcess) -> None:
    request = b"PUT /v2/queues/mine HTTP/1.1\r\n" + CLIENT + LAST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert status(talk(server, request + b"2\r\n{}\r\n0\r\nX-Project-Id: theirs\r\n\r\n")) == 201
    theirs = b"GET /v2/queues HTTP/1.1\r\n" + CLIENT.replace(b": p\r\n", b": theirs\r\n") + LAST + b"\r\n"
    assert json.loads(talk(server, theirs).partition(b"\r\n\r\n")[2])["queues"] == []


@pytest.mark.parametrize("endless", [b"0\r\n" + (b"X: " + b"a" * 65_000 + b"\r\n") * 500, b"1;" + b"a" * 32_500_000])
def test_what_is_neither_headers_nor_body_is_not_kept(server: ServerProcess, endless: bytes) -> None:
    before = peak_memory_bytes(server)
    answer = talk(server, POST + b"Transfer-Encoding: chunked\r\n\r\n", endless)
    assert answer == b"" or status(answer) in (400, 431)
    assert peak_memory_bytes(server) - before < 8 * 1_048_576


def test_a_body_is_asked_for_if_the_client_waits_for_that(server: ServerProcess) -> None:
    request = (
        b"POST /v2/queues/q/claims HTTP/1.1\r\n" + CLIENT + LAST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert status(connection.recv(65_536)) == 204


def test_a_chunked_body_is_read(server: ServerProcess) -> None:
    request = b"PUT /v2/queues/chunked HTTP/1.1\r\n" + CLIENT + LAST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert status(talk(server, request, b'5\r\n{"a":\r\n', b"3\r\n 1}\r\n0\r\n\r\n")) == 201
    shown = talk(server, b"GET /v2/queues/chunked HTTP/1.1\r\n" + CLIENT + LAST + b"\r\n")
    assert json.loads(shown.partition(b"\r\n\r\n")[2])["a"] == 1


def test_idle_connections_disturb_nobody() -> None:
    with ServerProcess("memory://") as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MANY)]
        assert status(talk(server, PING + LAST + b"\r\n")) == 204
        for connection in idle:
            connection.close()
        assert server.stop() == 0


def test_connections_beyond_the_limit_are_refused() -> None:
    with ServerProcess("memory://", "--max-connections", "2") as server:
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(2)]
        for connection in held:
            connection.sendall(PING + b"\r\n")
            assert status(connection.recv(65_536)) == 204
        refusal(talk(server, b""), 503, "connections")
        for connection in held:
            connection.close()


def test_a_message_is_not_lost_to_a_client_that_hung_up_while_waiting(server: ServerProcess) -> None:
    queue = b"/v2/queues/hung-up"
    wait = b"POST %s/claims?wait=30 HTTP/1.1\r\n" % queue + CLIENT + b"\r\n"
    waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
    for connection in waiting:
        connection.sendall(wait)
    for connection in waiting:
        connection.close()
    post = b"POST %s/messages HTTP/1.1\r\n" % queue + CLIENT + LAST + b"Content-Length: %d\r\n\r\n" % len(MESSAGE)
    assert status(talk(server, post + MESSAGE)) == 201
    # Whoever had taken it for a client that is gone gives it back, which this claim waits for.
    claim = b"POST %s/claims?wait=30 HTTP/1.1\r\n" % queue + CLIENT + LAST + b"\r\n"
    assert status(talk(server, claim)) == 201


def test_a_stopping_service_answers_those_who_wait_and_ends_well() -> None:
    with (
        ServerProcess("memory://") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as waiting,
    ):
        waiting.sendall(b"POST /v2/queues/q/claims?wait=60 HTTP/1.1\r\n" + CLIENT + b"\r\n")
        # A second request on the same server, answered later than the first one was read.
        assert status(talk(server, PING + LAST + b"\r\n")) == 204
        assert server.stop() == 0
        assert status(waiting.recv(65_536)) == 204


def test_a_call_whose_caller_has_gone_is_withdrawn(server: ServerProcess) -> None:
    call = b"POST /v2/queues/rpc/call?timeout=50 HTTP/1.1\r\n" + CLIENT + b"Content-Length: 10\r\n\r\n" + b'{"body":1}'
    stats = b"GET /v2/queues/rpc/stats HTTP/1.1\r\n" + CLIENT + LAST + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(call)
        until_counted(server, stats, 1)
    until_counted(server, stats, 0)


def until_counted(server: ServerProcess, stats: bytes, count: int) -> None:
    for _ in range(2_000):
        document = json.loads(talk(server, stats).partition(b"\r\n\r\n")[2])
        if document["messages"]["total"] == count:
            return
    pytest.fail(f"there are never {count} messages")
