"""Input that makes no sense, everywhere at once: a 4xx in the shape of the API, and nothing stored or changed."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.calling import PATCH_TYPE, Service, refused

POST = ("POST", "/v2/queues/new/messages")
PUT = ("PUT", "/v2/queues/new")
PATCH = ("PATCH", "/v2/queues/kept")
CLAIM = ("POST", "/v2/queues/kept/claims")
PURGE = ("POST", "/v2/queues/kept/purge")
TOPIC = ("POST", "/v2/topics/new/messages")
OLD = ("POST", "/v1.1/queues/new/messages")

NOT_JSON = {
    "nothing but space": b" \n",
    "half an object": b'{"a": ',
    "half a string": b'{"a": "b',
    "single quotes": b"{'a': 1}",
    "a trailing comma": b'{"a": 1,}',
    "two documents": b"{} {}",
    "NaN": b'{"ttl": NaN, "messages": [{"body": NaN}], "resource_types": NaN}',
    "Infinity": b'{"ttl": Infinity, "messages": [{"body": -Infinity}], "resource_types": Infinity}',
    "a bare word": b"undefined",
    "invalid UTF-8": b'{"a": "\xc3\x28", "messages": [{"body": "\xc3\x28"}]}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"messages": [{"body": 1}]}',
    "a null byte": b'{"a": "\x00", "messages": [{"body": "\x00"}]}',
    "a bad escape": b'{"a": "\\x41", "messages": [{"body": "\\x41"}]}',
    "deep arrays": b'{"ttl": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "deep objects": b'{"ttl": ' + b'{"a":' * 10_500 + b"1" + b"}" * 10_500 + b"}",
    "only openings": b"[" * 30_000,
}


@pytest.fixture
def guarded(service: Service) -> Callable[[], None]:
    """Return a check that nothing was made and nothing lost."""
    service.put("/v2/queues/kept", json={"a": 1})
    service.post_bodies("kept", queue="kept")
    before = service.get("/v2/queues/kept").json()

    def check() -> None:
        assert [each["name"] for each in service.get("/v2/queues").json()["queues"]] == ["kept"]
        assert service.get("/v2/topics").json()["topics"] == []
        assert service.get("/v2/queues/kept").json() == before
        assert service.bodies(queue="kept") == ["kept"]
        assert service.get("/v2/queues/kept/claims").json()["claims"] == []

    return check


def headers_for(method: str) -> dict[str, str]:
    return {"content-type": PATCH_TYPE} if method == "PATCH" else {}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused_by_everything_that_takes_a_body(
    service: Service, guarded: Callable[[], None], name: str
) -> None:
    for method, path in (POST, PUT, PATCH, CLAIM, PURGE, TOPIC, OLD):
        response = service.call(method, path, content=NOT_JSON[name], headers=headers_for(method))
        refused(response, 400, "could not be parsed", title="Invalid request body")
    guarded()


@pytest.mark.parametrize("content", [b"null", b"true", b"0", b"-1.5", b'"text"', b"9223372036854775808"])
def test_a_document_is_an_object_or_an_array(service: Service, guarded: Callable[[], None], content: bytes) -> None:
    for method, path in (POST, PUT, PATCH, CLAIM, PURGE, TOPIC, OLD):
        refused(service.call(method, path, content=content, headers=headers_for(method)), 400)
    guarded()


@pytest.mark.parametrize("value", ["null", "true", "false", '"60"', "60.0", "6e1", "[60]", "{}", "[]", '""'])
@pytest.mark.parametrize("field", ["ttl", "delay"])
def test_a_number_of_a_message_is_a_whole_one(
    service: Service, guarded: Callable[[], None], field: str, value: str
) -> None:
    content = f'{{"messages": [{{"body": 1}}, {{"body": 2, "{field}": {value}}}]}}'
    for method, path in (POST, TOPIC):
        response = service.call(method, path, content=content)
        refused(response, 400, f'The value of the "{field}" field must be a int.', title="Invalid request body")
    guarded()


@pytest.mark.parametrize("value", ["null", "true", '"60"', "60.0", "6e1", "[60]", "{}"])
@pytest.mark.parametrize("field", ["ttl", "grace"])
def test_a_number_of_a_claim_is_a_whole_one(
    service: Service, guarded: Callable[[], None], field: str, value: str
) -> None:
    response = service.call(*CLAIM, content=f'{{"{field}": {value}}}')
    refused(response, 400, f'The value of the "{field}" field must be a int.', title="Invalid request body")
    guarded()


@pytest.mark.parametrize("value", ["9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "1e400", "-1e999"])
@pytest.mark.parametrize(
    ("request_", "document"),
    [
        (POST, '{"messages": [{"body": 1, "ttl": @}]}'),
        (POST, '{"messages": [{"body": 1, "delay": @}]}'),
        (CLAIM, '{"ttl": @}'),
        (CLAIM, '{"grace": @}'),
        (PUT, '{"_default_message_ttl": @}'),
        (PUT, '{"_max_claim_count": @}'),
        (PUT, '{"a": {"b": [@]}}'),
        (PATCH, '[{"op": "add", "path": "/metadata/b", "value": @}]'),
    ],
)
def test_a_number_beyond_64_bits_is_refused_where_a_number_is_read(
    service: Service, guarded: Callable[[], None], request_: tuple[str, str], document: str, value: str
) -> None:
    method, path = request_
    response = service.call(method, path, content=document.replace("@", value), headers=headers_for(method))
    refused(response, 400)
    assert response.json()["description"]
    guarded()


def test_the_last_of_two_members_of_one_name_counts(service: Service, guarded: Callable[[], None]) -> None:
    refused(service.call(*POST, content=b'{"messages": [{"body": 1, "ttl": 60, "ttl": 5}]}'), 400, "at least 60")
    refused(service.call(*POST, content=b'{"messages": [{"body": 1}], "messages": []}'), 400, "No messages")
    guarded()


@pytest.mark.parametrize("value", ["21", "0", "-1", "x", "1.0", "0x1", "1e1", "%00", "%20", "9" * 30, "1,2", "true"])
def test_a_limit_out_of_range_or_no_number_is_refused_everywhere(
    service: Service, guarded: Callable[[], None], value: str
) -> None:
    for method, path in (
        ("GET", "/v2/queues?limit="),
        ("GET", "/v1.1/queues?limit="),
        ("GET", "/v2/topics?limit="),
        ("GET", "/v2/queues/kept/messages?limit="),
        ("GET", "/v1.1/queues/kept/messages?limit="),
        ("GET", "/v2/queues/kept/claims?limit="),
        ("POST", "/v2/queues/kept/claims?limit="),
        ("POST", "/v1.1/queues/kept/claims?limit="),
        ("DELETE", "/v2/queues/kept/messages?pop="),
        ("DELETE", "/v2/topics/kept/messages?pop="),
    ):
        response = service.call(method, path + value)
        refused(response, 400)
        description = response.json()["description"].lower()
        assert "limit" in description or "pop" in description
        assert "20" in description or "integer" in description
    guarded()


@pytest.mark.parametrize("value", ["-1", "61", "x", "1.5", "9" * 30, "true", "%00"])
def test_a_wait_out_of_range_or_no_number_is_refused_everywhere(
    service: Service, guarded: Callable[[], None], value: str
) -> None:
    for method, path in (
        ("GET", "/v2/queues/kept/messages"),
        ("GET", "/v1.1/queues/kept/messages"),
        ("POST", "/v2/queues/kept/claims"),
        ("GET", "/v2/topics/kept/messages"),
    ):
        refused(service.call(method, f"{path}?wait={value}"), 400, '"wait"', title="Invalid parameter")
    guarded()


@pytest.mark.parametrize("name", ["echo", "include_claimed", "include_delayed", "detailed"])
@pytest.mark.parametrize("value", ["2", "TRUE", "tru", "null", "%00", "true,false"])
def test_a_flag_that_is_neither_true_nor_false_is_refused(
    service: Service, guarded: Callable[[], None], name: str, value: str
) -> None:
    response = service.get(f"/v2/queues/kept/messages?{name}={value}")
    refused(response, 400, f'"{name}"', '"true" or "false"', title="Invalid parameter")
    guarded()


@pytest.mark.parametrize("id_", ["%00", "%FF", "%C3%A9", "'", '"', "%25", "x" * 2_000, "..%2F..", "a%20b", "%0A", "*"])
def test_an_id_that_cannot_be_one_is_not_found(service: Service, guarded: Callable[[], None], id_: str) -> None:
    for method, path, statuses in (
        ("GET", "/v2/queues/kept/messages/{}", {400, 404}),
        ("DELETE", "/v2/queues/kept/messages/{}", {204, 400, 404}),
        ("GET", "/v2/queues/kept/messages?ids={}", {400, 404}),
        ("DELETE", "/v2/queues/kept/messages?ids={}", {204, 400}),
        ("GET", "/v2/queues/kept/messages?marker={}", {400}),
        ("GET", "/v2/queues/kept/claims/{}", {400, 404}),
        ("PATCH", "/v2/queues/kept/claims/{}", {400, 404}),
        ("DELETE", "/v2/queues/kept/claims/{}", {204, 400, 404}),
        ("PATCH", "/v2/queues/kept/claims/{0}/messages/{0}", {400, 404}),
    ):
        response = service.call(method, path.format(id_), **({"json": {}} if method == "PATCH" else {}))
        assert response.status_code in statuses, (method, path, response.text)
    guarded()


def test_bodies_where_none_is_wanted_change_nothing(service: Service, guarded: Callable[[], None]) -> None:
    def send(method: str, path: str) -> Any:
        return service.call(method, path, content=b'{"limit": 0')

    assert send("GET", "/v2/queues").status_code == 200
    assert send("GET", "/v2/queues/kept/messages").status_code == 200
    assert send("DELETE", "/v2/queues/none").status_code == 204
    assert send("GET", "/v2/ping").status_code == 204
    guarded()


def test_a_refused_pop_takes_nothing(service: Service, guarded: Callable[[], None]) -> None:
    refused(service.delete("/v2/queues/kept/messages?pop=1&detailed=zzz"), 400, '"detailed"')
    guarded()


@pytest.mark.parametrize("query", ["detailed=zzz", "wait=zzz", "limit=zzz", "limit=1&wait=-1"])
def test_a_refused_claim_takes_nothing(service: Service, guarded: Callable[[], None], query: str) -> None:
    refused(service.post(f"/v2/queues/kept/claims?{query}"), 400, title="Invalid parameter")
    guarded()
