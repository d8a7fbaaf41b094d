"""Operations on messages."""

from collections.abc import Awaitable
from typing import Any

from msgspec import Raw

from sukkal.errors import InvalidRequest
from sukkal.model import Message, View
from sukkal.service.incoming import Draft, Posted
from sukkal.transports.http.bodies import decode_call, decode_drafts, decode_raw, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Header, Response, json_response, no_content
from sukkal.transports.http.lens import lens_in, lens_texts
from sukkal.transports.http.query import Query
from sukkal.transports.http.views import MessageView, message_views, popped_views

__all__ = ["delete", "delete_many", "get", "list_messages", "post", "post_and_wait", "post_body", "post_raw", "stored"]


async def post(call: Call) -> Response:
    """Post messages."""
    body = post_body(call)
    return stored(call, await _posting(call, decode_drafts(body, modern=call.modern), len(body)))


async def post_raw(call: Call) -> Response:
    """Post one message, which is the whole body."""
    query, body = Query(call.request.query), post_body(call)
    draft = decode_raw(body, ttl_s=query.number("ttl"), delay_s=query.number("delay"))
    return stored(call, await _posting(call, [draft], len(body)))


def post_body(call: Call) -> bytes:
    """Return the body of a post. Raises ``InvalidRequest`` if it is too large."""
    most = call.services.settings.max_messages_post_size
    return whole_body(call.request, most=most, refusal=f"Message collection size is too large. Max size {most}")


async def post_and_wait(call: Call) -> Response:
    """Post a message and wait for the reply."""
    body = post_body(call)
    called = await call.services.calls.call(
        call.key,
        call.caller.client,
        decode_call(body),
        size=len(body),
        timeout_s=Query(call.request.query).number("timeout"),
    )
    return json_response(200, {"id": called.id, "body": Raw(called.body)})


def _posting(call: Call, drafts: list[Draft], size: int) -> Awaitable[Posted]:
    return call.services.messages.post(
        call.key,
        call.caller.client,
        drafts,
        size=size,
        own_rules=call.modern,
        idempotency_key=call.request.header(b"idempotency-key"),
    )


def stored(call: Call, posted: Posted) -> Response:
    """Return the answer to a post: where its messages are."""
    base = f"{call.queue_path}/messages"
    headers: tuple[Header, ...] = ((b"location", f"{base}?ids={','.join(posted.ids)}".encode("ascii")),)
    if posted.repeated:
        headers += ((b"idempotency-replayed", b"true"),)
    document: dict[str, Any] = {"resources": [f"{base}/{id_}" for id_ in posted.ids]}
    if posted.listeners is not None:
        document["listeners"] = posted.listeners
    return json_response(201, document, *headers)


async def list_messages(call: Call) -> Response:
    """List messages, or get those with the given ids."""
    query = Query(call.request.query)
    detailed = query.flag("detailed")
    if (ids := query.words("ids")) is not None:
        found, now_ms = await call.services.messages.get_many(call.key, ids)
        return json_response(200, {"messages": _views(call, found, now_ms, detailed=detailed)})
    echo, claimed = query.flag("echo"), query.flag("include_claimed")
    delayed = query.flag("include_delayed")
    if not call.modern:
        delayed = None
    view = View(claimed=bool(claimed), delayed=bool(delayed), not_from=None if echo else call.caller.client)
    page = await call.services.messages.list(
        call.key,
        marker=query.text("marker"),
        limit=query.number("limit"),
        view=view,
        wait_s=call.wait_s(query),
        lens=lens_in(query),
    )
    given = {
        "limit": query.text("limit"),
        "echo": _word(echo),
        "include_claimed": _word(claimed),
        "include_delayed": _word(delayed),
        "detailed": _word(detailed),
        "wait": query.text("wait"),
        **lens_texts(query),
    }
    links = [] if page.marker is None else [next_link(f"{call.queue_path}/messages", given, page.marker)]
    return json_response(200, {"messages": _views(call, page.messages, page.now_ms, detailed=detailed), "links": links})


async def get(call: Call) -> Response:
    """Get one message."""
    detailed = Query(call.request.query).flag("detailed")
    message, now_ms = await call.services.messages.get(call.key, call.parameters["message_id"])
    return json_response(200, _views(call, (message,), now_ms, detailed=detailed)[0])


async def delete(call: Call) -> Response:
    """Delete one message."""
    claim_id = Query(call.request.query).text("claim_id")
    await call.services.messages.delete(call.key, call.parameters["message_id"], claim_id)
    return no_content()


async def delete_many(call: Call) -> Response:
    """Delete messages by id, or pop the first ones."""
    query = Query(call.request.query)
    ids, pop, detailed = query.words("ids"), query.number("pop"), query.flag("detailed")
    if ids is not None and pop is not None:
        raise InvalidRequest("pop and id params cannot be present together in the delete request.")
    if pop is not None:
        popped, now_ms = await call.services.messages.pop(call.key, pop)
        checksum = call.services.settings.enable_checksum
        views = popped_views(popped, now_ms, checksum=checksum, detailed=bool(detailed))
        return json_response(200, {"messages": views})
    if ids is None:
        raise InvalidRequest(
            'The request should have either "ids" or "pop" parameter in the request, to be able to delete.'
        )
    await call.services.messages.delete_many(call.key, ids, query.words("claim_ids"))
    return no_content()


def _views(call: Call, messages: tuple[Message, ...], now_ms: int, *, detailed: bool | None) -> list[MessageView]:
    checksum = call.services.settings.enable_checksum
    return message_views(messages, call.queue_path, now_ms, checksum=checksum, detailed=bool(detailed))


def _word(flag: bool | None) -> str | None:
    return None if flag is None else str(flag).lower()
