"""The request for a connection on which events are exchanged."""

from typing import Final

from msgspec.structs import replace

from sukkal.errors import InvalidRequest
from sukkal.service.hearing import place_of
from sukkal.transports.http.call import Call
from sukkal.transports.http.exchange import Header, Response, SocketResponse, json_response
from sukkal.transports.http.lens import lens_in
from sukkal.transports.http.query import Query

__all__ = ["connect"]

_UPGRADE: Final[tuple[Header, ...]] = ((b"upgrade", b"websocket"), (b"connection", b"upgrade"))
_ONLY_SOCKETS: Final = {
    "title": "Upgrade required",
    "description": "Events are exchanged here over a WebSocket with the subprotocol cloudevents.json. To read them "
    "over HTTP, list the messages or stream them, with format=cloudevents.",
}


async def connect(call: Call) -> Response:
    """Say how to listen to the events that are posted."""
    if not call.request.upgrades:
        return json_response(426, _ONLY_SOCKETS, *_UPGRADE)
    query, listeners = Query(call.request.query), call.services.listeners
    lens = lens_in(query)
    if lens.form == "native":
        raise InvalidRequest("format: on this connection there are only events.")
    since = query.text("since")
    return SocketResponse(
        101,
        listeners=listeners,
        key=call.key,
        since=place_of(since) if since else None,
        lens=replace(lens, form="cloudevents"),
        positioned=bool(since or query.flag("positions")),
    )
