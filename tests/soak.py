"""``make soak``: thousands of idle listeners and hundreds of busy ones, for a minute, on one service.

Every busy listener has to hear every post, in order, and every idle one nothing; what the sockets take of the service's
memory is printed. It is no part of the tests, since it wants a minute, many open files and a machine that is not busy.
"""

import argparse
import asyncio
import re
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from tests.faults.exchange import HEADERS, Connection
from tests.serving import ServerProcess

SPARE_FILES: Final = 300
ROOM: Final = 10
AT_ONCE: Final = 50
PATIENCE_S: Final = 60
# A socket that costs more than this has become another thing than it was.
IDLE_KIB_MAX: Final = 64
QUEUE: Final = "soak"
QUIET_QUEUE: Final = "quiet"
OPENING: Final = (
    b"GET / HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
TEXT, PING, PONG = 0x81, 0x89, 0x8A


class Options(NamedTuple):
    """How many sockets there are of each kind, and for how long is posted."""

    idle: int
    busy: int
    seconds: int


class Listener(asyncio.Protocol):
    """A WebSocket that subscribes when it is open, answers pings, and notes the numbers it is told.

    ``heard`` is the last of them, ``fault`` what was not as it should be.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._bytes = b""
        self._transport: Any = None
        self.ready = asyncio.get_running_loop().create_future()
        self.heard = 0
        self.pings = 0
        self.fault = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(OPENING)

    def connection_lost(self, exc: Exception | None) -> None:
        self.fault = self.fault or f"the connection ended: {exc}"
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(self.fault))

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        if self._bytes.startswith(b"HTTP/"):
            head, end, rest = self._bytes.partition(b"\r\n\r\n")
            if not end:
                return
            self._bytes = rest
            document = {"action": "subscription_create", "headers": HEADERS, "body": {"queue_name": self._queue}}
            self._send(TEXT, msgspec.json.encode(document))
            if b" 101 " not in head:
                self._transport.abort()
        at = 0
        while (frame := _frame(self._bytes, at)) is not None:
            kind, payload, at = frame
            self._take(kind, payload)
        self._bytes = self._bytes[at:]

    def close(self) -> None:
        """Go away."""
        self._transport.abort()

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self.pings += 1
            self._send(PONG, payload)
        elif kind != TEXT:
            self.fault = self.fault or f"a frame of kind {kind:#x}: {payload[:200]!r}"
        elif not self.ready.done():
            self.ready.set_result(None)
            if b'"status":201' not in payload.replace(b" ", b""):
                self.fault = payload.decode()
        elif (found := re.search(rb'"body": ?(\d+)', payload)) and int(found[1]) == self.heard + 1:
            self.heard += 1
        else:
            self.fault = self.fault or f"{payload[:200]!r} after {self.heard}"

    def _send(self, kind: int, payload: bytes) -> None:
        # A mask of noughts leaves the text as it is.
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack("!BH", 0x80 | 126, len(payload))
        self._transport.write(bytes([kind]) + size + bytes(4) + payload)


def _frame(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    """Return the kind of the frame that begins there, what it carries, and where it ends."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size == 126:
        if len(data) < at + 4:
            return None
        size, start = struct.unpack_from("!H", data, at + 2)[0], at + 4
    if len(data) < start + size:
        return None
    return data[at], data[start : start + size], start + size


async def _open(server: ServerProcess, queue: str, count: int) -> list[Listener]:
    """Open so many listeners, some at once."""
    listeners: list[Listener] = []
    loop = asyncio.get_running_loop()
    for first in range(0, count, AT_ONCE):
        opening = [
            loop.create_connection(lambda: Listener(queue), server.host, server.port)
            for _ in range(min(AT_ONCE, count - first))
        ]
        new = [listener for _, listener in await asyncio.gather(*opening)]
        await asyncio.wait_for(asyncio.gather(*(listener.ready for listener in new)), PATIENCE_S)
        listeners += new
    return listeners


async def _post(server: ServerProcess, busy: Sequence[Listener], seconds: int) -> int:
    """Post one number after the other, never far ahead of the slowest listener, and return how many there were."""
    connection = await Connection.open(server.host, server.port)
    posts, end_s = 0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        answer = await connection.ask("POST", f"/v2/queues/{QUEUE}/messages", {"messages": [{"body": posts + 1}]})
        assert answer.status == 201, answer
        posts += 1
        await _heard(busy, posts - ROOM)
    await _heard(busy, posts)
    await connection.close()
    return posts


async def _heard(listeners: Sequence[Listener], number: int) -> None:
    """Wait until all have heard a number, or one never will."""
    async with asyncio.timeout(PATIENCE_S):
        while any(each.heard < number and not each.fault for each in listeners):  # noqa: ASYNC110 - hundreds of events
            await asyncio.sleep(0.001)


def _memory_kib(server: ServerProcess) -> int:
    (resident,) = re.findall(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{server.pid}/status").read_text(), re.MULTILINE)
    return int(resident)


async def _soak(server: ServerProcess, options: Options) -> list[str]:
    """Return what went wrong."""
    # What the first one makes the service load is no part of the others.
    warm = await _open(server, QUIET_QUEUE, 1)
    memory = [_memory_kib(server)]
    idle = await _open(server, QUIET_QUEUE, options.idle)
    memory.append(_memory_kib(server))
    busy = await _open(server, QUEUE, options.busy)
    memory.append(_memory_kib(server))
    posts = await _post(server, busy, options.seconds)
    memory.append(_memory_kib(server))
    frames, idle_kib = sum(each.heard for each in busy), (memory[1] - memory[0]) / options.idle
    print(f"{options.idle} idle sockets: {idle_kib:.1f} KiB each")
    print(f"{options.busy} busy sockets: {(memory[2] - memory[1]) / options.busy:.1f} KiB each")
    print(f"{posts} posts in {options.seconds} s: {frames} frames, {frames / options.seconds:.0f} a second")
    print(f"memory of the service: {memory[0]} KiB empty, {memory[2]} before the posts, {memory[3]} after them")
    faults = [each.fault for each in (*warm, *idle, *busy) if each.fault]
    if frames != posts * options.busy:
        faults.append(f"{posts * options.busy - frames} frames are missing")
    if told := sum(each.heard for each in idle):
        faults.append(f"idle sockets were told {told} messages")
    if idle_kib > IDLE_KIB_MAX:
        faults.append(f"an idle socket takes more than {IDLE_KIB_MAX} KiB")
    for each in (*warm, *idle, *busy):
        each.close()
    return faults


def _allow_files(count: int) -> None:
    """Let this process, and the service that it starts, open so many files. Raises ``SystemExit``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        sys.exit(f"The soak needs {count} open files and may have {hard}: see `ulimit -Hn`, or take fewer sockets.")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak and return the exit code."""
    parser = argparse.ArgumentParser(prog="make soak", description="ARGS are passed on.")
    parser.add_argument("--idle", type=int, default=5_000, help="sockets that are told nothing (default: 5000)")
    parser.add_argument("--busy", type=int, default=500, help="sockets that are told every post (default: 500)")
    parser.add_argument("--seconds", type=int, default=60, help="for how long is posted (default: 60)")
    options = Options(**vars(parser.parse_args(arguments)))
    sockets = options.idle + options.busy + 1
    _allow_files(sockets + SPARE_FILES)
    flags = [
        *("--max-connections", str(sockets + 100), "--backlog", "1024"),
        *("--max-websocket-connections", str(sockets), "--max-listeners-per-project", "0"),
    ]
    with (
        tempfile.TemporaryDirectory(prefix="sukkal-soak-") as folder,
        ServerProcess(f"sqlite:///{folder}/data", *flags, "--log-level", "warning") as server,
    ):
        faults = asyncio.run(_soak(server, options))
        if (code := server.stop()) != 0:
            faults.append(f"the service ended with {code}: {server.stderr[-2_000:]}")
    for fault in faults[:20]:
        print(f"FAULT: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
