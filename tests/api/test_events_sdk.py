"""The SDK of the CloudEvents project and the service understand each other, wherever events come in and go out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.api.calling import Service
from tests.api.sockets import Socket
from tests.api.streams import Stream
from tests.api.test_deliveries import Obedient

DATA: Final = {"n": [1, None, "é"]}


def an_event(id_: str = "é 1") -> CloudEvent:
    return CloudEvent(
        {
            "id": id_,
            "source": "/a%20b",
            "type": "org.example.made",
            "subject": "thing/7",
            "time": datetime(2026, 1, 31, 9, 30, 0, 500, tzinfo=UTC),
            "sequence": "00042",
        },
        DATA,
    )


def assert_same(found: BaseCloudEvent, sent: CloudEvent) -> None:
    assert {**found.get_attributes(), "datacontenttype": None} == {**sent.get_attributes(), "datacontenttype": None}
    assert found.get_data() == sent.get_data()


def read(text: str | bytes) -> BaseCloudEvent:
    return JSONFormat().read(None, text)


@pytest.mark.parametrize("write", [to_structured_event, to_binary_event])
def test_an_event_that_the_sdk_posts_is_read_by_it_in_a_listing(service: Service, write: Any) -> None:
    sent = an_event()
    message = write(sent)
    posted = service.post("/v2/queues/q/events", content=message.body, headers=dict(message.headers))
    assert posted.status_code == 201
    for form in ("", "&format=cloudevents"):
        [body] = [each["body"] for each in service.get(f"/v2/queues/q/messages?echo=true{form}").json()["messages"]]
        assert_same(read(json.dumps(body)), sent)


def test_a_batch_of_the_sdk_is_posted(service: Service) -> None:
    sent = [an_event(str(number)) for number in range(3)]
    batch = b"[" + b",".join(bytes(JSONFormat().write(each)) for each in sent) + b"]"
    headers = {"content-type": "application/cloudevents-batch+json"}
    assert service.post("/v2/queues/q/events", content=batch, headers=headers).status_code == 201
    listed = service.get("/v2/queues/q/messages?echo=true").json()["messages"]
    for each, one in zip(listed, sent, strict=True):
        assert_same(read(json.dumps(each["body"])), one)


def test_the_sdk_reads_what_is_delivered_whatever_was_posted(start: Callable[..., Service]) -> None:
    sink = Obedient()
    service = start(sink=sink)
    service.post("/v2/queues/q/subscriptions", json={"subscriber": "test:one", "options": {"format": "cloudevents"}})
    message, sent = to_structured_event(an_event()), an_event()
    service.post("/v2/queues/q/events", content=message.body, headers=dict(message.headers))
    service.post("/v2/queues/q/messages", json={"messages": [{"body": {"any": "thing"}}]})
    service.deliver()
    own, plain = [
        from_http_event(HTTPMessage(headers={"content-type": str(each.media_type)}, body=each.body))
        for each in sink.given
    ]
    assert_same(own, sent)
    assert plain.get_data() == {"any": "thing"}


def test_the_sdk_reads_what_listeners_hear(service: Service) -> None:
    message, sent = to_binary_event(an_event()), an_event()
    with (
        Stream(service, query="format=cloudevents") as stream,
        Socket(
            service, path="/v2/queues/q/events", subprotocols=("cloudevents.json",), headers={"X-Project-Id": "p"}
        ) as socket,
    ):
        service.post("/v2/queues/q/events", content=message.body, headers=dict(message.headers))
        assert_same(read(json.dumps(stream.bodies(1)[0])), sent)
        assert_same(read(socket.raw()["text"]), sent)
        socket.send(bytes(JSONFormat().write(an_event("from the socket"))).decode())
        assert read(socket.raw()["text"]).get_id() == "from the socket"
