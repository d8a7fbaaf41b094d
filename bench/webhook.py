"""The webhook case: deliveries to a receiver on this machine, against a bare client that posts the same bodies."""

import select
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from bench.load import Address, Measured, Timer, perform
from bench.processes import Cores, Server, caller_command, service_command
from bench.push_report import Push
from bench.rounds import Case, Result, Target
from bench.scripts import queue_path
from bench.wire import BenchError, frame, request, require, status_line
from bench.workloads import delete_queues, fill, post, queues_of
from sukkal import limits

__all__ = ["WEBHOOK", "measure_webhook"]

WEBHOOK: Final = "webhook"

_PATIENCE_S: Final = 60.0
_RECEIVED_BYTES: Final = 1 << 16
_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_POSTED_AT_ONCE: Final = 20
_FIRST_MESSAGES: Final = 500
_AHEAD: Final = 300
"""How many messages at least wait to be delivered."""


class _Receiver:
    """A subscriber that accepts everything at once. Leaving the context closes it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.received = 0
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._sockets: dict[int, socket.socket] = {}
        self._parts: dict[int, bytes] = {}
        self._answered_s: dict[int, float] = {}
        self._latencies_s: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._sockets.values()):
            each.close()
        self._epoll.close()

    def run(self, going: Callable[[], bool]) -> list[float]:
        """Receive as long as the function says so, and return how long each sender's next delivery took to come."""
        self._latencies_s = []
        while going():
            ready = self._epoll.poll(_PATIENCE_S)
            if not ready:
                raise BenchError(f"no delivery within {_PATIENCE_S:.0f} s")
            for number, _ in ready:
                if number == self._listener.fileno():
                    self._accept()
                else:
                    self._receive(number)
        return self._latencies_s

    def _accept(self) -> None:
        accepted, _ = self._listener.accept()
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[accepted.fileno()] = accepted
        self._parts[accepted.fileno()] = b""
        self._answered_s[accepted.fileno()] = time.perf_counter()
        self._epoll.register(accepted, select.EPOLLIN)

    def _receive(self, number: int) -> None:
        part = self._sockets[number].recv(_RECEIVED_BYTES)
        if not part:
            self._sockets.pop(number).close()
            return
        data = self._parts[number] + part
        _, end = frame(data)
        if end != len(data):
            self._parts[number] = data
            return
        self._parts[number] = b""
        self.received += 1
        now_s = time.perf_counter()
        self._latencies_s.append(now_s - self._answered_s[number])
        self._sockets[number].send(_ANSWER)
        self._answered_s[number] = now_s


class Calling:
    """The bare client calls the receiver until it is gone."""

    queues: Sequence[str] = ()

    def prepare(self, address: Address) -> None:
        """Need nothing."""

    def tidy(self, address: Address) -> None:
        """Leave nothing."""

    def measure(
        self, address: Address, connections: int, *, seconds: float, warm_s: float, server: int | None
    ) -> Measured:
        """Measure how many calls come."""
        with _Receiver() as receiver, Timer(server) as timer:
            _send(address, request("POST", "/", [receiver.url, connections]))
            receiver.run(_until(time.perf_counter() + warm_s))
            return timer.end(receiver.run(_until(timer.begin() + seconds)))


class Delivering:
    """The service delivers what is in a queue to its only subscriber; as many messages as were delivered are posted."""

    def __init__(self, name: str) -> None:
        self.queues = queues_of(name, 1)

    def prepare(self, address: Address) -> None:
        """Need nothing: each measurement has a subscription of its own."""

    def tidy(self, address: Address) -> None:
        """Leave nothing: each measurement deletes its queue."""

    def measure(
        self, address: Address, connections: int, *, seconds: float, warm_s: float, server: int | None
    ) -> Measured:
        """Measure how many deliveries come."""
        [queue] = self.queues
        with _Receiver() as receiver, _Supply(address, queue) as supply, Timer(server) as timer:
            options = {"_max_deliveries_at_once": connections}
            document = {"subscriber": receiver.url, "ttl": 3_600, "options": options}
            _send(address, request("POST", f"{queue_path(queue)}/subscriptions", document))
            fill(address, self.queues, _FIRST_MESSAGES)
            supply.posted = _FIRST_MESSAGES

            def going(end_s: float) -> Callable[[], bool]:
                lasts = _until(end_s)
                return lambda: supply.keep(ahead_of=receiver.received) and lasts()

            receiver.run(going(time.perf_counter() + warm_s))
            measured = timer.end(receiver.run(going(timer.begin() + seconds)))
            # What has been posted is delivered, lest it comes to the next measurement's receiver.
            receiver.run(lambda: receiver.received < supply.posted)
            delete_queues(address, self.queues)
        return measured


class _Supply:
    """Posts messages when few are left to be delivered, without waiting for the answers."""

    def __init__(self, address: Address, queue: str) -> None:
        self.posted = 0
        self._request = post(queue, _POSTED_AT_ONCE)
        self._socket = socket.create_connection(address, timeout=_PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._answer = b""
        self._waiting = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def keep(self, *, ahead_of: int) -> bool:
        """Post another lot if the messages become few and the last post is answered. Always true."""
        if self._waiting and self._poll.poll(0):
            self._answer += self._socket.recv(_RECEIVED_BYTES)
            _, end = frame(self._answer)
            if end == len(self._answer):
                require(self._answer, status_line(201))
                self._waiting, self._answer = False, b""
        if not self._waiting and self.posted - ahead_of < _AHEAD:
            self._socket.sendall(self._request)
            self.posted += _POSTED_AT_ONCE
            self._waiting = True
        return True


def _until(end_s: float) -> Callable[[], bool]:
    return lambda: time.perf_counter() < end_s


def _send(address: Address, asked: bytes) -> None:
    perform(address, [asked], lambda answer, _: require(answer, status_line(201)))


def measure_webhook(directory: Path, cores: Cores, *, measure: Callable[[Sequence[Case]], list[Result]]) -> list[Push]:
    """Measure the bare client and the service, with as many requests at once."""
    directory.mkdir()

    def server(name: str, command: Sequence[str]) -> Server:
        return Server(command, core=cores.server, log=directory / f"{name}.log")

    with (
        server("caller", caller_command()) as bare,
        server("service", service_command(directory / "data", "--webhook-allow", "127.0.0.1")) as service,
    ):
        cases = [
            case
            for at_once in (1, limits.DELIVERIES_AT_ONCE)
            for case in (
                Case("client", at_once, Target.of(bare), Calling(), 1),
                Case(WEBHOOK, at_once, Target.of(service), Delivering(f"webhook{at_once}"), 1),
            )
        ]
        results = measure(cases)
    return [
        Push(f"{WEBHOOK}: {own.case.connections} at once", "deliveries", bare, own)
        for bare, own in zip(results[::2], results[1::2], strict=True)
    ]
