"""What deployed programs send, and what they do with the answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from sukkal.service.signatures import Signer
from tests.api.calling import Service

RECORDED: Final = Path(__file__).parents[1] / "vectors" / "real-client-requests.jsonl"
KEY: Final = "a key to sign URLs with"


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start(signed_url_keys=KEY)


def recorded(method: str, path: str) -> list[dict[str, Any]]:
    """Return the recorded requests of a method and path, in order."""
    requests = [json.loads(line) for line in RECORDED.read_text("utf-8").splitlines()]
    found = [each for each in requests if (each["method"], each["path"]) == (method, path)]
    assert found
    return found


def replay(service: Service, request: dict[str, Any]) -> httpx.Response:
    """Make a recorded request; the answer must have the recorded status and at least the recorded members."""
    headers = {name.lower(): value for name, value in request["headers"].items()}
    headers = {"x-project-id": "proj1"} | headers
    if "url-signature" in headers:
        # The recorded one was made with a key that nobody knows.
        paths, methods = headers["url-paths"].split(","), headers["url-methods"].split(",")
        signature = Signer([KEY]).sign(paths, methods, headers["x-project-id"], headers["url-expires"])
        headers["url-signature"] = signature.text
    response = service.call(
        request["method"],
        request["path"],
        client=None,
        project=None,
        headers=headers,
        content=None if request["body"] is None else json.dumps(request["body"]),
    )
    assert response.status_code == request["status"]
    if request["response"]:
        assert set(request["response"]) == set(response.json())
    return response


def test_heat_config_notify_posts_the_result_of_a_deployment_that_heat_pops(service: Service) -> None:
    path = "/v1.1/queues/stack-dep-abc123/messages"
    (request,) = recorded("POST", path)
    (resource,) = replay(service, request).json()["resources"]
    assert resource.startswith(f"{path}/")
    popped = service.delete("/v2/queues/stack-dep-abc123/messages?pop=1", project="proj1").json()["messages"]
    (message,) = request["body"]["messages"]
    assert [(each["body"], each["ttl"]) for each in popped] == [(message["body"], 600)]


def test_os_collect_config_pops_metadata_once(service: Service) -> None:
    full, empty = recorded("DELETE", "/v2/queues/srv-meta-q/messages?pop=1")
    (expected,) = full["response"]["messages"]
    document = {"messages": [{"body": expected["body"]}]}
    service.post("/v2/queues/srv-meta-q/messages", json=document, project="proj1")
    (message,) = replay(service, full).json()["messages"]
    # It reads the body and nothing else; a pop never had the recorded server's href.
    assert {name: message[name] for name in ("ttl", "age", "body")} == {
        name: expected[name] for name in ("ttl", "age", "body")
    }
    assert replay(service, empty).json() == empty["response"]


def test_heat_posts_an_event(service: Service) -> None:
    (request,) = recorded("POST", "/v2/queues/myqueue/messages")
    (resource,) = replay(service, request).json()["resources"]
    message = service.get(resource, project="proj1").json()
    assert message["body"] == request["body"]["messages"][0]["body"]
    assert message["ttl"] == 1200


def test_heat_shares_the_queue_of_a_deployment_and_polls_it_without_a_token(service: Service) -> None:
    (request,) = recorded("POST", "/v2/queues/stack-dep-xyz/share")
    headers = {"x-project-id": request["headers"]["X-Project-Id"]}
    shared = service.post(request["path"], headers=headers, project=None, json=request["body"]).json()
    assert set(request["response"]) <= set(shared)
    assert shared["paths"] == request["response"]["paths"]
    (poll,) = recorded("DELETE", "/v2/queues/stack-dep-xyz/messages?pop=1")
    names = {"url-expires": "expires", "url-signature": "signature", "x-project-id": "project"}
    given = {name: shared[member] for name, member in names.items()}
    given |= {"url-paths": ",".join(shared["paths"]), "url-methods": ",".join(shared["methods"])}
    response = service.delete(poll["path"], headers=given, project=None)
    assert (response.status_code, response.json()) == (200, poll["response"])


def test_an_agent_pops_from_a_queue_that_does_not_exist_yet(service: Service) -> None:
    (request,) = recorded("DELETE", "/v2/queues/stack-dep-xyz/messages?pop=1")
    assert replay(service, request).json() == {"messages": []}


def test_heat_deletes_the_queue_of_a_deployment(service: Service) -> None:
    (request,) = recorded("DELETE", "/v2/queues/stack-dep-xyz")
    service.post("/v2/queues/stack-dep-xyz/messages", json={"messages": [{"body": 1}]}, project="stackuserproj")
    for _ in range(2):
        replay(service, request)
    assert service.get("/v2/queues", project="stackuserproj").json()["queues"] == []


def test_heat_reads_and_changes_a_queue_that_it_never_created(service: Service) -> None:
    (get,) = recorded("GET", "/v2/queues/rq")
    (patch,) = recorded("PATCH", "/v2/queues/rq")
    before = replay(service, get).json()
    assert "a" not in before
    assert replay(service, patch).json() == before | {"a": 1}
    assert replay(service, get).json() == before | {"a": 1}


def test_every_recorded_request_for_queues_and_messages_has_a_test() -> None:
    requests = [json.loads(line) for line in RECORDED.read_text("utf-8").splitlines()]
    ours = {
        (each["method"], each["path"])
        for each in requests
        if "/queues/" in each["path"] and "/subscriptions" not in each["path"]
    }
    assert ours == {
        ("POST", "/v1.1/queues/stack-dep-abc123/messages"),
        ("DELETE", "/v2/queues/srv-meta-q/messages?pop=1"),
        ("POST", "/v2/queues/myqueue/messages"),
        ("DELETE", "/v2/queues/stack-dep-xyz/messages?pop=1"),
        ("DELETE", "/v2/queues/stack-dep-xyz"),
        ("GET", "/v2/queues/rq"),
        ("PATCH", "/v2/queues/rq"),
        ("POST", "/v2/queues/stack-dep-xyz/share"),
    }
