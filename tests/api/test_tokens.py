"""A service that asks for tokens: which ways are open, and what a caller is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sukkal.cli import main
from tests.api.calling import Service, refused


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def create(keys_file: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that creates a key and returns its text."""

    def create_key(project: str, *more: str) -> str:
        assert main(["key", "create", "--keys-file", str(keys_file), "--project", project, *more]) == 0
        return capsys.readouterr().out.strip()

    return create_key


def bearing(token: str) -> dict[str, Any]:
    return {"headers": {"x-auth-token": token}, "project": None}


def test_a_key_opens_its_project_with_its_roles(
    start: Callable[..., Service], create: Callable[..., str], keys_file: Path
) -> None:
    alpha, beta = create("alpha"), create("beta", "--role", "admin")
    service = start(auth="keys", keys_file=str(keys_file))
    assert service.put("/v2/queues/q", **bearing(alpha)).status_code == 201
    assert service.put("/v2/queues/q", **bearing(beta)).status_code == 201
    assert service.get("/v2/queues/q", project="alpha", headers={"authorization": f"bearer {beta}"}).status_code == 200
    refused(service.get("/v2/health", **bearing(alpha)), 403)
    refused(service.get("/v2/health", project=None, headers={"x-auth-token": alpha, "x-roles": "admin"}), 403)
    assert service.get("/v2/health", **bearing(beta)).status_code == 200


def test_without_a_good_key_nobody_comes_in(
    start: Callable[..., Service], create: Callable[..., str], keys_file: Path
) -> None:
    key = create("alpha")
    service = start(auth="keys", keys_file=str(keys_file))
    for token in ("", "x", key[:-1], key + "x", key.upper(), " "):
        response = service.get("/v2/queues", **bearing(token))
        refused(response, 401, title="Unauthorized")
        assert response.headers["www-authenticate"] == 'Bearer realm="sukkal"'
        assert key not in response.text
    refused(service.get("/v2/queues"), 401, "X-Auth-Token")
    refused(service.get("/v2/queues", client=None, project=None), 401)
    refused(service.post("/v2/queues", **bearing("x")), 401)
    assert service.get("/", client=None, project=None).status_code == 300
    assert service.get("/v2/nothing", client=None, project=None).status_code == 404


def test_a_revoked_key_is_refused_without_a_restart(
    start: Callable[..., Service], create: Callable[..., str], keys_file: Path
) -> None:
    first, second = create("alpha"), create("alpha")
    service = start(auth="keys", keys_file=str(keys_file))
    assert service.get("/v2/queues", **bearing(first)).status_code == 200
    main(["key", "revoke", "--keys-file", str(keys_file), first.split("_")[1]])
    third = create("alpha")
    service.app.reloading.look()
    refused(service.get("/v2/queues", **bearing(first)), 401)
    for key in (second, third):
        assert service.get("/v2/queues", **bearing(key)).status_code == 200
    keys_file.write_text("{")
    service.app.reloading.look()
    assert service.get("/v2/queues", **bearing(second)).status_code == 200


def test_a_new_key_opens_at_once(
    start: Callable[..., Service], create: Callable[..., str], keys_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    create("alpha")
    service = start(auth="keys", keys_file=str(keys_file))
    beta = create("beta")
    assert service.put("/v2/queues/q", **bearing(beta)).status_code == 201
    keys_file.write_text("[[[")
    refused(service.get("/v2/queues", **bearing(beta[:-1] + ("0" if beta[-1] != "0" else "1"))), 401)
    assert "What was read before stays in force" in caplog.text
    assert service.get("/v2/queues/q", **bearing(beta)).status_code == 200


def test_an_expired_key_is_refused(start: Callable[..., Service], create: Callable[..., str], keys_file: Path) -> None:
    key = create("alpha", "--expires", "1d")
    service = start(auth="keys", keys_file=str(keys_file))
    assert service.get("/v2/queues", **bearing(key)).status_code == 200
    service.pass_s(20 * 365 * 86_400)
    refused(service.get("/v2/queues", **bearing(key)), 401, "expired")


def test_several_ways_may_be_open_at_once(
    start: Callable[..., Service], create: Callable[..., str], keys_file: Path
) -> None:
    key = create("alpha")
    service = start(auth="none,keys", keys_file=str(keys_file))
    assert service.put("/v2/queues/q", **bearing(key)).status_code == 201
    assert service.put("/v2/queues/q", project="alpha").status_code == 204
    refused(service.put("/v2/queues/q", project="alpha", headers={"x-auth-token": "wrong"}), 401, "kind")
    refused(service.put("/v2/queues/q", project="alpha", headers={"authorization": "Basic YTpi"}), 401, "kind")


def test_a_service_that_believes_everybody_ignores_tokens(service: Service) -> None:
    assert service.put("/v2/queues/q", headers={"x-auth-token": "of another cloud"}).status_code == 201


def test_a_signed_url_needs_no_token(
    start: Callable[..., Service], create: Callable[..., str], keys_file: Path
) -> None:
    key = create("alpha")
    service = start(auth="keys", keys_file=str(keys_file), signed_url_keys="a key to sign URLs with")
    shared = service.post("/v2/queues/q/share", json={"methods": ["POST"]}, **bearing(key)).json()
    assert service.post(shared["post_url"], json=1, project=None, client=None).status_code == 201
    refused(service.post("/v2/queues/q/messages/raw", json=1, project=None, client=None), 401)
    listed = service.get("/v2/queues/q/messages", **bearing(key)).json()
    assert [message["body"] for message in listed["messages"]] == [1]
