"""The load generator: one thread, one request at a time on each connection, as fast as the answers come.

Sockets and epoll without an event loop on top: what a request costs here bounds what can be measured.
"""

import gc
import math
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol, Self

from bench.wire import BenchError, UnexpectedAnswer, frame

__all__ = ["Address", "Load", "Measured", "Script", "Timer", "cpu_s", "measure", "perform"]

Address = tuple[str, int]

_ANSWER_BYTES: Final = 1 << 18
_PATIENCE_S: Final = 60.0
_PERFORMING_CONNECTIONS: Final = 8


class Script(Protocol):
    """What one connection does."""

    def first(self) -> bytes:
        """Return the first request; empty if there is nothing to do."""

    def next(self, answer: bytes, body_at: int) -> bytes:
        """Return the request that follows an answer; empty at the end. Raises ``BenchError`` for a wrong answer."""


class Measured(NamedTuple):
    """What happened in one timed window. Times are in seconds; ``server_cpu_s`` is 0 for a foreign server."""

    requests: int
    seconds: float
    p50_s: float
    p99_s: float
    server_cpu_s: float
    load_cpu_s: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds


class _Line:
    """One connection."""

    __slots__ = ("advance", "part", "receive", "sent_s", "socket")

    def __init__(self, address: Address, script: Script) -> None:
        self.socket = socket.create_connection(address, timeout=_PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.receive: Callable[[int], bytes] = self.socket.recv
        self.advance = script.next
        self.part = b""
        self.sent_s = 0.0

    def send(self, request: bytes, now_s: float) -> None:
        """Send a request. One that does not fit into the socket's buffer blocks until the server has read it."""
        self.sent_s = now_s
        sent = self.socket.send(request)
        if sent < len(request):
            self.socket.settimeout(_PATIENCE_S)
            self.socket.sendall(request[sent:])
            self.socket.setblocking(False)


class Load:
    """Connections that follow their scripts. Leaving the context closes them."""

    def __init__(self, address: Address, scripts: Iterable[Script]) -> None:
        self._epoll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._outstanding = 0
        self._latencies_s: list[float] = []
        for script in scripts:
            line = _Line(address, script)
            self._lines[line.socket.fileno()] = line
            self._epoll.register(line.socket, select.EPOLLIN)
            if request := script.first():
                self._outstanding += 1
                line.send(request, time.perf_counter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines.values():
            line.socket.close()
        self._epoll.close()

    def run_until(self, end_s: float) -> list[float]:
        """Go on until a moment, or until all scripts have ended, and return the latencies of the answers until then."""
        self._latencies_s = []
        while self._outstanding and time.perf_counter() < end_s:
            self._turn(proceed=True)
        return self._latencies_s

    def drain(self) -> None:
        """Send nothing more and take the answers that are still to come."""
        while self._outstanding:
            self._turn(proceed=False)

    def _turn(self, *, proceed: bool) -> None:
        clock, lines, latencies_s = time.perf_counter, self._lines, self._latencies_s
        ready = self._epoll.poll(_PATIENCE_S, len(lines))
        if not ready:
            raise BenchError(f"no answer within {_PATIENCE_S:.0f} s")
        for number, _ in ready:
            line = lines[number]
            answer = line.receive(_ANSWER_BYTES)
            now_s = clock()
            if not answer:
                raise BenchError(f"the server closed a connection in the middle of an answer: {line.part!r}")
            if line.part:
                answer = line.part + answer
            body_at, end = frame(answer)
            if end != len(answer):
                if 0 <= end < len(answer):
                    raise UnexpectedAnswer(answer, "one answer to one request")
                line.part = answer
                continue
            line.part = b""
            latencies_s.append(now_s - line.sent_s)
            request = line.advance(answer, body_at)
            if request and proceed:
                line.send(request, now_s)
            else:
                self._outstanding -= 1


class Timer:
    """Takes the time of what is measured, with the garbage collector off. ``server`` is the process that it watches."""

    def __init__(self, server: int | None) -> None:
        self._server = server
        self._began_s = self._server_s = self._load_s = 0.0

    def __enter__(self) -> Self:
        gc.collect()
        gc.disable()
        return self

    def __exit__(self, *_: object) -> None:
        gc.enable()

    def begin(self) -> float:
        """Begin the timed part, after the warm-up, and return when that was."""
        self._began_s, self._server_s, self._load_s = time.perf_counter(), cpu_s(self._server), time.process_time()
        return self._began_s

    def end(self, latencies_s: Sequence[float]) -> Measured:
        """End it and return what was measured. Raises ``BenchError`` if that is nothing."""
        took_s = time.perf_counter() - self._began_s
        server_s, load_s = cpu_s(self._server) - self._server_s, time.process_time() - self._load_s
        if not latencies_s:
            raise BenchError(f"nothing was answered in {took_s:.1f} s")
        ordered = sorted(latencies_s)
        p50_s, p99_s = (ordered[math.ceil(len(ordered) * share) - 1] for share in (0.5, 0.99))
        return Measured(len(ordered), took_s, p50_s, p99_s, server_s, load_s)


def measure(
    address: Address, scripts: Sequence[Script], *, seconds: float, warm_s: float, server: int | None
) -> Measured:
    """Run the scripts for some time after a warm-up. ``server`` is the process whose CPU time is read."""
    with Timer(server) as timer, Load(address, scripts) as load:
        load.run_until(time.perf_counter() + warm_s)
        measured = timer.end(load.run_until(timer.begin() + seconds))
        load.drain()
    return measured


def perform(address: Address, requests: Sequence[bytes], check: Callable[[bytes, int], None]) -> None:
    """Send all the requests, over a few connections, and have every answer checked. Untimed."""
    waiting = iter(requests)
    scripts = [_Performing(waiting, check) for _ in range(min(_PERFORMING_CONNECTIONS, len(requests)))]
    with Load(address, scripts) as load:
        load.run_until(math.inf)


class _Performing:
    """Takes requests from a common supply until there are none left."""

    def __init__(self, waiting: Iterator[bytes], check: Callable[[bytes, int], None]) -> None:
        self._waiting = waiting
        self._check = check

    def first(self) -> bytes:
        return next(self._waiting, b"")

    def next(self, answer: bytes, body_at: int) -> bytes:
        self._check(answer, body_at)
        return next(self._waiting, b"")


def cpu_s(process: int | None) -> float:
    """Return the CPU time that a process has used so far, of all its threads; 0 for ``None``."""
    if process is None:
        return 0.0
    # The kernel's number for "CPU clock of the process", as in clock_getcpuclockid(3).
    return time.clock_gettime((~process << 3) | 2)
