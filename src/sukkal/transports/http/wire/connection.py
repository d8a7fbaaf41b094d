"""One client's connection: requests are answered in order, and neither side gets far ahead of the other."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from math import inf
from typing import Final, cast

from sukkal.errors import SukkalError
from sukkal.transports.http.errors import error_response
from sukkal.transports.http.exchange import Response, StreamResponse, waits
from sukkal.transports.http.wire.answers import CONTINUE, LAST_CHUNK, answer, beginning, chunk
from sukkal.transports.http.wire.reader import BETWEEN, BODY, ENDED, HEAD, OFFER, Arrival, Phase, Reader
from sukkal.transports.http.wire.refusals import TOO_MANY, TOO_SLOW, Refusal
from sukkal.transports.http.wire.shared import Shared
from sukkal.transports.http.wire.turn import Turn

__all__ = ["Connection"]

_log: Final = logging.getLogger("sukkal.http")


class Connection(asyncio.Protocol):
    """A connection. The client must have sent by ``arrive_by_s`` what it began, and read on by ``read_by_s``."""

    __slots__ = (
        *("_busy", "_closing", "_last", "_leaves", "_lost", "_paused", "_read", "_reader", "_serving", "_shared"),
        *("_task", "_timed", "_transport", "_turn", "_unread", "arrive_by_s", "read_by_s"),
    )

    def __init__(self, shared: Shared) -> None:
        self.arrive_by_s = self.read_by_s = inf
        self._shared = shared
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._reader: Reader = None  # type: ignore[assignment]
        self._timed: Phase = BETWEEN
        # A handler is waited for: the answer to ``_serving``.
        self._busy = False
        self._serving: Arrival = None  # type: ignore[assignment]
        self._turn: Turn[Response] = Turn(shared.loop)
        self._task: asyncio.Task[None] | None = None
        # No request is taken after those that have come.
        self._last = False
        self._closing = False
        # The request is given up when the client goes away; others are brought to their end.
        self._leaves = False
        self._lost = False
        self._paused = False
        self._unread = False
        self._read: asyncio.Future[None] | None = None

    # -- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection, or refuse one too many."""
        self._transport = cast("asyncio.Transport", transport)
        shared = self._shared
        shared.connections.add(self)
        peer = transport.get_extra_info("peername")
        self._reader = Reader(
            str(peer[0]) if peer else "", body_bytes_max=shared.body_bytes_max, has_sockets=shared.has_sockets
        )
        if shared.crowded:
            self._refuse(TOO_MANY)
        else:
            self._time(HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection. What was begun for it goes on, unless it only waits or streams."""
        self._lost = self._closing = True
        self._shared.connections.discard(self)
        self._reader.close()
        self._reader.arrived.clear()
        self.resume_writing()
        if self._leaves or not self._busy:
            self._leave()

    def _leave(self) -> None:
        """Give up what runs, at once: an answer that came about now would be told to nobody."""
        self._leaves = False
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        reader = self._reader
        if reader.phase is not ENDED:
            reader.feed(data)
            if reader.phase is BETWEEN and reader.arrived:
                # The usual case: whole requests.
                self._proceed()
            else:
                self._heard()

    def eof_received(self) -> bool:
        """Take no more from a client that has said all; it may still read what it asked for."""
        self._last = True
        reader = self._reader
        if not reader.rest:
            reader.close()
        if self._leaves:
            self._leave()
            return False
        waits = self._busy or self._unread or reader.arrived or reader.rest
        if not waits or self._transport.get_extra_info("ssl_object") is not None:
            return False
        self._stop_the_clock()
        return True

    def pause_writing(self) -> None:
        """Wait for the client to read, but not for ever."""
        self._unread = True
        self.read_by_s = self._shared.now_s + self._shared.read_s
        self._stop_the_clock()

    def resume_writing(self) -> None:
        """Go on: the client has read, or is gone."""
        self._unread = False
        if self._read is not None and not self._read.done():
            self._read.set_result(None)
        if not self._closing:
            self.read_by_s = inf
            self._proceed()

    # -- called by the server

    def too_slow(self) -> None:
        """End a connection whose client did not send what it began, or nothing for a long time."""
        if self._timed is BETWEEN:
            self._close()
        else:
            self._refuse(TOO_SLOW)

    def abort(self) -> None:
        """End a connection whose client does not read."""
        self._transport.abort()

    def stop(self) -> None:
        """Take no more requests than the one that has begun, and close then."""
        self._last = True
        self._reader.finish()
        # Handlers are begun by the loop, not in the middle of another task.
        self._shared.loop.call_soon(self._proceed)

    def give_up(self) -> None:
        """End at once, whatever runs."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    # -- reading

    def _heard(self) -> None:
        reader = self._reader
        if reader.phase is OFFER and self._hand_over():
            return
        if reader.refusal is not None:
            self._refuse(reader.refusal)
        if reader.arrived:
            self._proceed()
        elif reader.phase is BETWEEN and not (self._busy or self._unread):
            # A blank line as well begins a request.
            self._time(HEAD)
        if reader.phase is BODY:
            self._time(BODY)
            self._say_go_on()
        elif reader.phase is HEAD:
            self._time(HEAD)

    def _proceed(self) -> None:
        """Answer what has come, as far as neither a handler nor the client has to be waited for."""
        reader = self._reader
        arrived = reader.arrived
        while arrived and not (self._busy or self._unread):
            self._begin(arrived.popleft())
        if arrived:
            self._hold()
        elif not (self._busy or self._unread or self._closing):
            if reader.phase is BETWEEN and not (reader.rest or self._paused or self._last):
                # The usual case: the client has its answer, and may ask for more.
                self._timed = BETWEEN
                self.arrive_by_s = self._shared.now_s + self._shared.keep_alive_s
            else:
                self._settle()

    def _hold(self) -> None:
        # Nobody is read far ahead of the answers.
        if not (self._paused or self._closing):
            self._paused = True
            self._transport.pause_reading()

    def _settle(self) -> None:
        """Take more of what the client has sent, or wait for it."""
        reader = self._reader
        if reader.rest:
            self._hold()
            self._shared.loop.call_soon(self._read_on)
            return
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if reader.phase is BETWEEN and not self._last:
            self._proceed()
        elif reader.phase is BODY:
            self._time(BODY)
            self._say_go_on()
        elif self._last:
            self._close()
        elif reader.phase is HEAD:
            self._time(HEAD)

    def _read_on(self) -> None:
        if not self._closing:
            self._reader.go_on()
            self._heard()

    def _hand_over(self) -> bool:
        shared, reader = self._shared, self._reader
        if self._busy or self._unread or reader.arrived or shared.handover is None:
            reader.decline()
            return False
        if (head := reader.take()) is None:
            return False
        self._closing = True
        shared.connections.discard(self)
        if self._task is not None:
            self._task.cancel()
        shared.handover.begin(self._transport, head)
        return True

    def _say_go_on(self) -> None:
        if self._reader.expects and not (self._busy or self._unread):
            self._reader.expects = False
            self._timed = BETWEEN
            self._time(BODY)
            self._transport.write(CONTINUE)

    def _time(self, phase: Phase) -> None:
        if self._timed is not phase:
            self._timed = phase
            shared = self._shared
            self.arrive_by_s = shared.now_s + (shared.headers_s if phase is HEAD else shared.body_s)

    def _stop_the_clock(self) -> None:
        self._timed = BETWEEN
        self.arrive_by_s = inf

    def _refuse(self, refusal: Refusal) -> None:
        self._reader.close()
        self._stop_the_clock()
        if self._busy or self._reader.arrived:
            # It is not the running request that is wrong, but what follows. It gets its answer, and nothing else does.
            self._last = True
        elif not self._closing:
            self._transport.write(refusal.wire)
            self._close()

    def _close(self) -> None:
        self._closing = True
        self.arrive_by_s = inf
        self.read_by_s = self._shared.now_s + self._shared.read_s
        self._reader.close()
        self._reader.arrived.clear()
        self._transport.close()

    # -- answering

    def _begin(self, arrival: Arrival) -> None:
        """Answer a request, or leave that to the task if its handler has to wait for something."""
        self._serving = arrival
        self._timed = BETWEEN
        if arrival.expects:
            self._transport.write(CONTINUE)
        request = arrival.request
        task = self._task or self._started()
        self._leaves = waits(request)
        try:
            self._turn.begin(self._shared.handler(request), task, self._ended)
        except StopIteration as ended:
            response = ended.value
            if isinstance(response, StreamResponse):
                self._turn.give(response)
            else:
                self._answer(response)
                return
        except Exception:  # noqa: BLE001 - a defect ends one connection, and is logged
            self._fail()
            return
        self._busy = True
        self.arrive_by_s = inf
        # Its task is held by nobody else, and may go on when the connection is lost.
        self._shared.working.add(self)

    def _ended(self, response: Response) -> None:
        """Answer a request whose handler had to wait, if the task has nothing to do with that."""
        if isinstance(response, StreamResponse):
            self._turn.give(response)
            return
        self._answer(response)
        self._busy = False
        self._shared.working.discard(self)
        if self._lost:
            self._leave()
        elif not self._closing:
            self._go_on()

    def _go_on(self) -> None:
        if self._reader.arrived:
            # Handlers are begun by the loop, not at the end of another one.
            self._shared.loop.call_soon(self._proceed)
        else:
            self._proceed()

    def _started(self) -> "asyncio.Task[None]":
        self._task = self._shared.loop.create_task(self._work(), context=self._turn.context)
        return self._task

    async def _work(self) -> None:
        """Bring what was begun to its end."""
        try:
            while not self._lost:
                await self._end()
                self._busy = False
                self._shared.working.discard(self)
                if self._closing:
                    return
                self._go_on()
        finally:
            self._shared.working.discard(self)

    async def _end(self) -> None:
        try:
            response = await self._turn
            if isinstance(response, StreamResponse):
                await self._stream(response)
            else:
                self._answer(response)
        except Exception:  # noqa: BLE001 - as in _begin
            self._fail()

    def _answer(self, response: Response) -> None:
        self._leaves = False
        if self._lost:
            return
        arrival = self._serving
        close = not arrival.keep or (self._last and self._is_last())
        try:
            wire = answer(self._shared.heads, response, close=close, without_body=arrival.request.method == "HEAD")
        except ValueError:
            self._fail()
            return
        self._transport.write(wire)
        if close:
            self._close()

    def _is_last(self) -> bool:
        return not self._reader.arrived and self._reader.phase is not BODY

    def _fail(self) -> None:
        _log.exception("a request failed")
        if not self._lost:
            self._serving.keep = False
            self._answer(error_response(SukkalError("The request failed. The service's log says why.")))

    async def _stream(self, response: StreamResponse) -> None:
        """Send a stream until it ends or the client goes away."""
        arrival, self._leaves = self._serving, True
        close = not arrival.keep or self._last
        headed = arrival.request.method == "HEAD"
        chunked = not (arrival.old or headed)
        try:
            if not self._lost:
                self._transport.write(beginning(self._shared.heads, response, close=close, chunked=chunked))
                if response.parts is not None and not headed:
                    await self._send(response.parts, chunked=chunked)
                if chunked:
                    self._transport.write(LAST_CHUNK)
        except Exception:  # noqa: BLE001 - a defect ends one stream, and is logged
            _log.exception("a stream failed")
            close = True
        finally:
            response.end()
        self._leaves = False
        if close:
            self._close()

    async def _send(self, parts: AsyncGenerator[bytes], *, chunked: bool) -> None:
        async with contextlib.aclosing(parts):
            async for part in parts:
                if part:
                    self._transport.write(chunk(part) if chunked else part)
                if self._unread:
                    self._read = self._shared.loop.create_future()
                    await self._read
