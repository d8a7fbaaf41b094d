"""Subscriptions of a connection itself: what is posted to a queue is pushed to it, as long as it lasts."""

from typing import Any

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidRequest, SukkalError, Unavailable
from sukkal.service.lenses import FILTERS, FORMAT, check_lens, lens_of
from sukkal.service.listening import Ear, Heard, Place, place_of
from sukkal.transports.rechecking import until_refused
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.connection import EXPIRED, POLICY, Own
from sukkal.transports.websocket.frames import Pushed, Reply, encode_text, pushed

__all__ = ["create", "leave", "own", "view"]


async def create(call: Call) -> Reply:
    """Subscribe the connection; the same again changes nothing but where it goes on."""
    key, connection = call.key, call.connection
    ttl_s = call.services.subscriptions.lifetime_s(call.given("ttl").get("ttl", limits.SUBSCRIPTION_TTL_S_DEFAULT))
    options = call.mapping("options")
    positioned, since = _resume(call.document("resume"))
    check_lens({name: options[name] for name in (FILTERS, FORMAT) if options.get(name) is not None})
    lens = lens_of(options.get(FILTERS), options.get(FORMAT))
    present = connection.own.get(key)
    if present is None and len(connection.own) >= limits.WEBSOCKET_SUBSCRIPTIONS_MAX:
        raise InvalidRequest(
            f"A connection may subscribe to {limits.WEBSOCKET_SUBSCRIPTIONS_MAX} queues. Open another one for more."
        )
    await call.services.queues.create(key, {})
    listeners, binary = call.services.listeners, connection.binary

    def hear(heard: Heard) -> None:
        connection.push(*_frame(heard, binary=binary, positioned=positioned))

    def end(reason: str) -> None:
        connection.close(POLICY, reason)

    begun = await listeners.begin(key, hear, end, since=since, lens=lens)
    if connection.closed.is_set():
        listeners.leave(begun.ear)
        raise Unavailable("The connection has ended.")
    if present is not None:
        leave(call, present)
    id_ = present.id if present is not None else call.services.subscriptions.new_id()
    connection.own[key] = Own(id_, begun.ear, ttl_s, options, listeners.leave)
    call.made = id_
    document: dict[str, Any] = {"subscription_id": id_, "message": f"Subscription {key.name} created."}
    if positioned:
        document["position"] = str(begun.ear.place)
    if begun.recovered is not None:
        document["recovered"] = begun.recovered
    return Reply(201, document, then=lambda: connection.start(_follow(call, begun.ear)))


def own(call: Call, id_: str) -> Own | None:
    """Return the subscription of the connection to the queue, if it has this id."""
    found = call.connection.own.get(call.key)
    return found if found is not None and found.id == id_ else None


def leave(call: Call, own: Own) -> None:
    """End a subscription of the connection."""
    own.leave(own.ear)
    del call.connection.own[own.ear.key]


def view(call: Call, own: Own) -> dict[str, Any]:
    """Return a subscription of the connection as it is shown."""
    return {
        "id": own.id,
        "source": own.ear.key.name,
        "subscriber": "websocket:",
        "ttl": own.ttl_s,
        "age": call.services.listeners.age_s(own.ear),
        "options": own.options,
        "confirmed": True,
    }


def _resume(given: object) -> tuple[bool, Place | None]:
    """Return whether positions are wanted, and where to go on. Raises ``InvalidBody``, ``InvalidParameter``."""
    if given is None or isinstance(given, bool):
        return bool(given), None
    if isinstance(given, str):
        return True, place_of(given)
    raise InvalidBody(
        'Schema validation failed. The field "resume" must be true, to get positions, or the last position.'
    )


def _frame(heard: Heard, *, binary: bool, positioned: bool) -> Pushed:
    kind = (binary, positioned)
    made: Pushed | None = heard.frames.get(kind)
    if made is None:
        made = heard.frames[kind] = pushed(encode_text(heard.text(positioned=positioned), binary=binary))
    return made


async def _follow(call: Call, ear: Ear) -> None:
    await call.services.listeners.follow(ear, call.connection.drained)
    try:
        await until_refused(call.recheck, every_s=limits.WEBSOCKET_TOKEN_S, ended=lambda: ear.ended)
    except SukkalError:
        call.connection.close(EXPIRED, "Authentication expired.")
