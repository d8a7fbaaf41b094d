"""Queues that store every message as an event, bodies that no format can read, and how large an event may be."""

import json
from base64 import b64decode, b64encode
from typing import Any, Final

import httpx
import pytest

from sukkal import limits
from tests.api.calling import Service, refused
from tests.api.test_deliveries import Obedient, sink, start

__all__ = ["sink", "start"]  # fixtures

LARGEST: Final = limits.EVENT_NESTING_MAX - 1
"""How many levels a document may have that is no event: the one around it is a level more."""

UNREADABLE: Final = {
    "deep": ("[" * (LARGEST + 1) + "]" * (LARGEST + 1), str(LARGEST)),
    "very deep": ("[" * (LARGEST + 2) + "]" * (LARGEST + 2), str(limits.EVENT_NESTING_MAX)),
    "long integer": ("9" * (limits.EVENT_DIGITS_MAX + 1), f"{limits.EVENT_DIGITS_MAX} digits"),
    "large exponent": ('{"a": {"keep": "me"}, "n": 1e9999999999999999999}', "exponent has more than 18 digits"),
}
BY_NAME: Final = pytest.mark.parametrize(("body", "limit"), UNREADABLE.values(), ids=UNREADABLE.keys())


def post(service: Service, *bodies: str, queue: str = "q") -> httpx.Response:
    """Post JSON texts as they are."""
    messages = ",".join(f'{{"body": {body}}}' for body in bodies)
    return service.post(f"/v2/queues/{queue}/messages", content=f'{{"messages": [{messages}]}}'.encode())


def normalise(service: Service, queue: str = "q", **more: Any) -> None:
    assert service.put(f"/v2/queues/{queue}", json={"_normalize": "cloudevents", **more}).is_success


def text_of(shown: dict[str, Any]) -> str:
    return b64decode(shown["data_base64"]).decode()


@BY_NAME
def test_a_queue_that_normalises_refuses_what_could_not_be_had_again_and_names_the_limit(
    service: Service, body: str, limit: str
) -> None:
    normalise(service)
    refused(post(service, '"first"', body), 400, "messages[1]", limit, "event")
    assert service.bodies() == []


@BY_NAME
def test_a_message_that_no_format_can_read_is_the_data_of_its_event_as_bytes(
    service: Service, body: str, limit: str
) -> None:
    assert post(service, body).status_code == 201
    [shown] = service.bodies("?echo=true&format=cloudevents")
    assert (shown["type"], shown["datacontenttype"]) == ("org.openstack.zaqar.message", "application/json")
    assert text_of(shown) == body
    assert body in service.get("/v2/queues/q/messages?echo=true&format=native").text


@BY_NAME
def test_a_delivery_of_what_no_format_can_read_has_all_of_it(start: Any, sink: Obedient, body: str, limit: str) -> None:
    service = start()
    order = {"subscriber": "test://one/x", "options": {"format": "cloudevents"}}
    assert service.post("/v2/queues/q/subscriptions", json=order).status_code == 201
    post(service, body)
    service.deliver()
    [delivered] = sink.bodies()
    assert text_of(json.loads(delivered)) == body


@pytest.mark.parametrize("depth", [LARGEST - 1, LARGEST])
@pytest.mark.parametrize("form", ["%s", '{"event_type": "e", "publisher_id": "p", "payload": 1, "context": %s}'])
def test_what_is_as_deep_as_it_may_be_is_stored_as_an_event_and_comes_back(
    service: Service, depth: int, form: str
) -> None:
    levels = depth - form.count("{")
    body = form % ("[" * levels + "]" * levels)
    normalise(service)
    assert post(service, body).status_code == 201
    assert '"specversion"' in service.get("/v2/queues/q/messages?echo=true").text
    [message] = service.bodies("?echo=true&format=native")
    assert message == json.loads(body)
    post(service, body, queue="other")
    assert "data_base64" not in service.bodies("?echo=true&format=cloudevents", queue="other")[0]


@pytest.mark.parametrize("member", ["context", "payload"])
def test_a_notification_in_an_envelope_is_as_deep_as_a_text_may_be(service: Service, member: str) -> None:
    inner = {"event_type": "e", "publisher_id": "p", "payload": 1, member: "deep"}
    deep = "[" * LARGEST + "]" * LARGEST
    envelope = {"oslo.version": "2.0", "oslo.message": json.dumps(inner).replace('"deep"', deep)}
    normalise(service)
    service.post_bodies(envelope)
    assert service.bodies()[0]["sukkalformat"] == "oslo-envelope"
    assert service.bodies("?echo=true&format=native") == [envelope]


def test_an_event_may_be_a_level_deeper_than_what_is_none(service: Service) -> None:
    event = '{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": %s}'
    normalise(service)
    assert post(service, event % ("[" * LARGEST + "]" * LARGEST)).status_code == 201
    refused(post(service, event % ("[" * (LARGEST + 1) + "]" * (LARGEST + 1))), 400, str(limits.EVENT_NESTING_MAX))


def test_what_is_not_ascii_takes_no_more_room_in_an_event(service: Service) -> None:
    normalise(service)
    inner = {"event_type": "a", "publisher_id": "p", "payload": 1, "_context_x": "é" * 40_000}
    body = {"oslo.version": "2.0", "oslo.message": json.dumps(inner, ensure_ascii=False)}
    sent = json.dumps(body, ensure_ascii=False)
    assert post(service, sent).status_code == 201
    assert len(service.get("/v2/queues/q/messages?echo=true").content) < 1.2 * len(sent.encode())
    assert service.bodies("?echo=true&format=native") == [body]


def test_control_characters_and_no_characters_of_a_remainder_come_back(service: Service) -> None:
    normalise(service)
    document = {"event_type": "a", "publisher_id": "p", "payload": 1, "_context_x": 'é\x7f\x85\ufdd0\U0001fffe\n"\\€'}
    assert post(service, json.dumps(document, ensure_ascii=False)).status_code == 201
    assert service.bodies("?echo=true&format=native") == [document]
    assert "sukkalformat" in service.bodies()[0]


def test_an_event_much_larger_than_what_was_posted_is_refused_with_the_limit(service: Service) -> None:
    normalise(service)
    document = {"event_type": "a", "publisher_id": "p", "payload": 1, "_context_x": "\x7f" * 10_000}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    most = len(body) * limits.EVENT_GROWTH + limits.EVENT_ATTRIBUTES_BYTES_MAX
    refused(post(service, "1", body), 400, "messages[1]", str(most), "_normalize")
    assert service.bodies() == []


@pytest.mark.parametrize("normalising", [True, False], ids=["stored as events", "delivered as events"])
def test_the_largest_message_is_forwarded_as_the_event_that_it_is(service: Service, normalising: bool) -> None:
    options = {} if normalising else {"format": "cloudevents"}
    if normalising:
        normalise(service)
    service.post("/v2/queues/q/subscriptions", json={"subscriber": "queue:other", "options": options})
    service.post("/v2/queues/other/subscriptions", json={"subscriber": "queue:last"})
    service.post_bodies("x" * 262_000)
    service.deliver()
    for queue in ("other", "last"):
        [body] = service.bodies(queue=queue)
        assert body["data"] == "x" * 262_000


@BY_NAME
def test_what_no_format_can_read_is_forwarded_as_an_event_and_had_again(
    service: Service, body: str, limit: str
) -> None:
    order = {"subscriber": "queue:other", "options": {"format": "cloudevents"}}
    service.post("/v2/queues/q/subscriptions", json=order)
    post(service, body)
    service.deliver()
    assert [text_of(each) for each in service.bodies(queue="other")] == [body]
    assert f'"body":{body}' in service.get("/v2/queues/other/messages?echo=true&format=native").text


@pytest.mark.parametrize("data", [b'"\xff"', b"{", b"1 2", b""])
def test_bytes_that_are_no_json_are_no_body(service: Service, data: bytes) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "sukkalformat": "raw"}
    event["data_base64"] = b64encode(data).decode()
    service.post_bodies(event)
    assert service.bodies("?echo=true&format=native") == [event]


def test_what_is_in_an_event_excuses_no_more_than_an_event_needs(service: Service) -> None:
    service.put("/v2/queues/other", json={"_max_messages_post_size": 100})
    service.post("/v2/queues/q/subscriptions", json={"subscriber": "queue:other"})
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "sukkalformat": "aodh"}
    service.post_bodies(event | {"sukkalremainder": '{"is":1}', "data": "x" * 10_000})
    service.deliver()
    assert service.bodies(queue="other") == []


def test_a_forwarded_message_meets_the_limit_of_its_queue_before_it_became_an_event(service: Service) -> None:
    service.put("/v2/queues/other", json={"_max_messages_post_size": 100})
    order = {"subscriber": "queue:other", "options": {"format": "cloudevents"}}
    id_ = service.post("/v2/queues/q/subscriptions", json=order).json()["subscription_id"]
    service.post_bodies("x" * 90, "x" * 10_000)
    service.deliver()
    assert [body["data"] for body in service.bodies(queue="other")] == ["x" * 90]
    deliveries = service.get(f"/v2/queues/q/subscriptions/{id_}/deliveries").json()["deliveries"]
    dead = [each for each in deliveries if each["state"] == "dead"]
    assert len(dead) == 1
    assert "too large" in dead[0]["error"]


@BY_NAME
def test_what_no_format_can_read_is_found_by_a_search_all_the_same(service: Service, body: str, limit: str) -> None:
    service.put("/v2/queues/q", json={"_search": True})
    post(service, body)
    service.deliver()
    [found] = service.get("/v2/events?type=org.openstack.zaqar.message").json()["events"]
    assert text_of(found["event"]) == body
