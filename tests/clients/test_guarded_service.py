"""A service behind the real Keystone: who comes in, who sees what, and what happens when Keystone does not answer."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.clients.conftest import guarded_by
from tests.clients.keystone import PASSWORD, Keystone
from tests.isolation import Project, faults
from tests.serving import ServerProcess

CLIENT: Final = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
PATIENCE_S: Final = 30
PING: Final = "/v2/ping"
HTTP: Final = httpx.Client(timeout=PATIENCE_S, trust_env=False)


@pytest.fixture(scope="module", autouse=True)
def connections() -> Iterator[None]:
    """Close the connections of the last test."""
    yield
    HTTP.close()


def ask(server: ServerProcess, method: str, path: str, token: str | None, **more: Any) -> httpx.Response:
    headers = {"client-id": CLIENT, **more.pop("headers", {})}
    if token is not None:
        headers["x-auth-token"] = token
    with HTTP.stream(method, server.url + path, headers=headers, **more) as response:
        if response.headers.get("content-type") == "text/event-stream":
            # It would go on for ever; what there is at once is enough.
            first = next(response.iter_bytes())
            return httpx.Response(response.status_code, headers=response.headers, content=first)
        response.read()
        return response


def until(happens: Callable[[], bool], what: str) -> None:
    """Look again and again until something happens."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline_s, what


@pytest.fixture
def own_keystone(keystone: Keystone, tmp_path: Path) -> Iterator[Keystone]:
    """Return a Keystone that may be stopped."""
    shutil.copytree(keystone.folder, tmp_path / "keystone")
    with Keystone(tmp_path / "keystone") as own:
        yield own


def project(server: ServerProcess, keystone: Keystone, name: str) -> Project:
    token = keystone.token(f"{name}-member", name)

    def send(method: str, path: str, headers: Mapping[str, str], document: Any) -> httpx.Response:
        return ask(server, method, path, token, headers=dict(headers), json=document)

    return Project(keystone.id_of("projects", name), send)


def test_two_projects_know_nothing_of_each_other(keystone: Keystone, guarded: ServerProcess) -> None:
    assert list(faults(project(guarded, keystone, "alpha"), project(guarded, keystone, "beta"))) == []


def test_the_project_is_that_of_the_token_whatever_the_headers_say(keystone: Keystone, guarded: ServerProcess) -> None:
    alpha, beta = (keystone.token(f"{name}-member", name) for name in ("alpha", "beta"))
    lie = {"x-project-id": keystone.id_of("projects", "alpha"), "x-roles": "admin"}
    ask(guarded, "PUT", "/v2/queues/private", alpha)
    names = [each["name"] for each in ask(guarded, "GET", "/v2/queues", beta, headers=lie).json()["queues"]]
    assert "private" not in names
    assert ask(guarded, "GET", "/v2/health", beta, headers=lie).status_code == 403
    assert ask(guarded, "GET", "/v2/health", keystone.token("beta-admin", "beta")).status_code == 200


def test_a_token_may_also_come_as_a_bearers(keystone: Keystone, guarded: ServerProcess) -> None:
    headers = {"authorization": f"Bearer {keystone.token('alpha-member', 'alpha')}"}
    assert ask(guarded, "GET", PING, None, headers=headers).status_code == 204


def test_who_does_not_prove_who_it_is_is_told_how(keystone: Keystone, guarded: ServerProcess) -> None:
    good = keystone.token("alpha-member", "alpha")
    revoked = keystone.token("alpha-member", "alpha")
    keystone.revoke(revoked)
    tokens = {
        "none": None,
        "empty": "",
        "expired": keystone.token("alpha-member", "alpha", lives_s=0),
        "revoked": revoked,
        "forged": good[:-4] + "AAAA",
        "malformed": "not a token",
        "enormous": "x" * 20_000,
        "unscoped": keystone.token("alpha-member"),
    }
    for what, token in tokens.items():
        for method, path in (("GET", PING), ("PUT", "/v2/queues/q"), ("POST", PING), ("GET", "/v1.1/queues")):
            response = ask(guarded, method, path, token, headers={"x-project-id": "p", "x-roles": "admin"})
            assert response.status_code == 401, what
            assert response.json()["title"] == "Unauthorized"
            assert response.headers["www-authenticate"] == f'Keystone uri="{keystone.url}"'
    twice = [("client-id", CLIENT), ("x-auth-token", good), ("x-auth-token", good)]
    assert httpx.get(guarded.url + PING, headers=twice).status_code == 401
    # What needs no project needs no token.
    assert ask(guarded, "GET", "/", None).status_code == 300
    assert ask(guarded, "GET", "/healthz", None).status_code == 200


def test_a_revoked_token_is_refused_within_the_time_that_was_set(own_keystone: Keystone) -> None:
    with guarded_by(own_keystone, "memory://", "--keystone-revalidate-s", "1") as server:
        token = own_keystone.token("alpha-member", "alpha")
        assert ask(server, "GET", PING, token).status_code == 204
        own_keystone.revoke(token)
        revoked_s = time.monotonic()
        until(lambda: ask(server, "GET", PING, token).status_code == 401, "a revoked token is accepted for ever")
        # One second, and what an answer takes here when the machine is busy.
        assert time.monotonic() - revoked_s < PATIENCE_S / 2


@pytest.mark.parametrize("fault", ["killed", "hanging"])
def test_known_tokens_go_on_working_without_keystone(own_keystone: Keystone, fault: str) -> None:
    flags = ("--keystone-revalidate-s", "1", "--keystone-timeout-s", "1", "--log-level", "debug")
    with guarded_by(own_keystone, "memory://", *flags) as server:
        known, new = (own_keystone.token("alpha-member", "alpha") for _ in range(2))
        assert ask(server, "GET", PING, known).status_code == 204
        (own_keystone.kill if fault == "killed" else own_keystone.pause)()
        # It notices when the answer that it has is to be confirmed.
        until(lambda: ask(server, "GET", PING, known).is_success and "Keystone" in server.stderr, "no word of it")
        assert ask(server, "PUT", "/v2/queues/q", known).status_code == 201
        refused = ask(server, "GET", PING, new)
        assert refused.status_code == 503
        assert refused.json()["title"] == "Service temporarily unavailable"
        assert refused.headers["retry-after"]
        assert ask(server, "GET", PING, None).status_code == 401
        (own_keystone.start if fault == "killed" else own_keystone.resume)()
        until(lambda: ask(server, "GET", PING, new).status_code == 204, "it does not heal")
        assert ask(server, "GET", PING, known).status_code == 204
        for secret in (known, new, PASSWORD):
            assert secret not in server.stderr
        assert server.stop() == 0


def test_a_wrong_password_of_the_service_is_the_operators_affair(own_keystone: Keystone) -> None:
    with guarded_by(own_keystone, "memory://", env={"SUKKAL_KEYSTONE_PASSWORD": "mistaken"}) as server:
        response = ask(server, "GET", PING, own_keystone.token("alpha-member", "alpha"))
        assert response.status_code == 503
        assert "keystone_password" in server.stderr
        assert "mistaken" not in server.stderr
        assert "password" not in response.text


def test_one_may_come_in_by_keystone_or_be_believed(own_keystone: Keystone) -> None:
    with guarded_by(own_keystone, "memory://", env={"SUKKAL_AUTH": "none,keystone"}) as server:
        token = own_keystone.token("alpha-member", "alpha")
        believed = {"x-project-id": own_keystone.id_of("projects", "alpha")}
        assert ask(server, "PUT", "/v2/queues/q", token).status_code == 201
        assert ask(server, "PUT", "/v2/queues/q", None, headers=believed).status_code == 204
        assert ask(server, "PUT", "/v2/queues/q", "wrong", headers=believed).status_code == 401
