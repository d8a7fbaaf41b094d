"""The fan-out case: a post to some of many WebSockets, until the last of them has it, against a bare broadcast."""

import select
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.load import Address, Measured, Timer
from bench.processes import Cores, Server, broadcast_command, service_command
from bench.push_report import Push
from bench.rounds import Case, Result, Target
from bench.sockets import Crowd, frame_end, need_descriptors
from bench.wire import BenchError, UnexpectedAnswer, frame, require, status_line
from bench.workloads import delete_queues, post, queues_of

__all__ = ["FANOUT", "measure_fanout"]

FANOUT: Final = "fanout"
CONNECTED: Final = 1_000
ACTIVE: Final = 100

_PATIENCE_S: Final = 30.0
_RECEIVED_BYTES: Final = 1 << 16


class FanOut:
    """One message after the other is posted, the next when the last of the active sockets has the one before."""

    def __init__(self, name: str, *, stored: bool) -> None:
        self.queues = queues_of(name, 1)
        self._stored = stored

    def prepare(self, address: Address) -> None:
        """Need nothing: a queue comes with its first subscription."""

    def tidy(self, address: Address) -> None:
        """Begin with an empty queue again."""
        if self._stored:
            delete_queues(address, self.queues)

    def measure(
        self, address: Address, connections: int, *, seconds: float, warm_s: float, server: int | None
    ) -> Measured:
        """Measure how long it takes from the sending of a post to the last of its frames."""
        with Crowd(address) as crowd, socket.create_connection(address, timeout=_PATIENCE_S) as poster:
            crowd.grow(connections)
            audience = _Audience(poster, crowd.subscribe(self.queues[0], ACTIVE))
            request = post(self.queues[0])
            with Timer(server) as timer:
                audience.run_until(request, time.perf_counter() + warm_s)
                timer.begin()
                latencies_s = audience.run_until(request, time.perf_counter() + seconds)
                return timer.end(latencies_s)


class _Audience:
    """The active sockets, and the connection that posts to them."""

    def __init__(self, poster: socket.socket, active: Sequence[socket.socket]) -> None:
        self._poster = poster
        poster.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets = {member.fileno(): member for member in [poster, *active]}
        self._parts = dict.fromkeys(self._sockets, b"")
        self._epoll = select.epoll()
        for member in self._sockets.values():
            self._epoll.register(member, select.EPOLLIN)

    def run_until(self, request: bytes, end_s: float) -> list[float]:
        """Post again and again until a moment, and return how long each took to reach everybody."""
        latencies_s = []
        while (began_s := time.perf_counter()) < end_s:
            self._poster.sendall(request)
            latencies_s.append(self._last_frame_s() - began_s)
        return latencies_s

    def _last_frame_s(self) -> float:
        """Wait until the answer and all frames are there; return when the last frame came."""
        missing, poster, last_s = len(self._sockets), self._poster.fileno(), 0.0
        while missing:
            ready = self._epoll.poll(_PATIENCE_S, len(self._sockets))
            if not ready:
                raise BenchError(f"{missing} of {len(self._sockets)} did not come within {_PATIENCE_S:.0f} s")
            for number, _ in ready:
                data = self._parts[number] + self._sockets[number].recv(_RECEIVED_BYTES)
                end = _answer_end(data) if number == poster else frame_end(data)
                if end == len(data):
                    missing -= 1
                    data = b""
                    if number != poster:
                        last_s = time.perf_counter()
                elif not data or 0 <= end < len(data):
                    raise UnexpectedAnswer(data, "one frame for one post")
                self._parts[number] = data
        return last_s


def _answer_end(data: bytes) -> int:
    _, end = frame(data)
    if end >= 0:
        require(data, status_line(201))
    return end


def measure_fanout(directory: Path, cores: Cores, *, measure: Callable[[Sequence[Case]], list[Result]]) -> list[Push]:
    """Measure a bare broadcast, and the service with a store on disk and with one in memory."""
    directory.mkdir()
    need_descriptors(CONNECTED)

    def server(name: str, command: Sequence[str]) -> Server:
        return Server(command, core=cores.server, log=directory / f"{name}.log")

    with (
        server("broadcast", broadcast_command()) as bare,
        server("memory", service_command(None)) as memory,
        server("disk", service_command(directory / "data")) as disk,
    ):
        cases = [
            Case("broadcast", CONNECTED, Target.of(bare), FanOut("fanout", stored=False), ACTIVE),
            Case("fanout, in memory", CONNECTED, Target.of(memory), FanOut("fanout", stored=True), ACTIVE),
            Case("fanout, on disk", CONNECTED, Target.of(disk), FanOut("fanout", stored=True), ACTIVE),
        ]
        bare_result, *results = measure(cases)
    label = f"{{}}: {ACTIVE} of {CONNECTED:,} sockets"
    return [Push(label.format(each.case.name), "frames", bare_result, each) for each in results]
