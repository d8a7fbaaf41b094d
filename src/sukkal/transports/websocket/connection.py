"""Connections: what is known of each, and the frames that wait to be sent on it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import SukkalError
from sukkal.model import QueueKey
from sukkal.service.access import Identity
from sukkal.service.consuming import Consumer
from sukkal.service.hearing import Ear
from sukkal.transports.websocket.frames import Data

__all__ = [
    "DEFECT",
    "EXPIRED",
    "GOING_AWAY",
    "LATER",
    "POLICY",
    "UNSUPPORTED",
    "Close",
    "Connection",
    "Connections",
    "Own",
]

_log: Final = logging.getLogger("sukkal.websocket")

GOING_AWAY: Final = 1001
UNSUPPORTED: Final = 1003
POLICY: Final = 1008
DEFECT: Final = 1011
LATER: Final = 1013
EXPIRED: Final = 4003

Close = tuple[int, str]
"""Why a connection ends: the code and the reason of its closing frame."""


class Own(msgspec.Struct, frozen=True):
    """A subscription of a connection to what is posted to a queue."""

    id: str
    ear: Ear
    ttl_s: int
    options: Mapping[str, Any]
    leave: Callable[[Ear], None]


class Connection:
    """One client's connection.

    Whatever part of the service has something for the client calls ``push``; it never waits. What is pushed and what
    is answered leaves in the order of the calls. Who pushes waits for ``closed`` to know when to let go.

    ``identity`` is whom the connection was authenticated as, with ``token``; ``project`` the one that it is counted
    for; ``client`` the id of the program as of its last frame. ``write`` sends the bytes of a frame if nothing holds
    them up, and says whether it did. ``binary`` is the encoding of the last frame. It is ``busy`` while a frame is
    being answered, ``waiting`` if that only waits for messages. ``own`` are its subscriptions,
    ``consumers`` what it takes from queues.
    """

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.identity: Identity | None = None
        self.token: str | None = None
        self.project: str | None = None
        self.client: str | None = None
        self.write: Callable[[bytes], bool] = _never
        self.binary = False
        self.busy = False
        self.waiting = False
        self.known = asyncio.Event()
        self.authenticated = asyncio.Event()
        self.closed = asyncio.Event()
        self.own: dict[QueueKey, Own] = {}
        self.consumers: dict[QueueKey, Consumer] = {}
        self._works: set[asyncio.Task[None]] = set()
        self._unread: deque[tuple[Data, int]] = deque()
        self._pushed: deque[tuple[Data, int]] = deque()
        self._unread_bytes = 0
        self._close: Close | None = None
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    @property
    def closing(self) -> bool:
        """Whether nothing more is taken from the client."""
        return self._close is not None or self.closed.is_set()

    def push(self, data: Data, wire: bytes = b"") -> bool:
        """Send a frame, encoded once for many, and return whether it will be unless the connection breaks.

        ``wire`` are the bytes that it has on the wire: where nothing waits before it they are written at once.

        Clients take the next frame for the answer to theirs, so nothing is sent between the two, unless the answer
        waits for messages. A client that leaves too much unread is cut off: it has to come back and ask what it missed.
        """
        if self.closing:
            return False
        held = self.busy and not self.waiting
        if wire and not held and self._drained.is_set() and self.write(wire):
            return True
        size = len(data)
        if self._unread_bytes + size > limits.WEBSOCKET_UNREAD_BYTES_MAX:
            self._unread.clear()
            self._pushed.clear()
            self.close(POLICY, f"More than {limits.WEBSOCKET_UNREAD_BYTES_MAX} bytes wait to be read.", at_once=True)
            return False
        if held:
            self._pushed.append((data, size))
            self._unread_bytes += size
            self._drained.clear()
        else:
            self._add(data, size)
        return True

    def answer(self, data: Data | None) -> None:
        """Send the answer to a frame, if it has one. One waits at most, since the next frame waits for ``drained``."""
        if not self.closed.is_set():
            if data is not None:
                self._add(data, 0)
            self._send_pushed()

    def wait(self) -> None:
        """Let pushes through although a frame is being answered: it waits for messages."""
        self.waiting = True
        self._send_pushed()

    async def drained(self) -> None:
        """Wait until nothing waits to be sent."""
        await self._drained.wait()

    def close(self, code: int, reason: str, *, at_once: bool = False) -> None:
        """End the connection after what waits to be sent and, unless ``at_once``, after the answer in the making."""
        if self._close is None:
            self._close = (code, _short(reason))
        if at_once:
            self.busy = False
        self._changed.set()

    def end(self) -> None:
        """Tell everybody that the connection has ended."""
        self.closed.set()
        self._drained.set()
        for own in self.own.values():
            own.leave(own.ear)
        self.own.clear()
        self.consumers.clear()
        for work in self._works:
            work.cancel()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin work that ends with the connection at the latest, and ends the connection if it fails."""
        task = asyncio.create_task(self._until_it_fails(work))
        self._works.add(task)
        task.add_done_callback(self._works.discard)

    async def _until_it_fails(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SukkalError as error:
            self.close(DEFECT, str(error))
        except Exception:  # noqa: BLE001 - a defect ends one connection, and is logged
            _log.exception("a connection failed")
            self.close(DEFECT, "The service failed. Its log says why.")

    def wake(self) -> None:
        """Look again at what there is to be sent."""
        self._changed.set()

    async def send_to(self, send: Callable[[Data], Awaitable[None]]) -> Close:
        """Send what there is until the connection is to end, and return why."""
        while True:
            self._changed.clear()
            while self._unread:
                data, size = self._unread.popleft()
                await send(data)
                self._unread_bytes -= size
            if not self._pushed:
                self._drained.set()
            if self._close is not None and not self.busy:
                return self._close
            await self._changed.wait()

    def _send_pushed(self) -> None:
        if self._pushed:
            self._unread.extend(self._pushed)
            self._pushed.clear()
            self._drained.clear()
            self._changed.set()

    def _add(self, data: Data, size: int) -> None:
        self._unread.append((data, size))
        self._unread_bytes += size
        self._drained.clear()
        self._changed.set()


def _never(wire: bytes) -> bool:
    return False


def _short(reason: str) -> str:
    """Return as much of a reason as a closing frame has room for."""
    return reason.encode("utf-8")[: limits.CLOSE_REASON_BYTES_MAX].decode("utf-8", errors="ignore")


class Connections:
    """The connections of this process, at most ``most``, and half of them without anybody knowing whose they are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._strangers_max = max(most // 2, 1)
        self._open: set[Connection] = set()
        self._strangers: set[Connection] = set()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._open))

    @property
    def full(self) -> bool:
        """Whether there is no room for another one."""
        return len(self._open) >= self._most

    @property
    def full_of_strangers(self) -> bool:
        """Whether there is no room for another one that does not say whose it is."""
        if len(self._strangers) >= self._strangers_max:
            self._strangers = {each for each in self._strangers if not each.known.is_set()}
        return len(self._strangers) >= self._strangers_max

    @property
    def stopping(self) -> bool:
        """Whether no more are taken."""
        return self._stopping

    def add(self, connection: Connection) -> None:
        """Take a connection in."""
        self._open.add(connection)
        if not connection.known.is_set():
            self._strangers.add(connection)

    def remove(self, connection: Connection) -> None:
        """Forget a connection, which has ended."""
        connection.end()
        self._open.discard(connection)
        self._strangers.discard(connection)

    def stop(self) -> None:
        """End all connections, each after the answer in the making, and take no more."""
        self._stopping = True
        for connection in self:
            connection.close(GOING_AWAY, "The service is stopping.")

    async def drain(self) -> None:
        """Stop, and wait until all have ended or the time for that is over."""
        self.stop()
        ends = [asyncio.ensure_future(connection.closed.wait()) for connection in self]
        if ends:
            _, late = await asyncio.wait(ends, timeout=limits.WEBSOCKET_CLOSE_S)
            for end in late:
                end.cancel()
