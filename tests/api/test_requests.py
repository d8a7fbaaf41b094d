"""What a request has to look like: which of several faults is told, and how the body may come."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.api.calling import PATCH_TYPE, Service, refused

FAULTY: dict[str, Any] = {
    "content": b"{",
    "client": None,
    "project": None,
    "headers": {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"},
}
JSON = {"content-type": "application/json"}


def test_of_several_faults_the_first_one_is_told(service: Service) -> None:
    path = "/v2/queues/bad%20name/messages"
    assert service.call("PUT", "/v2/nothing", **FAULTY).json() == {"title": "404 Not Found"}
    refused(service.post(path, **FAULTY), 400, title="Invalid Content-Type")
    faults = FAULTY | {"headers": {**JSON, "accept": "text/html"}}
    assert service.post(path, **faults).status_code == 406
    faults = FAULTY | {"headers": JSON}
    refused(service.post(path, **faults), 400, title="Missing header value")
    faults |= {"client": "me"}
    refused(service.post(path, **faults), 400, title="Wrong UUID value")
    del faults["client"]
    refused(service.post(path, **faults), 400, title="Project-Id Missing")
    faults |= {"project": "p" * 257}
    refused(service.post("/v2/queues/q/messages", **faults), 400, title="Invalid queue identification")
    refused(service.call("PUT", "/v2/queues", **faults), 400, title="Invalid queue identification")
    del faults["project"]
    assert service.call("PUT", "/v2/queues", **faults).status_code == 405
    refused(service.post("/v2/queues/q/messages", **faults), 400, title="Invalid request body")


def test_a_bad_name_is_told_before_a_bad_body(service: Service) -> None:
    refused(service.post("/v2/queues/bad%20name/messages", content=b"{"), 400, title="Invalid queue identification")


def test_a_body_may_come_in_chunks(service: Service) -> None:
    async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    def send(method: str, path: str, *parts: bytes) -> Any:
        return service.call(method, path, content=chunks(*parts))

    posted = send("POST", "/v2/queues/q/messages", b'{"messages": [', b'{"body": "a"}, {"bo', b'dy": "b"}]}')
    assert posted.request.headers["transfer-encoding"] == "chunked"
    assert posted.status_code == 201
    assert service.bodies() == ["a", "b"]
    assert send("PUT", "/v2/queues/r", b'{"a":', b" 1}").status_code == 201
    assert service.get("/v2/queues/r").json()["a"] == 1
    assert send("POST", "/v2/queues/q/claims", b'{"tt', b'l": 100}').status_code == 201
    refused(send("POST", "/v2/queues/s/messages", *[b"x" * 1_024] * 300), 400, "Max size 262144")
    refused(send("POST", "/v2/queues/s/messages"), 400, "can not be empty", title="Invalid request body")


def test_every_answer_has_an_id_of_its_own_and_errors_vary_by_accept(service: Service) -> None:
    answers = [
        service.get("/v2/queues"),
        service.get("/v2/nothing"),
        service.get("/v2/ping", client=None),
        service.post("/v2/queues"),
        service.delete("/v2/queues/q"),
    ]
    assert len({each.headers["x-openstack-request-id"] for each in answers}) == len(answers)
    assert [each.headers.get("vary") for each in answers] == [None, "Accept", "Accept", "Accept", None]


def test_an_answer_to_head_has_no_content(service: Service) -> None:
    for path, headers, status in (("/v2/ping", {}, 204), ("/v2/queues", {}, 405), ("/v2/ping", {"client": None}, 400)):
        response = service.call("HEAD", path, **headers)
        assert (response.status_code, response.content) == (status, b"")


@pytest.mark.parametrize(
    "media_type", ["application/json", f"{PATCH_TYPE}; charset=utf-8", "application/json-patch+json", ""]
)
def test_a_change_of_metadata_wants_exactly_its_media_type(service: Service, media_type: str) -> None:
    response = service.patch("/v2/queues/q", content=b"[]", headers={"content-type": media_type})
    refused(response, 415, PATCH_TYPE, title="415 Unsupported Media Type")
    assert service.get("/v2/queues").json()["queues"] == []


@pytest.mark.parametrize("path", ["/v2/queues/q%2Fmessages", "/v2/queues/%71/messages"])
def test_a_path_is_read_after_its_escapes_are_undone(service: Service, path: str) -> None:
    service.post_bodies("x")
    assert [each["body"] for each in service.get(f"{path}?echo=true").json()["messages"]] == ["x"]


@pytest.mark.parametrize("body", ["1" * 5_000, "[" * 900 + "]" * 900, "1E400", '{"a":1,"a":2}'])
def test_a_body_that_is_taken_can_be_read_with_checksums_on(start: Callable[..., Service], body: str) -> None:
    service = start(enable_checksum=True)
    posted = service.post("/v2/queues/q/messages", content=f'{{"messages": [{{"body": {body}}}]}}')
    assert posted.status_code == 201
    (path,) = posted.json()["resources"]
    for response in (
        service.get("/v2/queues/q/messages?echo=true"),
        service.get(path),
        service.post("/v2/queues/q/claims"),
    ):
        assert f'"body":{body}' in response.text


def test_metadata_that_are_taken_can_be_shown_however_deep(service: Service) -> None:
    statuses = {}
    for depth in (1, 50, *range(90, 110), *range(950, 1_010, 5)):
        content = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
        response = service.put("/v2/queues/q", content=content)
        statuses[depth] = response.status_code
        if response.status_code == 201:
            assert content[6:-1] in service.get("/v2/queues/q").content
            assert content[6:-1] in service.get("/v2/queues?detailed=true").content
            assert service.patch("/v2/queues/q", content=b"[]", headers={"content-type": PATCH_TYPE}).status_code == 200
            service.delete("/v2/queues/q")
        else:
            refused(response, 400, "nested too deeply")
    # One limit, and not that of the stack.
    assert {statuses[depth] for depth in (1, 50, 90)} == {201}
    assert {status for depth, status in statuses.items() if depth > 100} == {400}
