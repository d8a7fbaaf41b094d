"""Events on a connection, by the WebSocket binding of CloudEvents.

What the client sends is posted to a queue, and what is posted to the queue is sent to the client. Both are operations
of HTTP: the request for the connection is one to listen, and each frame one to post. So whoever may do neither over
HTTP may not here, and what is refused is refused in the same words.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import BadRequest, SukkalError
from sukkal.format import Event
from sukkal.formats import cloudevents
from sukkal.formats.members import place_of_posts
from sukkal.service.hearing import Heard
from sukkal.service.listening import Begun
from sukkal.transports.http.exchange import Request, Response, SocketResponse
from sukkal.transports.http.senders import signed_part
from sukkal.transports.rechecking import until_refused
from sukkal.transports.websocket.connection import DEFECT, EXPIRED, LATER, POLICY, UNSUPPORTED, Connection, Own
from sukkal.transports.websocket.frames import Data, Pushed, pushed

__all__ = ["POSITION", "SUBPROTOCOL", "Eventful", "Front", "Refusal", "begin"]

SUBPROTOCOL: Final = "cloudevents.json"
POSITION: Final = "sukkalposition"
"""The extension attribute that says where an event stands in its queue."""

Front = Callable[[Request], Awaitable[Response]]

_READY: Final = "sukkal.listening.ready"
_FAILED_FROM: Final = 400
_DEFECT_FROM: Final = 500
_LATER: Final = (429, 503)
_OF_THE_REQUEST: Final = (b"accept", b"content-type", b"content-length")


class Refusal(Exception):
    """A request for a connection was answered by a response of HTTP."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


async def begin(
    front: Front,
    connection: Connection,
    scope: Mapping[str, Any],
    headers: Mapping[bytes, bytes],
    enter: Callable[[str], None],
) -> "Eventful":
    """Begin to listen for a client, which is counted for its project by ``enter``.

    Raises ``Refusal``, ``BadRequest`` for one that offers no events, and what ``enter`` does.
    """
    if SUBPROTOCOL not in scope.get("subprotocols", ()):
        raise BadRequest(f"Events are exchanged at this path: offer the subprotocol {SUBPROTOCOL}.")
    own = {name: value for name, value in headers.items() if name not in _OF_THE_REQUEST}
    query = scope["query_string"].decode("latin-1")
    request = Request("GET", scope["path"], query, own, peer=connection.peer, upgrades=True)
    response = await front(request)
    if not isinstance(response, SocketResponse):
        raise Refusal(response)
    enter(response.key.project)
    listeners = response.listeners
    begun = await listeners.begin(
        response.key,
        partial(_hear, connection, positioned=response.positioned),
        partial(connection.close, POLICY),
        since=response.since,
        lens=response.lens,
    )
    connection.own[response.key] = Own("", begun.ear, 0, {}, listeners.leave)
    if response.positioned:
        connection.push(_ready(begun))
    connection.start(listeners.follow(begun.ear, connection.drained))
    return Eventful(front, connection, request, response)


class Eventful:
    """Events in both directions, one in each frame. None is answered: what cannot be posted ends the connection."""

    subprotocol: Final = SUBPROTOCOL
    unanswered: Final = True

    def __init__(self, front: Front, connection: Connection, request: Request, response: SocketResponse) -> None:
        self._front = front
        self._connection = connection
        self._request = request
        self._query = signed_part(request.query)
        self._response = response

    async def answer(self, data: Data) -> tuple[None, None]:
        """Post an event."""
        if isinstance(data, bytes):
            self._connection.close(UNSUPPORTED, f"Frames of {SUBPROTOCOL} are text.")
            return None, None
        own, body = self._request, data.encode("utf-8")
        headers = {**own.headers, b"content-type": cloudevents.STRUCTURED_TYPE.encode("ascii")}
        posted = await self._front(Request("POST", own.path, self._query, headers, body, own.peer))
        if posted.status >= _FAILED_FROM:
            self._connection.close(_code(posted.status), _reason(posted))
        return None, None

    async def watch(self) -> None:
        """Ask from time to time whether the client may still listen."""
        try:
            await until_refused(self._response.recheck, every_s=limits.STREAM_BEAT_S)
        except SukkalError as error:
            self._connection.close(EXPIRED, str(error))


def _hear(connection: Connection, heard: Heard, *, positioned: bool) -> None:
    name = (Eventful, positioned)
    frame: Pushed | None = heard.frames.get(name)
    if frame is None:
        text = _positioned(heard) if positioned and heard.place else heard.body
        frame = heard.frames[name] = pushed(text.decode("utf-8"))
    connection.push(*frame)


def _positioned(heard: Heard) -> bytes:
    members = msgspec.json.decode(heard.body, type=dict[str, msgspec.Raw])
    members[POSITION] = msgspec.Raw(msgspec.json.encode(str(heard.place)))
    return msgspec.json.encode(members)


def _ready(begun: Begun) -> Data:
    """Return the event that says where listening begins."""
    place = str(begun.ear.place)
    data = {"position": place} | ({} if begun.recovered is None else {"recovered": begun.recovered})
    key = begun.ear.key
    source = place_of_posts(key.name, is_topic=key.kind == "topic")
    event = Event(id=place, source=source, type=_READY, data=data)
    return cloudevents.encode(event).decode("utf-8")


def _code(status: int) -> int:
    if status in _LATER:
        return LATER
    return DEFECT if status >= _DEFECT_FROM else POLICY


def _reason(response: Response) -> str:
    said = msgspec.json.decode(response.body, type=dict[str, str])
    return said.get("description", said["title"])
