"""The operation that says why."""

from typing import Final

import msgspec

from sukkal.transports.explaining import explained
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call, next_link
from sukkal.transports.http.exchange import Response, json_response
from sukkal.transports.http.query import Query

__all__ = ["explain"]


class _Body(msgspec.Struct):
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_body: Final = msgspec.json.Decoder(_Body)


async def explain(call: Call) -> Response:
    """Explain what subscriptions get, or try filters."""
    query, most = Query(call.request.query), call.services.settings.max_messages_post_size
    text = whole_body(call.request, most=most, refusal=f"The question may have {most} bytes.")
    asked = decode_object(text)
    if "body" in asked:
        # What it is, depends on each of its digits.
        asked["body"] = _body.decode(text).body
    limit = query.number("limit")
    answer = await explained(
        call.services.explanations,
        call.key,
        asked,
        dry_run=query.number("dry_run"),
        marker=query.text("marker"),
        limit=limit,
    )
    marker = answer.pop("marker", None)
    if "subscriptions" in answer:
        path = f"{call.queue_path}/explain"
        answer["links"] = [] if marker is None else [next_link(path, {"limit": query.text("limit")}, marker)]
    return json_response(200, answer)
