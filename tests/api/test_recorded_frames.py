"""What Zaqar was seen to answer over WebSocket, and what real programs send, replayed."""

import json
import re
from pathlib import Path
from typing import Any, Final

from tests.api.calling import Service
from tests.api.sockets import Socket

VECTORS: Final = Path(__file__).parents[1] / "vectors"
LINE: Final = re.compile(r"(\w+) (\{.*?\}|null) -> (\{\"headers\".*\})$")
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NOT_YET: Final = "subscription_"

ON_PURPOSE: Final = {
    'message_post {"queue_name": "wsq95b7cc", "messages": [1]}': "a wrong type is no accident of ours",
    'message_list {"queue_name": "wsq95b7cc", "echo": true, "include_claimed": true}': "it works",
    'message_list {"queue_name": "wsq95b7cc"}': "one of two was sent with a client id that is not seen here",
    'queue_get {"queue_name": "wsq95b7cc"}': "one of two was sent without headers that are not seen here",
    'authenticate {"pool_name": "x", "flavor_name": "x"}': "where everybody is believed it is no fault",
}
"""The frames whose status differs from the recorded one, and why."""


def test_the_recorded_frames_get_the_recorded_statuses(service: Service) -> None:
    ours: dict[str, str] = {}
    differing = set()
    with Socket(service, project="wsp") as socket:
        socket.ask("queue_create", {"queue_name": "wsq95b7cc", "metadata": {"a": 1}})
        for line in (VECTORS / "probe_ws.txt").read_text().splitlines():
            found = LINE.fullmatch(line)
            if found is None or found[1].startswith(NOT_YET):
                continue
            body = UUID.sub(lambda id_: ours.get(id_[0], id_[0]), found[2])
            recorded = json.loads(found[3])
            reply = socket.ask(found[1], json.loads(body))
            if reply.status != recorded["headers"]["status"]:
                differing.add(f"{found[1]} {found[2]}")
            elif reply.status < 300:
                ours.update(ids(recorded["body"], reply.body))
                assert shape(reply.body) >= shape(recorded["body"]), line
    assert differing == ON_PURPOSE.keys()


def ids(theirs: Any, ours: Any) -> dict[str, str]:
    """Return which ids of ours stand where a recorded answer has its own."""
    their_ids, our_ids = [leaves(answer) for answer in (theirs, ours)]
    return {their: our for their, our in zip(their_ids, our_ids, strict=False) if UUID.fullmatch(their)}


def leaves(document: Any) -> list[str]:
    if isinstance(document, dict):
        names = [name for name in ("claim_id", "id", "message_ids", "messages") if name in document]
        return [leaf for name in names for leaf in leaves(document[name])]
    if isinstance(document, list):
        return [leaf for value in document for leaf in leaves(value)]
    return [document] if isinstance(document, str) else []


def shape(document: Any) -> set[str]:
    """Return the names of the members of an answer, and of those of its messages."""
    if not isinstance(document, dict):
        return {type(document).__name__}
    found = set(document)
    messages = document.get("messages")
    for message in messages if isinstance(messages, list) else [messages]:
        found |= {f"messages.{name}" for name in message or {}}
    return found


def test_the_frames_of_real_programs_are_served(service: Service) -> None:
    statuses = []
    with Socket(service) as socket:
        for line in (VECTORS / "real-client-websocket-frames.jsonl").read_text().splitlines():
            action = json.loads(line)["action"]
            if action.startswith(NOT_YET):
                continue
            socket.send(line)
            statuses.append((action, socket.receive()["headers"]["status"]))
    assert statuses == [
        ("authenticate", 200),
        ("queue_create", 201),
        ("authenticate", 200),
        ("queue_create", 201),
        ("message_delete_many", 200),
    ]
