"""Streams: what is posted to a queue as server-sent events, for browsers and curl."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import SukkalError
from sukkal.service.hearing import Heard, place_of
from sukkal.service.listening import Begun, Listeners
from sukkal.transports.http.call import Call
from sukkal.transports.http.exchange import Header, StreamResponse
from sukkal.transports.http.lens import lens_in
from sukkal.transports.http.query import Query
from sukkal.transports.rechecking import until_refused

__all__ = ["stream"]

_log: Final = logging.getLogger("sukkal.http")

_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # Proxies that collect answers before they pass them on would keep events back.
    (b"x-accel-buffering", b"no"),
)
_BEAT: Final = b":\n\n"
_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")


async def stream(call: Call) -> StreamResponse:
    """Stream what is posted."""
    query = Query(call.request.query)
    text = call.request.header(b"last-event-id") or query.text("since")
    feed, listeners, audience = _Feed(), call.services.listeners, call.services.audience
    key, since, lens = call.key, place_of(text) if text else None, lens_in(query)
    audience.enter(key.project)
    try:
        begun = await listeners.begin(key, feed.hear, feed.end, since=since, lens=lens)
    except BaseException:
        audience.leave(key.project)
        raise

    def end() -> None:
        listeners.leave(begun.ear)
        audience.leave(key.project)

    response = StreamResponse(200, headers=_HEADERS)
    response.parts = _parts(response, feed, begun, listeners)
    response.end = end
    return response


class _Feed:
    """Events on their way to one client, at most ``STREAM_UNREAD_BYTES_MAX`` of them."""

    def __init__(self) -> None:
        self._events: deque[bytes] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()
        self._ended = False

    def hear(self, heard: Heard) -> None:
        """Take a message."""
        if self._ended:
            return
        if (event := heard.frames.get(_Feed)) is None:
            id_ = f"id: {heard.place}\n" if heard.place else ""
            # In JSON a line can only end between two tokens, where a blank does as well.
            text = heard.text(positioned=True).translate(_ONE_LINE)
            event = heard.frames[_Feed] = b"%bdata: %b\n\n" % (id_.encode(), text)
        if self._bytes + len(event) > limits.STREAM_UNREAD_BYTES_MAX:
            self._events.clear()
            self.end(f"More than {limits.STREAM_UNREAD_BYTES_MAX} bytes wait to be read.")
        else:
            self.add(event)

    def end(self, reason: str) -> None:
        """Send the reason and nothing more."""
        self.add(_event("end", {"reason": reason}))
        self._ended = True

    def add(self, event: bytes) -> None:
        """Take an event as it stands."""
        if not self._ended:
            self._events.append(event)
            self._bytes += len(event)
            self._drained.clear()
            self._changed.set()

    async def drained(self) -> None:
        """Wait until the client has been sent everything."""
        await self._drained.wait()

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield the events, those that wait together as one, until the end."""
        while True:
            self._changed.clear()
            part = b"".join(self._events)
            self._events.clear()
            self._bytes = 0
            if part:
                yield part
            if not self._events:
                self._drained.set()
                if self._ended:
                    return
                await self._changed.wait()


async def _parts(response: StreamResponse, feed: _Feed, begun: Begun, listeners: Listeners) -> AsyncGenerator[bytes]:
    first: dict[str, object] = {"position": str(begun.ear.place)}
    if begun.recovered is not None:
        first["recovered"] = begun.recovered
    # Who reconnects before the first message is to go on from here.
    feed.add(b"retry: 1000\nid: %b\n%b" % (str(begun.ear.place).encode(), _event("ready", first)))
    rechecking = until_refused(response.recheck, every_s=limits.STREAM_BEAT_S)
    works = [
        asyncio.ensure_future(_until_it_fails(feed, work))
        for work in (listeners.follow(begun.ear, feed.drained), _beat(feed), rechecking)
    ]
    try:
        async for part in feed.parts():
            yield part
    finally:
        for work in works:
            work.cancel()


async def _until_it_fails(feed: _Feed, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except SukkalError as error:
        feed.end(str(error))
    except Exception:  # noqa: BLE001 - a defect ends one stream, and is logged
        _log.exception("a stream failed")
        feed.end("The service failed. Its log says why.")


async def _beat(feed: _Feed) -> None:
    """Keep the connection from looking dead."""
    while True:
        await asyncio.sleep(limits.STREAM_BEAT_S)
        feed.add(_BEAT)


def _event(name: str, document: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(document))
