"""Posting CloudEvents: in three modes, once for a source and id, for as long as they are of use."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest

from sukkal.formats import cloudevents
from tests.api.calling import PATCH_TYPE, Service, refused
from tests.api.sockets import Socket

STRUCTURED: Final = {"content-type": "application/cloudevents+json"}
BATCH: Final = {"content-type": "application/cloudevents-batch+json"}
PLACE: Final = "/v2/queues/q/events"


def event(id_: str = "1", **more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id_, "source": "/nova", "type": "compute.instance.create.end", **more}


def post(service: Service, *events: Any, queue: str = "q", **more: Any) -> httpx.Response:
    """Post one event in structured mode, several as a batch."""
    document, headers = (events[0], STRUCTURED) if len(events) == 1 else (list(events), BATCH)
    return service.post(f"/v2/queues/{queue}/events", content=json.dumps(document), headers=headers, **more)


def after(service: Service, seconds: int) -> str:
    moment = datetime.fromtimestamp(service.clock() // 1_000 + seconds, UTC)
    return moment.replace(tzinfo=None).isoformat() + "Z"


def ttls(service: Service) -> list[int]:
    return [message["ttl"] for message in service.get("/v2/queues/q/messages?echo=true").json()["messages"]]


def test_a_structured_event_is_the_body_of_a_message_as_it_was_written(service: Service) -> None:
    text = '{"type": "t",  "specversion":"1.0", "id":"1", "source":"/s", "data": 1.50, "subject": null}'
    response = service.post(PLACE, content=f" {text}\n", headers=STRUCTURED)
    assert response.status_code == 201
    [path] = response.json()["resources"]
    assert text in service.get(path).text


def test_a_binary_event_becomes_one_in_json(service: Service) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t", "ce-note": "a%20b"}
    service.post(PLACE, content=b'{"a": 1}', headers={**headers, "content-type": "application/json"})
    service.post(PLACE, content=b"\x00\xff", headers={**headers, "ce-id": "2", "content-type": "image/png"})
    first, second = service.bodies()
    assert (first["note"], first["data"], first["datacontenttype"]) == ("a b", {"a": 1}, "application/json")
    assert second["data_base64"] == "AP8="


BINARY: Final = [(b"ce-specversion", b"1.0"), (b"ce-id", b"1"), (b"ce-source", b"/s"), (b"ce-type", b"t")]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ((b"ce-id", b"2"), ("id is there twice", "ce-id")),
        ((b"CE-ID", b"1"), ("id is there twice", "ce-id")),
        ((b"content-type", b"text/plain"), ("datacontenttype is there twice", "content-type")),
        ((b"ce-subject", "né".encode()), ("ce-subject", "ASCII", "percent-encode")),
        ((b"ce-subject", "né".encode("latin-1")), ("ce-subject", "ASCII", "percent-encode")),
        ((b"ce-subject", b"%E9"), ("ce-subject", "UTF-8")),
    ],
    ids=["twice", "twice in other letters", "two types", "raw UTF-8", "Latin-1", "percent-encoded Latin-1"],
)
def test_headers_of_which_nobody_knows_what_they_say_are_refused(
    service: Service, header: tuple[bytes, bytes], words: tuple[str, ...]
) -> None:
    response = service.post(PLACE, content="{}", headers=[*BINARY, (b"content-type", b"application/json"), header])
    refused(response, 400, *words, title="Invalid event")
    assert service.bodies() == []


def test_the_events_of_a_batch_are_messages_in_their_order(service: Service) -> None:
    response = post(service, *[event(str(number)) for number in range(50)])
    assert response.status_code == 201
    assert len(response.json()["resources"]) == 50
    assert [body["id"] for body in service.bodies()] == [str(number) for number in range(50)]


def test_an_empty_batch_is_taken_and_stores_nothing(service: Service) -> None:
    response = service.post(PLACE, content="[]", headers=BATCH)
    assert (response.status_code, response.json()) == (201, {"resources": []})
    assert service.bodies() == []


def test_nobody_who_posts_events_has_to_name_a_client(service: Service) -> None:
    assert post(service, event(), client=None).status_code == 201
    assert service.bodies("") == [event()]


def test_who_names_a_client_is_spared_its_own_events(service: Service) -> None:
    post(service, event())
    assert service.bodies("") == []


def test_an_event_posted_again_is_stored_once_whatever_else_it_says(service: Service) -> None:
    first = post(service, event(data=1))
    again = post(service, event(data=2))
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert service.bodies() == [event(data=1)]


def test_events_of_another_source_or_queue_are_others(service: Service) -> None:
    post(service, event())
    post(service, event(source="/other"))
    post(service, event(), queue="r")
    assert len(service.bodies()) == 2
    assert len(service.bodies(queue="r")) == 1


def test_an_event_is_forgotten_after_the_idempotency_window(service: Service) -> None:
    post(service, event())
    service.pass_s(service.app.services.settings.idempotency_window_s)
    assert "idempotency-replayed" not in post(service, event()).headers


def test_a_batch_stores_what_is_not_there_yet(service: Service) -> None:
    [first] = post(service, event("1")).json()["resources"]
    response = post(service, event("1"), event("2"), event("2", data="later"))
    paths = response.json()["resources"]
    assert paths[0] == first
    assert paths[1] == paths[2]
    assert "idempotency-replayed" not in response.headers
    assert service.bodies() == [event("1"), event("2")]


@pytest.mark.parametrize(
    ("seconds", "ttl"), [(600, 600), (61, 61), (1, 60), (10**8, 1_209_600)], ids=["as said", "short", "least", "most"]
)
def test_the_expirytime_of_an_event_is_the_end_of_its_message(service: Service, seconds: int, ttl: int) -> None:
    assert post(service, event(expirytime=after(service, seconds))).status_code == 201
    assert ttls(service) == [ttl]


def test_an_event_without_an_expirytime_lives_as_long_as_the_queue_says(service: Service) -> None:
    service.put("/v2/queues/q", json={"_default_message_ttl": 77})
    post(service, event())
    assert ttls(service) == [77]


def test_an_expired_event_refuses_the_post_and_is_named(service: Service) -> None:
    response = post(service, event("1"), event("2", expirytime=after(service, 0)))
    refused(response, 400, "Event 1", "expired", title="Invalid event")
    assert service.bodies() == []


def test_one_event_that_has_expired_has_no_number(service: Service) -> None:
    refused(post(service, event(expirytime=after(service, 0))), 400, "The event has expired")


def test_a_batch_can_be_repeated_when_events_of_it_have_expired_since(service: Service) -> None:
    batch = [event("1", expirytime=after(service, 100)), event("2")]
    first = post(service, *batch)
    service.pass_s(200)
    again = post(service, *batch)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    more = post(service, *batch, event("3"))
    assert more.json()["resources"][:2] == first.json()["resources"]
    assert service.bodies() == [event("2"), event("3")]
    refused(post(service, *batch, event("4", expirytime=after(service, -1))), 400, "Event 2", "expired")


def test_no_key_of_a_client_is_the_name_of_an_event(service: Service) -> None:
    identity = cloudevents.identity(cloudevents.event_of_document(event()))
    message = {"messages": [{"body": "taken"}]}
    for key in (identity, f"event-{identity}", f"event%20{identity}"):
        assert service.post("/v2/queues/q/messages", json=message, headers={"idempotency-key": key}).is_success
    refused(
        service.post("/v2/queues/q/messages", json=message, headers={"idempotency-key": f"event {identity}"}),
        400,
        "Idempotency-Key",
    )
    assert "idempotency-replayed" not in post(service, event()).headers
    assert event() in service.bodies()


def test_a_wrong_event_refuses_its_batch_and_names_the_attribute(service: Service) -> None:
    refused(post(service, event("1"), event("2", type="")), 400, "Event 1", "type", title="Invalid event")
    assert service.bodies() == []


@pytest.mark.parametrize("media_type", ["application/json", "application/cloudevents+xml", ""])
def test_what_is_no_event_is_refused_with_what_would_be_one(service: Service, media_type: str) -> None:
    response = service.post(PLACE, content="{}", headers={"content-type": media_type})
    refused(response, 415, "application/cloudevents+json")


def test_an_event_that_is_too_large_is_refused(service: Service) -> None:
    refused(post(service, event(data="x" * 262_144)), 400, "262144")
    service.put("/v2/queues/q", json={"_max_messages_post_size": 200})
    refused(post(service, event(data="x" * 200)), 400, "200")


def test_events_are_posted_to_topics_as_well(service: Service) -> None:
    response = service.post("/v2/topics/t/events", content=json.dumps(event()), headers=STRUCTURED)
    assert response.json()["resources"][0].startswith("/v2/topics/t/messages/")


def test_a_message_in_a_topic_has_the_topic_as_its_source(service: Service) -> None:
    service.post("/v2/topics/t/messages", json={"messages": [{"body": "x"}]})
    order = {"body": "x"}
    explained = service.post("/v2/topics/t/explain", json=order).json()["event"]
    assert explained["source"] == "/v2/topics/t"
    service.post_bodies("x")
    assert service.bodies("?echo=true&format=cloudevents")[0]["source"] == "/v2/queues/q"


def test_a_post_of_messages_takes_zaqar_documents_whatever_their_content_type(service: Service) -> None:
    document = json.dumps({"messages": [{"body": event()}]})
    assert service.post("/v2/queues/q/messages", content=document, headers=STRUCTURED).status_code == 201
    assert service.bodies() == [event()]


def test_events_are_posted_over_websocket_too(service: Service) -> None:
    with Socket(service) as socket:
        first = socket.ask("event_post", {"queue_name": "q", "events": [event("1"), event("2")]})
        again = socket.ask("event_post", {"queue_name": "q", "events": [event("1")]})
        assert (first.status, again.body["message_ids"]) == (201, first.body["message_ids"][:1])
        assert again.headers == {"idempotency-replayed": "true"}
        assert socket.ask("event_post", {"queue_name": "q", "events": []}).body == {"message_ids": []}
        socket.ask("event_post", {"queue_name": "q"}).refused(400, "events")
        socket.ask("event_post", {"queue_name": "q", "events": [{}]}).refused(400, "Event 0", "specversion")
    assert service.bodies() == [event("1"), event("2")]


# -- what messages are as events


OSLO: Final = {
    "event_type": "compute.instance.create.end",
    "publisher_id": "compute.host1",
    "message_id": "m1",
    "timestamp": "2026-01-31 09:30:00.000000",
    "priority": "INFO",
    "payload": {"instance_id": "i1", "size": 1.50},
    "_context_tenant": "t",
}


def test_a_queue_that_normalises_stores_every_message_as_an_event(service: Service) -> None:
    service.put("/v2/queues/q", json={"_normalize": "cloudevents"})
    service.post_bodies(OSLO, "hello", event())
    first, second, third = service.bodies()
    assert (first["id"], first["type"], first["data"]) == ("m1", OSLO["event_type"], OSLO["payload"])
    assert (second["type"], second["data"]) == ("org.openstack.zaqar.message", "hello")
    assert third == event()
    assert service.bodies("?echo=true&format=native") == [OSLO, "hello", event()]


def test_a_queue_begins_and_ends_to_normalise_when_it_is_told_to(service: Service) -> None:
    service.put("/v2/queues/q", json={})
    change = {"op": "add", "path": "/metadata/_normalize", "value": "cloudevents"}
    assert service.patch("/v2/queues/q", json=[change], headers={"content-type": PATCH_TYPE}).status_code == 200
    service.post_bodies("x")
    assert service.bodies()[0]["data"] == "x"
    refused(service.put("/v2/queues/r", json={"_normalize": "xml"}), 400, "_normalize", "cloudevents")


def test_a_repeated_post_to_a_queue_that_normalises_is_still_the_same(service: Service) -> None:
    service.put("/v2/queues/q", json={"_normalize": "cloudevents"})
    for _ in range(2):
        key = {"idempotency-key": "k"}
        assert service.post("/v2/queues/q/messages", json={"messages": [{"body": "x"}]}, headers=key).is_success
        service.pass_s(1)
    assert len(service.bodies()) == 1


def test_a_listing_shows_messages_as_events_if_asked_to(service: Service) -> None:
    [id_] = service.post_bodies("hello")
    service.post_bodies(OSLO)
    first, second = service.bodies("?echo=true&format=cloudevents&limit=1")
    assert (first["id"], first["source"], first["data"]) == (id_, "/v2/queues/q", "hello")
    assert second["sukkalformat"] == "oslo"
    assert service.bodies() == ["hello", OSLO]


def test_a_damaged_remainder_leaves_the_event_as_it_is(service: Service) -> None:
    damaged = event(sukkalformat="oslo", sukkalremainder="broken")
    service.post_bodies(damaged)
    assert service.bodies("?echo=true&format=native") == [damaged]


def test_an_unknown_form_is_refused(service: Service) -> None:
    refused(service.get("/v2/queues/q/messages?format=xml"), 400, "format", "cloudevents or native")


@pytest.mark.parametrize("body", ["[" * 99 + "]" * 99, '{"a": 1e999999999999999999999}', '"\\ud800"'])
def test_every_message_is_an_event_even_if_no_format_can_read_it(service: Service, body: str) -> None:
    service.put("/v2/queues/q", json={})
    if service.post("/v2/queues/q/messages", content=f'{{"messages": [{{"body": {body}}}]}}').status_code == 201:
        [shown] = service.bodies("?echo=true&format=cloudevents")
        assert shown["type"] == "org.openstack.zaqar.message"


def test_a_signed_url_lets_a_program_post_events_and_nothing_else(start: Callable[..., Service]) -> None:
    service = start(signed_url_keys="k" * 32)
    shared = service.post("/v2/queues/q/share", json={"paths": ["events"], "methods": ["POST"]}).json()
    headers = {
        "url-signature": shared["signature"],
        "url-expires": shared["expires"],
        "url-methods": ",".join(shared["methods"]),
        "url-paths": ",".join(shared["paths"]),
    }
    posted = service.post(PLACE, content=json.dumps(event()), headers=headers | STRUCTURED, client=None)
    assert posted.status_code == 201
    refused(service.get("/v2/queues/q/messages", headers=headers), 404)
