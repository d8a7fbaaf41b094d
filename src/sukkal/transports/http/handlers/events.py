"""Operations on events, and on documents that tell of what happened."""

from sukkal.errors import UnsupportedMediaType
from sukkal.formats import cloudevents, http_binding
from sukkal.service.events import NewEvent
from sukkal.transports.http.bodies import decode_events, decode_raw
from sukkal.transports.http.call import Call
from sukkal.transports.http.exchange import Response, json_response
from sukkal.transports.http.handlers.messages import post_body, stored
from sukkal.transports.http.query import Query

__all__ = ["ingest", "post"]


async def post(call: Call) -> Response:
    """Post events."""
    events = _events(call, post_body(call))
    if not events:
        return json_response(201, {"resources": []})
    size = sum([len(each.text) for each in events])
    posted = await call.services.events.post(call.key, call.caller.client, events, size=size)
    return stored(call, posted)


async def ingest(call: Call) -> Response:
    """Post a document, once for what it says."""
    query = Query(call.request.query)
    draft = decode_raw(post_body(call), ttl_s=query.number("ttl"), delay_s=query.number("delay"))
    return stored(call, await call.services.events.ingest(call.key, call.caller.client, draft))


def _events(call: Call, body: bytes) -> list[NewEvent]:
    """Return the events of a request: their text is as it came if that was JSON."""
    sent = call.request.sent or call.request.headers.items()
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent]
    if not http_binding.is_event(headers):
        raise UnsupportedMediaType(
            f"Events are taken as {cloudevents.STRUCTURED_TYPE} and {cloudevents.BATCH_TYPE}, or in binary mode, with "
            "the header ce-specversion."
        )
    media_type = dict(headers).get("content-type", "").partition(";")[0].strip().lower()
    if media_type == cloudevents.BATCH_TYPE:
        return decode_events(body)
    [event] = http_binding.decode_message(headers, body)
    structured = media_type == cloudevents.STRUCTURED_TYPE
    return [NewEvent(event, body.strip() if structured else cloudevents.encode(event))]
