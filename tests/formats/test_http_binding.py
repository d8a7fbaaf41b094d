"""CloudEvents over HTTP: three modes, and headers that hold any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukkal.errors import InvalidEvent, UnsupportedMediaType
from sukkal.format import Event
from sukkal.formats import cloudevents, http_binding
from sukkal.formats.attributes import is_string

LEAST = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")]


def decoded(*headers: tuple[str, str], body: bytes = b"") -> Event:
    return http_binding.decode_binary([*LEAST, *headers], body)


def test_attributes_travel_as_headers_and_data_as_the_body() -> None:
    event = Event(
        id="1",
        source="/s?a=b",
        type="t",
        subject='Euro € 😀 "100%"',
        datacontenttype="application/json",
        extensions={"count": -5, "flag": True},
        data={"a": 1.50},
    )
    headers, body = http_binding.encode_binary(event)
    assert headers == [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/s?a=b"),
        ("ce-type", "t"),
        ("ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22"),
        ("ce-count", "-5"),
        ("ce-flag", "true"),
        ("content-type", "application/json"),
    ]
    assert body == b'{"a":1.5}'


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(is_string))
def test_a_header_holds_any_text_in_printable_ascii(text: str) -> None:
    headers, body = http_binding.encode_binary(Event(id=text, source="/s", type="t", extensions={"x": text}))
    assert all(" " < character <= "~" for _, value in headers for character in value)
    event = http_binding.decode_binary(headers, body)
    assert (event.id, event.extensions["x"]) == (text, text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("%E2%82%AC", "€"),
        ("%e2%82%ac", "€"),
        ("%2525", "%25"),
        ("100%", "100%"),
        ("a+b", "a+b"),
        ('"a b"', "a b"),
        (r'"a \"b\" \\"', 'a "b" \\'),
        ('"', '"'),
        (" a ", "a"),
        ("a,b", "a,b"),
    ],
)
def test_a_header_is_unquoted_and_decoded_once(value: str, text: str) -> None:
    assert decoded(("ce-subject", value)).subject == text


def test_names_of_headers_are_read_in_any_case() -> None:
    event = http_binding.decode_binary([(name.upper(), value) for name, value in LEAST], b"")
    assert event == Event(id="1", source="/s", type="t")


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ([("ce-subject", "%FF")], "subject"),
        ([("ce-subject", "%ED%A0%80")], "subject"),
        ([("ce-subject", "")], "subject"),
        ([("ce-subject", "%00")], "subject"),
        ([("ce-id", "2")], "id is there twice"),
        ([("CE-Id", "1")], "id is there twice"),
        ([("ce-datacontenttype", "text/plain")], "content-type"),
        ([("ce-data", "x")], "data"),
        ([("ce-a-b", "x")], "a-b"),
        ([("content-type", "nonsense")], "datacontenttype"),
        ([("ce-time", "now")], "time"),
    ],
)
def test_a_header_that_is_no_attribute_is_refused_by_name(headers: list[tuple[str, str]], named: str) -> None:
    with pytest.raises(InvalidEvent, match=named):
        decoded(*headers)


@pytest.mark.parametrize("missing", range(4))
def test_every_required_attribute_is_asked_for(missing: int) -> None:
    name = LEAST[missing][0].removeprefix("ce-")
    with pytest.raises(InvalidEvent, match=name):
        http_binding.decode_binary(LEAST[:missing] + LEAST[missing + 1 :], b"")


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        ("application/json", b'{"a":[]}', {"a": []}),
        ("application/json", b'"a"', "a"),
        ("Application/Vnd.X+JSON; charset=utf-8", b"[1]", [1]),
        ("text/plain", "é".encode(), "é"),
        ("text/plain; charset=UTF-8", "é".encode(), "é"),
        ("text/plain; charset=iso-8859-1", b"\xe9", b"\xe9"),
        ("text/plain", b"\xe9", b"\xe9"),
        ("application/xml", b"<a/>", "<a/>"),
        ("image/svg+xml", b"<a/>", "<a/>"),
        ("image/png", b"\x89PNG", b"\x89PNG"),
        ("image/png", b"", None),
    ],
)
def test_data_is_read_as_its_type_says_and_written_back_as_it_was(content_type: str, body: bytes, data: object) -> None:
    event = decoded(("content-type", content_type), body=body)
    assert (event.data, event.datacontenttype) == (data, content_type)
    headers, written = http_binding.encode_binary(event)
    assert written == body
    assert ("content-type", content_type) in headers
    assert cloudevents.decode(cloudevents.encode(event)) == event


@pytest.mark.parametrize(("body", "data"), [(b'{"a": 1}', {"a": 1}), (b"\x00", b"\x00"), (b"", None)])
def test_data_without_a_type_is_json_if_it_can_be(body: bytes, data: object) -> None:
    assert decoded(body=body).data == data


def test_data_that_is_not_the_json_it_should_be_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="data"):
        decoded(("content-type", "application/json"), body=b"hello")


def test_json_gets_its_type_and_bytes_get_none() -> None:
    assert ("content-type", "application/json") in http_binding.encode_binary(event_with([1]))[0]
    headers, body = http_binding.encode_binary(event_with(b"\x00"))
    assert "content-type" not in dict(headers)
    assert body == b"\x00"


def event_with(data: object) -> Event:
    return Event(id="1", source="/s", type="t", data=data)


def test_the_mode_is_told_by_the_media_type() -> None:
    event = Event(id="1", source="/s", type="t", data={"a": 1})
    one, batch = cloudevents.encode(event), cloudevents.encode_batch([event, event])
    structured = [("Content-Type", "application/CloudEvents+JSON; charset=utf-8")]
    assert http_binding.decode_message(structured, one) == [event]
    assert http_binding.decode_message([("content-type", cloudevents.BATCH_TYPE)], batch) == [event, event]
    [binary] = http_binding.decode_message(*http_binding.encode_binary(event))
    assert binary.data == {"a": 1}


def test_events_in_another_format_than_json_are_refused() -> None:
    with pytest.raises(UnsupportedMediaType, match="json"):
        http_binding.decode_message([("content-type", "application/cloudevents+avro")], b"")


@pytest.mark.parametrize(
    ("headers", "claims"),
    [
        (LEAST, True),
        ([("Content-Type", "application/cloudevents+json")], True),
        ([("Content-Type", "application/cloudevents+xml")], True),
        ([("Content-Type", "application/json")], False),
        ([], False),
    ],
)
def test_whether_a_message_is_of_events_is_told_by_its_headers(headers: list[tuple[str, str]], claims: bool) -> None:
    assert http_binding.is_event(headers) is claims
