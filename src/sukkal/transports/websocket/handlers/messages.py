"""Actions on messages."""

from typing import Any

from msgspec import Raw

from sukkal.errors import InvalidBody, InvalidRequest, MessageClaimed, QueueNotFound
from sukkal.model import View
from sukkal.service.incoming import Posted
from sukkal.service.lenses import FILTERS, FORMAT, lens_of
from sukkal.transports.http.bodies import decode_call, decode_drafts, decode_events
from sukkal.transports.http.views import popped_views
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply
from sukkal.transports.websocket.views import message_view, messages_view

__all__ = ["delete", "delete_many", "get", "get_many", "list_messages", "post", "post_and_wait", "post_events"]


async def post(call: Call) -> Reply:
    """Post messages."""
    body = call.frame.body
    # A post that is too large for any queue is not even read.
    call.services.messages.check_size(len(body))
    posted = await call.services.messages.post(
        call.key,
        call.caller.client,
        decode_drafts(body, modern=True),
        size=len(body),
        idempotency_key=call.frame.header("idempotency-key"),
    )
    return _posted(posted)


async def post_events(call: Call) -> Reply:
    """Post events."""
    if "events" not in call.frame.members:
        raise InvalidBody('Schema validation failed. The field "events" is required.')
    text = bytes(call.frame.members["events"])
    call.services.messages.check_size(len(text))
    events = decode_events(text)
    if not events:
        return _posted(Posted(()))
    size = sum([len(each.text) for each in events])
    return _posted(await call.services.events.post(call.key, call.caller.client, events, size=size))


async def post_and_wait(call: Call) -> Reply:
    """Post a message and wait for the reply."""
    body = call.frame.body
    call.services.messages.check_size(len(body))
    draft, timeout_s = decode_call(body), call.number("timeout")
    call.connection.wait()
    called = await call.services.calls.call(call.key, call.caller.client, draft, size=len(body), timeout_s=timeout_s)
    return Reply(200, {"id": called.id, "body": Raw(called.body)})


def _posted(posted: Posted) -> Reply:
    document: dict[str, Any] = {"message_ids": posted.ids}
    if posted.listeners is not None:
        document["listeners"] = posted.listeners
    return Reply(201, document, {"idempotency-replayed": "true"} if posted.repeated else {})


async def list_messages(call: Call) -> Reply:
    """List messages."""
    key, detailed = call.key, call.detailed
    view = View(
        claimed=bool(call.flag("include_claimed")),
        delayed=bool(call.flag("include_delayed")),
        not_from=None if call.flag("echo") else call.caller.client,
    )
    page = await call.services.messages.list(
        key,
        marker=call.text("marker"),
        limit=call.number("limit"),
        view=view,
        wait_s=call.wait_s(),
        lens=lens_of(call.document(FILTERS), call.document(FORMAT)),
    )
    if not page.messages and not await call.services.queues.exists(key):
        raise QueueNotFound(f"Queue {key.name} does not exist for project {key.project}")
    views = messages_view(page.messages, page.now_ms, checksum=call.checksum, detailed=detailed)
    document: dict[str, Any] = {"messages": views}
    if detailed:
        # The id of the last message goes on as well, but only as long as that message is there.
        document["marker"] = page.marker
    return Reply(200, document)


async def get(call: Call) -> Reply:
    """Get one message."""
    message, now_ms = await call.services.messages.get(call.key, call.required("message_id"))
    shown = message_view(message, now_ms, checksum=call.checksum, detailed=call.detailed)
    return Reply(200, {"messages": shown})


async def get_many(call: Call) -> Reply:
    """Get messages by their ids."""
    ids = call.words("message_ids")
    if ids is None:
        raise InvalidBody('Schema validation failed. The field "message_ids" is required.')
    found, now_ms = await call.services.messages.get_many(call.key, ids)
    return Reply(200, {"messages": messages_view(found, now_ms, checksum=call.checksum, detailed=call.detailed)})


async def delete(call: Call) -> Reply:
    """Delete one message."""
    await call.services.messages.delete(call.key, call.required("message_id"), call.text("claim_id"))
    call.settled(call.required("message_id"))
    return Reply(204, {})


async def delete_many(call: Call) -> Reply:
    """Delete messages by id, or pop the first ones."""
    ids, pop = call.words("message_ids"), call.number("pop")
    if ids is not None and pop is not None:
        raise InvalidRequest("pop and id params cannot be present together in the delete request.")
    if pop is not None:
        popped, now_ms = await call.services.messages.pop(call.key, pop)
        return Reply(200, {"messages": popped_views(popped, now_ms, checksum=call.checksum, detailed=call.detailed)})
    if ids is None:
        raise InvalidRequest(
            'The request should have either "ids" or "pop" parameter in the request, to be able to delete.'
        )
    try:
        await call.services.messages.delete_many(call.key, ids, call.words("claim_ids"))
    except MessageClaimed:
        # Some of them may be gone.
        call.unsettled()
        raise
    call.settled(*ids)
    return Reply(204, {})
