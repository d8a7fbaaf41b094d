"""The SDK of the CloudEvents project reads what we write, and we read what it writes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import (
    HTTPMessage,
    from_http_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from tests.formats.natives import heat_events, mistral_events, oslo_notifications

from sukkal.format import Event
from sukkal.formats import Registry, cloudevents, documents, http_binding
from sukkal.formats.times import instant
from sukkal.testing.format_contract import RECEIVED

NATIVE: list[Any] = [*oslo_notifications(), *heat_events(), *mistral_events(), {"type": "t", "payload": {}}, [1, "é"]]

ODD = "é 100% \"quoted\" 'single' \\ 😀"
ATTRIBUTES: dict[str, Any] = {
    "id": ODD,
    "source": "/a%20b?c=d#e",
    "type": ODD,
    "subject": ODD,
    "time": datetime(2026, 1, 31, 9, 30, 0, 500, tzinfo=UTC),
    "correlationid": ODD,
}


def assert_is_read(found: BaseCloudEvent, event: Event) -> None:
    """See that the SDK found in an event what there is; it knows binary mode's values as text."""
    attributes = dict(found.get_attributes())
    assert attributes.pop("specversion") == "1.0"
    assert attributes.pop("time") == instant(event.time or "")
    wanted = cloudevents.document_of(event) | {"data": None}
    del wanted["specversion"], wanted["time"], wanted["data"]
    assert {name: str(value) for name, value in attributes.items()} == {
        name: str(value) for name, value in wanted.items()
    }
    # It counts with floats where we keep the digits.
    assert found.get_data() == json.loads(documents.encode(event.data))


@pytest.mark.parametrize("number", range(len(NATIVE)))
def test_the_sdk_reads_the_event_of_a_native_document_in_binary_and_structured_mode(number: int) -> None:
    event = Registry().to_event(documents.decode(documents.encode(NATIVE[number])), RECEIVED)
    headers, body = http_binding.encode_binary(event)
    structured = {"content-type": cloudevents.STRUCTURED_TYPE}
    assert_is_read(from_http_event(HTTPMessage(headers=dict(headers), body=body)), event)
    assert_is_read(from_http_event(HTTPMessage(headers=structured, body=cloudevents.encode(event))), event)


def test_the_sdk_reads_every_event_of_a_batch() -> None:
    events = [Registry().to_event(documents.decode(documents.encode(each)), RECEIVED) for each in NATIVE]
    for found, event in zip(json.loads(cloudevents.encode_batch(events)), events, strict=True):
        assert_is_read(JSONFormat().read(None, json.dumps(found)), event)


@pytest.mark.parametrize("number", range(len(NATIVE)))
def test_what_the_sdk_passes_on_is_still_the_native_document(number: int) -> None:
    registry, document = Registry(), documents.decode(documents.encode(NATIVE[number]))
    headers, body = http_binding.encode_binary(registry.to_event(document, RECEIVED))
    for write in (to_binary_event, to_structured_event):
        # The SDK writes data other than objects in ways of its own.
        if not isinstance(document, dict):
            continue
        passed_on = write(from_http_event(HTTPMessage(headers=dict(headers), body=body)))
        [event] = http_binding.decode_message(passed_on.headers.items(), passed_on.body)
        assert json.loads(documents.encode(registry.to_native(event))) == json.loads(documents.encode(document))


@pytest.mark.parametrize("write", [to_binary_event, to_structured_event])
@pytest.mark.parametrize(
    ("datacontenttype", "data"),
    [
        (None, None),
        (None, {"a": [1, 2.5, None, "é"]}),
        ("application/json", {"a": {}}),
        ("application/vnd.example+json; charset=utf-8", {"a": {}}),
        ("text/plain", "é\nü"),
        ("application/xml", "<a>é</a>"),
        ("application/octet-stream", b"\x00\xff"),
        (None, b"\x00\xff"),
    ],
)
def test_an_event_of_the_sdk_is_read_in_binary_and_structured_mode(
    write: Any, datacontenttype: str | None, data: Any
) -> None:
    attributes = dict(ATTRIBUTES) | ({"datacontenttype": datacontenttype} if datacontenttype else {})
    message = write(CloudEvent(attributes, data))
    [event] = http_binding.decode_message(message.headers.items(), message.body)
    assert (event.id, event.source, event.type, event.subject) == (ODD, "/a%20b?c=d#e", ODD, ODD)
    assert (event.time, event.extensions) == ("2026-01-31T09:30:00.000500Z", {"correlationid": ODD})
    assert event.datacontenttype == datacontenttype
    assert json.loads(documents.encode(event.data)) == data if isinstance(data, dict) else event.data == data


def test_a_batch_of_events_of_the_sdk_is_read() -> None:
    written = [JSONFormat().write(CloudEvent(ATTRIBUTES | {"id": str(number)}, {"n": number})) for number in range(3)]
    events = cloudevents.decode_batch(b"[" + b",".join(written) + b"]")
    assert [(event.id, event.data) for event in events] == [(str(number), {"n": number}) for number in range(3)]
