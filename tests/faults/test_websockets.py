"""WebSocket clients that are broken, slow or greedy, over real sockets: each gets its due, and nobody else notices."""

import base64
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.faults.test_connections import peak_memory_bytes, status, talk
from tests.serving import ServerProcess

CLIENT: Final = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
HEADERS: Final = {"Client-ID": CLIENT, "X-Project-ID": "p"}
OPENING: Final = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(b"k" * 16) + b"\r\n"
)
TEXT, CONT, BINARY, CLOSE, PING = 0x81, 0x80, 0x82, 0x88, 0x89
FIRST, NEXT = 0x01, 0x00
MANY: Final = 200
LARGE: Final = 60


@pytest.fixture(scope="module", params=["own", "uvicorn"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = f"sqlite:///{tmp_path_factory.mktemp('websockets')}/data"
    flags = ("--request-headers-timeout-s", "1", "--request-body-timeout-s", "1", "--http-server", request.param)
    with ServerProcess(store, *flags) as server:
        yield server


@pytest.fixture(autouse=True)
def unharmed(server: ServerProcess) -> Iterator[None]:
    """After each test the service answers as ever, and has nothing to say in its log."""
    yield
    while Raw.all:
        Raw.all.pop().socket.close()
    with opened(server) as connection:
        assert ask(connection, "queue_list")["headers"]["status"] == 200
    assert "Traceback" not in server.stderr, server.stderr[-3000:]


def url(server: ServerProcess, path: str = "/") -> str:
    return server.url.replace("http", "ws", 1) + path


def opened(server: ServerProcess, **options: Any) -> Connection:
    return connect(url(server), max_size=None, **options)


def frame(action: str, body: Any = None) -> str:
    return json.dumps({"action": action, "headers": HEADERS, "body": body or {}})


def ask(connection: Connection, action: str, body: Any = None) -> Any:
    connection.send(frame(action, body))
    return json.loads(connection.recv(timeout=30))


def masked(kind: int, data: bytes) -> bytes:
    """Return a frame of a client, masked with zeros."""
    size = len(data)
    if size < 126:
        head = struct.pack("!BB", kind, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", kind, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", kind, 0x80 | 127, size)
    return head + bytes(4) + data


class Raw:
    """A connection whose bytes are ours. All are closed after the test."""

    all: ClassVar[list["Raw"]] = []

    def __init__(self, server: ServerProcess) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.all.append(self)
        self.socket.sendall(OPENING + b"\r\n")
        self._bytes = b""
        while b"\r\n\r\n" not in self._bytes:
            self._bytes += self.socket.recv(65_536)
        head, _, self._bytes = self._bytes.partition(b"\r\n\r\n")
        assert status(head) == 101

    def send(self, *frames: bytes) -> None:
        self.socket.sendall(b"".join(frames))

    def send_often(self, data: bytes, times: int) -> None:
        for _ in range(times):
            self.socket.sendall(data)

    def receive(self) -> tuple[int, bytes]:
        """Return the kind of the next frame and what it carries; nothing of kind 0 once the connection is closed."""
        while True:
            if len(self._bytes) >= 2:
                size, start = self._bytes[1] & 0x7F, 2
                if size == 126:
                    size, start = struct.unpack("!H", self._bytes[2:4])[0], 4
                elif size == 127:
                    size, start = struct.unpack("!Q", self._bytes[2:10])[0], 10
                if len(self._bytes) >= start + size:
                    kind, data = self._bytes[0], self._bytes[start : start + size]
                    self._bytes = self._bytes[start + size :]
                    return kind, data
            try:
                received = self.socket.recv(65_536)
            except ConnectionResetError:
                return 0, b""
            if not received:
                return 0, b""
            self._bytes += received

    def closed(self, code: int) -> str:
        """Assert that the service closes the connection, and return the reason."""
        kind, data = self.receive()
        assert kind == CLOSE, (kind, data[:100])
        assert struct.unpack("!H", data[:2])[0] == code, data
        return data[2:].decode()


def test_a_library_connects_asks_and_leaves(server: ServerProcess) -> None:
    for path in ("/", "/v2", "/v2/"):
        with connect(url(server, path)) as connection:
            assert ask(connection, "queue_create", {"queue_name": "q"})["headers"]["status"] in (201, 204)
            assert not connection.protocol.extensions, "nothing is compressed"
    with pytest.raises(InvalidStatus) as refused:
        connect(url(server, "/v2/queues"))
    assert refused.value.response.status_code < 500


def test_http_goes_on_beside_it(server: ServerProcess) -> None:
    with opened(server):
        ping = b"GET /v2/ping HTTP/1.1\r\nHost: x\r\nClient-ID: " + CLIENT.encode() + b"\r\nX-Project-Id: p\r\n"
        assert status(talk(server, ping + b"Connection: close\r\n\r\n")) == 204


def test_a_frame_in_pieces_is_put_together(server: ServerProcess) -> None:
    raw = Raw(server)
    data = frame("queue_list").encode()
    raw.send(masked(FIRST, data[:10]), masked(PING, b"x"), masked(NEXT, data[10:20]), masked(CONT, data[20:]))
    assert raw.receive() == (0x8A, b"x")
    kind, answer = raw.receive()
    assert kind == TEXT
    assert json.loads(answer)["headers"]["status"] == 200
    for byte in masked(TEXT, data):
        raw.send(bytes([byte]))
    assert json.loads(raw.receive()[1])["headers"]["status"] == 200


def test_half_a_frame_is_waited_for_and_not_longer(server: ServerProcess) -> None:
    for half in (masked(TEXT, b"x" * 100)[:50], masked(TEXT, b"")[:1], masked(FIRST, b"{")):
        raw = Raw(server)
        raw.send(half)
        assert "within 1 seconds" in raw.closed(1008)


def test_a_client_that_stops_in_the_middle_is_forgotten(server: ServerProcess) -> None:
    raw = Raw(server)
    raw.send(masked(TEXT, b"x" * 100)[:50])
    raw.socket.close()


def test_a_frame_without_an_end_is_cut_off(server: ServerProcess) -> None:
    before = peak_memory_bytes(server)
    raw = Raw(server)
    raw.send(struct.pack("!BBQ", TEXT, 0xFF, 1 << 40), bytes(4))
    raw.closed(1009)
    raw = Raw(server)
    raw.send(masked(FIRST, b"x" * 700_000), masked(NEXT, b"x" * 700_000))
    raw.closed(1009)
    raw = Raw(server)
    raw.send(masked(FIRST, b""), *[masked(NEXT, b"")] * 10_000)
    assert "pieces" in raw.closed(1009)
    assert peak_memory_bytes(server) - before < 16 * 1_048_576


def test_a_frame_that_is_a_little_too_large_is_answered(server: ServerProcess) -> None:
    with opened(server) as connection:
        connection.send(" " * 400_000)
        assert json.loads(connection.recv(timeout=30))["headers"]["status"] == 400
        assert ask(connection, "queue_list")["headers"]["status"] == 200


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (masked(TEXT, b"\xff\xfe"), 1007),
        (masked(FIRST, b"\xc3") + masked(CONT, b"\x28"), 1007),
        (b"\x81\x02{}", 1002),
        (masked(0xF1, b"{}"), 1002),
        (masked(0x83, b""), 1002),
        (masked(CONT, b""), 1002),
        (masked(PING, b"x" * 126), 1002),
        (masked(FIRST, b"") + masked(TEXT, b""), 1002),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
    ids=[
        *("no UTF-8", "no UTF-8 in pieces", "no mask", "reserved bits", "reserved kind", "no beginning"),
        *("a large ping", "two beginnings", "HTTP"),
    ],
)
def test_what_is_not_the_protocol_ends_the_connection(server: ServerProcess, data: bytes, code: int) -> None:
    raw = Raw(server)
    raw.send(data)
    raw.closed(code)
    assert raw.receive() == (0, b"")


@pytest.mark.parametrize(
    "opening",
    [
        OPENING.replace(b"Sec-WebSocket-Key", b"X") + b"\r\n",
        OPENING.replace(b"13", b"12") + b"\r\n",
        OPENING + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
        OPENING + b"\r\n" + masked(TEXT, b"{}"),
        OPENING.replace(b"1.1", b"1.0") + b"Connection: close\r\n\r\n",
    ],
    ids=["no key", "another version", "too large", "too early", "an old HTTP"],
)
def test_a_wrong_opening_is_refused(server: ServerProcess, opening: bytes) -> None:
    assert 300 <= status(talk(server, opening)) < 500


def test_half_an_opening_is_not_waited_for(server: ServerProcess) -> None:
    assert status(talk(server, OPENING)) == 408


def test_a_client_that_reads_nothing_is_not_read_from(server: ServerProcess) -> None:
    before = peak_memory_bytes(server)
    raw = Raw(server)
    raw.socket.settimeout(2)
    body = {"queue_name": "q", "messages": [{"body": "x" * 100_000}]}
    data = masked(TEXT, frame("message_list", {**body, "echo": 1}).encode())
    with pytest.raises(TimeoutError):
        raw.send_often(data, 1_000)
    raw.socket.close()
    assert peak_memory_bytes(server) - before < 32 * 1_048_576


def test_a_client_that_only_pings_and_reads_nothing_is_cut_off(server: ServerProcess) -> None:
    raw = Raw(server)
    with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
        raw.send_often(masked(PING, b"x" * 125) * 100, 2_000)


def test_a_listener_that_stops_reading_is_cut_off_and_the_others_hear_everything(server: ServerProcess) -> None:
    body = {"queue_name": "heard"}
    deaf = Raw(server)
    deaf.send(masked(TEXT, frame("subscription_create", body).encode()))
    assert deaf.receive()[0] == TEXT
    before = peak_memory_bytes(server)
    with opened(server) as listener, opened(server) as poster:
        assert ask(listener, "subscription_create", body)["headers"]["status"] == 201
        for number in range(LARGE):
            message = {"ttl": 60, "body": [number, "x" * 250_000]}
            assert ask(poster, "message_post", {**body, "messages": [message]})["headers"]["status"] == 201
            assert json.loads(listener.recv(timeout=30))["body"][0] == number
    kinds = [kind for kind, _ in iter(deaf.receive, (0, b""))]
    assert set(kinds) <= {TEXT, CLOSE, PING}
    assert 0 < kinds.count(TEXT) < LARGE
    assert peak_memory_bytes(server) - before < 32 * 1_048_576


def test_many_connections_each_get_their_answers(server: ServerProcess) -> None:
    connections = [opened(server, compression=None) for _ in range(MANY)]
    for number, connection in enumerate(connections):
        connection.send(frame("queue_create", {"queue_name": f"many{number}"}))
    for number, connection in enumerate(connections):
        assert json.loads(connection.recv(timeout=30))["body"] == f"Queue many{number} created."
    for connection in connections:
        connection.close()


def test_idle_connections_are_closed() -> None:
    with ServerProcess("memory://", "--websocket-idle-timeout-s", "1") as server:
        raw = Raw(server)
        assert "Nothing came" in raw.closed(1001)


def test_a_stop_answers_the_frame_at_work_and_says_goodbye(tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/data") as server:
        deaf = Raw(server)
        with opened(server) as waiting, opened(server) as idle:
            waiting.send(frame("claim_create", {"queue_name": "q", "wait": 60}))
            assert ask(idle, "message_post", {"queue_name": "r", "messages": [{"body": 1}]})["headers"]["status"] == 201
            server.terminate()
            assert json.loads(waiting.recv(timeout=30))["headers"]["status"] == 204
            for connection in (waiting, idle):
                with pytest.raises((ConnectionClosedOK, ConnectionClosedError)) as closed:
                    connection.recv(timeout=30)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1001
        assert server.wait() == 0
        deaf.socket.close()
        assert "Traceback" not in server.stderr


def test_a_port_for_websockets_alone_takes_them_and_nothing_else(tmp_path: Path) -> None:
    flags = ("--websocket-listen", "127.0.0.1:0", "--log-format", "json")
    with ServerProcess(f"sqlite:///{tmp_path}/data", *flags) as server:
        lines = [json.loads(line) for line in server.stderr.splitlines()]
        (place,) = [line["url"] for line in lines if line.get("url", "").startswith("ws://")]
        with connect(place + "/", max_size=None) as connection:
            assert ask(connection, "queue_create", {"queue_name": "q"})["headers"]["status"] == 201
        with pytest.raises(HTTPError) as refused:
            urlopen(place.replace("ws", "http", 1) + "/v2/queues", timeout=30)
        assert refused.value.code == 404
        assert "WebSockets only" in refused.value.read().decode()
        with connect(url(server), max_size=None) as connection:
            assert ask(connection, "queue_get", {"queue_name": "q"})["headers"]["status"] == 200


def test_frames_are_compressed_where_both_sides_want_that(tmp_path: Path, server: ServerProcess) -> None:
    with connect(url(server), max_size=None, compression="deflate") as connection:
        assert connection.protocol.extensions == [], "the default is not to"
    with ServerProcess(f"sqlite:///{tmp_path}/data", "--websocket-compression") as compressing:
        body = {"queue_name": "q", "messages": [{"body": "x" * 200_000}]}
        with connect(url(compressing), max_size=None, compression="deflate") as connection:
            assert [type(each).__name__ for each in connection.protocol.extensions] == ["PerMessageDeflate"]
            assert ask(connection, "message_post", body)["headers"]["status"] == 201
            assert ask(connection, "message_list", {"queue_name": "q", "echo": True})["body"]["messages"]
        with connect(url(compressing), max_size=None, compression=None) as connection:
            assert ask(connection, "message_post", body)["headers"]["status"] == 201


def test_a_small_frame_that_becomes_a_huge_one_is_refused_before_it_is_one(tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/data", "--websocket-compression") as server:
        before = peak_memory_bytes(server)
        with connect(url(server), max_size=None, compression="deflate") as connection:
            with suppress(ConnectionClosedError):
                connection.send("x" * 200_000_000)
            with pytest.raises(ConnectionClosedError) as closed:
                connection.recv(timeout=30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
        assert peak_memory_bytes(server) - before < 32 * 1_048_576
