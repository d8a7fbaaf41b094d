"""Policy, audit log and other origins, as a caller and an operator see them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sukkal.service.operations import OPERATIONS
from sukkal.transports.http.routing import routes
from tests.api.calling import CLIENT, Service, refused


def policy(tmp_path: Path, **rules: str) -> str:
    file = tmp_path / "policy.yaml"
    file.write_text(json.dumps({name.replace("__", ":"): rule for name, rule in rules.items()}))
    return str(file)


@pytest.mark.parametrize("route", routes(with_v1_1=True), ids=lambda route: f"{route.operation.method} {route.path}")
def test_a_policy_that_allows_nothing_closes_every_operation(
    start: Callable[..., Service], tmp_path: Path, route: Any
) -> None:
    rules = {each.policy.replace(":", "__"): "!" for each in OPERATIONS if each.policy}
    rules |= {name.replace("queues__", "topics__"): "!" for name in rules}
    service = start(policy_file=policy(tmp_path, **rules))
    path = route.path.format(
        queue_name="q",
        message_id="m",
        claim_id="c",
        signed_url_id="s",
        project_id="p",
        subscription_id="u",
        listener_id="l",
        search_name="s",
        pool_name="p",
        flavor_name="f",
    )
    response = service.call(route.operation.method, path, headers={"x-roles": "admin"}, content=b"{")
    if route.operation.policy is None:
        assert response.status_code == 200
    elif route.operation.method == "HEAD":
        assert response.status_code == 403
    else:
        refused(response, 403, "not authorized", title="Not authorized")


def test_a_policy_decides_by_role(start: Callable[..., Service], tmp_path: Path) -> None:
    service = start(policy_file=policy(tmp_path, messages__create="role:writer", topics__create="role:admin"))
    document = {"messages": [{"body": 1}]}
    path = "/v2/queues/q/messages"
    for roles, status in (("", 403), ("reader", 403), ("Writer", 201), ("reader, writer", 201)):
        assert service.post(path, json=document, headers={"x-roles": roles}).status_code == status
    assert service.post("/v1.1/queues/q/messages", json=document).status_code == 403
    assert service.post("/v2/topics/t/messages", json=document).status_code == 403
    assert service.post(f"{path}/raw", json=1).status_code == 403
    assert service.put("/v2/queues/r").status_code == 201
    refused(service.put("/v2/topics/r"), 403)


def test_a_policy_is_read_again_and_a_wrong_one_changes_nothing(start: Callable[..., Service], tmp_path: Path) -> None:
    file = Path(policy(tmp_path, queues__create="!"))
    service = start(policy_file=str(file))
    refused(service.put("/v2/queues/q"), 403)
    policy(tmp_path, queues__create="@", queues__delete="!")
    refused(service.put("/v2/queues/q"), 403)
    service.app.reloading.reload()
    assert service.put("/v2/queues/q").status_code == 201
    file.write_text('"queues:create": "role:admin or"')
    service.app.reloading.reload()
    file.unlink()
    service.app.reloading.reload()
    file.write_text("  \n")
    service.app.reloading.reload()
    refused(service.delete("/v2/queues/q"), 403)


def test_nobody_signs_what_he_may_not_do(start: Callable[..., Service], tmp_path: Path) -> None:
    service = start(policy_file=policy(tmp_path, messages__create="role:writer"), signed_url_keys="k" * 16)
    share = "/v2/queues/q/share"
    refused(service.post(share, json={"methods": ["POST"]}), 403, "messages:create")
    assert service.post(share, json={"methods": ["GET"]}).status_code == 200
    assert service.post(share, json={"methods": ["POST"], "paths": ["claims"]}).status_code == 200
    shared = service.post(share, json={"methods": ["POST"]}, headers={"x-roles": "writer"}).json()
    response = service.post(shared["post_url"], json=1, project=None, client=None)
    assert response.status_code == 201


def test_limits_of_ones_own_project_may_be_opened_by_policy(start: Callable[..., Service], tmp_path: Path) -> None:
    service = start(policy_file=policy(tmp_path, limits__get="rule:admin_or_owner"))
    assert service.get("/v2/limits/p").status_code == 200
    refused(service.get("/v2/limits/other"), 403)


def events(file: Path, service: Service) -> list[dict[str, Any]]:
    service.app.reloading.reload()  # which also writes what waits
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_audit_log_says_who_did_what_with_which_outcome(start: Callable[..., Service], tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    service = start(audit_log=str(file))
    response = service.put("/v2/queues/q", headers={"x-roles": "member"})
    service.get("/v2/queues/q")
    service.get("/v2/health")
    service.put("/v2/queues/bad%20name")
    created, health, bad = events(file, service)
    assert created == {
        "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
        "eventType": "activity",
        "id": created["id"],
        "eventTime": "2023-11-14T22:13:20.000+00:00",
        "action": "update/queues.create",
        "outcome": "success",
        "initiator": {
            "id": "unknown",
            "typeURI": "service/security/account/user",
            "name": "",
            "project_id": "p",
            "roles": ["member"],
            "credential": {"type": "none"},
            "host": {"address": "127.0.0.1"},
        },
        "target": {
            "typeURI": "data/messaging/queues",
            "id": "/v2/queues/q",
            "project_id": "p",
            "queue_name": "q",
        },
        "observer": {"id": "sukkal", "typeURI": "service/messaging", "name": "sukkal"},
        "requestId": response.headers["x-openstack-request-id"],
    }
    assert (health["action"], health["outcome"]) == ("read/health.get", "failure")
    assert health["reason"] == {"reasonType": "sukkal", "reasonCode": "forbidden"}
    assert bad["reason"]["reasonCode"] == "invalid_name"
    assert len({created["id"], health["id"], bad["id"]}) == 3


def test_reads_are_audited_on_demand(start: Callable[..., Service], tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    service = start(audit_log=str(file), audit_reads=True)
    service.get("/v2/queues")
    service.get("/v2/queues", project=None)
    found = events(file, service)
    assert [each["outcome"] for each in found] == ["success", "failure"]
    assert "project_id" not in found[1]["initiator"]


def test_an_audit_log_that_was_moved_away_is_begun_anew(start: Callable[..., Service], tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    service = start(audit_log=str(file))
    service.put("/v2/queues/a")
    file.rename(tmp_path / "old")
    service.put("/v2/queues/b")
    assert events(file, service) == []
    service.put("/v2/queues/c")
    (event,) = events(file, service)
    assert event["target"]["queue_name"] == "c"
    assert len((tmp_path / "old").read_text().splitlines()) == 2


def test_what_a_signed_url_does_is_audited_under_its_id(start: Callable[..., Service], tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    service = start(audit_log=str(file), signed_url_keys="k" * 16)
    shared = service.post("/v2/queues/q/share", json={"methods": ["POST"]}).json()
    service.post(shared["post_url"], json=1, project=None, client=None)
    text = file.read_text() if events(file, service) else ""
    assert shared["signature"] not in text
    last = events(file, service)[-1]
    assert (last["initiator"]["id"], last["initiator"]["credential"]) == (shared["id"], {"type": "signed_url"})


ORIGIN = "https://console.example.org"


def test_other_origins_are_not_let_in_by_default(service: Service) -> None:
    response = service.get("/v2/queues", headers={"origin": ORIGIN})
    assert not [name for name in response.headers if name.startswith("access-control")]
    headers = {"origin": ORIGIN, "access-control-request-method": "GET"}
    assert "access-control-allow-origin" not in service.call("OPTIONS", "/v2/queues", headers=headers).headers


def test_origins_that_are_named_are_let_in(start: Callable[..., Service]) -> None:
    service = start(cors_origins=f"https://other.example.org, {ORIGIN}/")
    for response in (
        service.get("/v2/queues", headers={"origin": ORIGIN}),
        service.get("/v2/queues", headers={"origin": ORIGIN}, client="x"),
    ):
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert "X-OpenStack-Request-ID" in response.headers["access-control-expose-headers"]
        assert "Origin" in response.headers["vary"]
    headers = {"origin": ORIGIN, "access-control-request-method": "PUT", "access-control-request-headers": "client-id"}
    asked = service.call("OPTIONS", "/v2/queues/q", headers=headers, client=None, project=None)
    assert asked.status_code == 204
    assert "PUT" in asked.headers["access-control-allow-methods"]
    assert "Client-ID" in asked.headers["access-control-allow-headers"]
    assert asked.headers["access-control-allow-origin"] == ORIGIN
    for stranger in ("https://evil.example.org", "null", ORIGIN + ".evil.org"):
        assert "access-control-allow-origin" not in service.get("/v2/queues", headers={"origin": stranger}).headers
    assert "access-control-allow-origin" not in service.get("/v2/queues", headers={"client-id": CLIENT}).headers


def test_all_origins_may_be_let_in(start: Callable[..., Service]) -> None:
    response = start(cors_origins="*").get("/v2/ping", headers={"origin": ORIGIN})
    assert response.headers["access-control-allow-origin"] == ORIGIN
