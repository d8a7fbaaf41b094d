"""Tokens of a real OpenID provider, got as a browser gets them, are taken; and those that it did not make are not."""

import asyncio
import base64
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from sukkal.errors import IdentityUnavailable, Unauthenticated
from sukkal.identity.jwt import JwtAuthenticator, JwtConfiguration
from sukkal.testing import FakeClock
from tests.clients import environments
from tests.unit.issuing import ed_signer, part, rsa_signer, token

PROVIDER: Final = """
import logging, sys
from oidc_provider_mock import run_server_in_thread
logging.disable(logging.CRITICAL)
with run_server_in_thread(port=0) as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""
CLIENT: Final = "sukkal"
BACK: Final = "http://127.0.0.1:1/back"
_S_MAX: Final = 60


class Provider:
    """A provider in a process of its own."""

    def __init__(self) -> None:
        command = [str(environments.python_of("oidc")), "-I", "-W", "ignore", "-c", PROVIDER]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def token(self, user: str, client: str = CLIENT, **said: Any) -> str:
        """Let a user log in to a client by the authorization code flow, and return the ID token."""
        _call("PUT", f"{self.url}/users/{user}", json.dumps(said).encode(), "application/json")
        asked = {"response_type": "code", "client_id": client, "redirect_uri": BACK, "scope": "openid profile"}
        location = _call("POST", f"{self.url}/oauth2/authorize?{urlencode(asked)}", urlencode({"sub": user}).encode())
        (code,) = parse_qs(urlsplit(location).query)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        form |= {"client_id": client, "client_secret": "any"}
        answer = json.loads(_call("POST", f"{self.url}/oauth2/token", urlencode(form).encode()))
        found: str = answer["id_token"]
        return found

    def stop(self) -> None:
        self._process.communicate("", timeout=_S_MAX)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **options: Any) -> None:
        """Follow nothing."""


def _call(method: str, url: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> str:
    """Return what a URL answers, or where it leads."""
    opener = urllib.request.build_opener(_Stay(), urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
    try:
        with opener.open(request, timeout=_S_MAX) as response:
            text: str = response.read().decode()
            return text
    except urllib.error.HTTPError as error:
        if error.code not in (302, 303):
            raise
        return str(error.headers["Location"])


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    if environments.missing("oidc"):
        pytest.fail(f"The environment oidc is missing. Make it with: {environments.COMMAND}")
    provider = Provider()
    yield provider
    provider.stop()


def configured(provider: Provider, **options: Any) -> JwtConfiguration:
    given: dict[str, Any] = {"issuer": provider.url, "audience": CLIENT, "leeway_s": 0}
    return JwtConfiguration(**(given | options))


def said_by(text: str) -> dict[str, Any]:
    """Return the claims of a token, read by hand."""
    middle = text.split(".")[1]
    found: dict[str, Any] = json.loads(_decoded(middle))
    return found


def _decoded(middle: str) -> bytes:
    return base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))


def at_issue(text: str) -> FakeClock:
    """Return a clock that stands at the time when a token was made."""
    return FakeClock(said_by(text)["iat"] * 1_000)


def test_a_user_of_the_provider_is_recognised(provider: Provider) -> None:
    text = provider.token("ada", project_id="p1", roles=["member"], preferred_username="Ada")
    clock = at_issue(text)
    subject = JwtAuthenticator(configured(provider), clock)
    assert subject.recognises(text)
    found = asyncio.run(subject.identify(text))
    assert (found.project, found.user, found.user_name, found.roles) == ("p1", "ada", "Ada", frozenset({"member"}))
    assert found.expires_ms == said_by(text)["exp"] * 1_000 == clock() + 3_600_000
    assert subject.known(text) is found


def test_roles_are_found_where_keycloak_has_them(provider: Provider) -> None:
    text = provider.token("bob", tenant={"id": "p2"}, realm_access={"roles": ["admin"]})
    configuration = configured(provider, project_claim="tenant.id", roles_claim="realm_access.roles")
    found = asyncio.run(JwtAuthenticator(configuration, at_issue(text)).identify(text))
    assert (found.project, found.roles) == ("p2", frozenset({"admin"}))


def test_the_keys_can_be_named_instead_of_discovered(provider: Provider) -> None:
    text = provider.token("ada", project_id="p1")
    configuration = configured(provider, jwks_url=f"{provider.url}/jwks")
    assert asyncio.run(JwtAuthenticator(configuration, at_issue(text)).identify(text)).user == "ada"


def refused(provider: Provider, text: str, *, later_ms: int = 0, clock: FakeClock | None = None) -> str:
    """Return what the sender of a token is told."""
    clock = clock or at_issue(text)
    clock.advance(later_ms)
    with pytest.raises(Unauthenticated) as raised:
        asyncio.run(JwtAuthenticator(configured(provider), clock).identify(text))
    assert not any(each in str(raised.value) for each in text.split(".") if each)
    return str(raised.value)


def test_its_token_for_another_client_is_refused(provider: Provider) -> None:
    assert "is not for us" in refused(provider, provider.token("ada", "other", project_id="p1"))


def test_its_token_is_refused_when_its_time_is_over(provider: Provider) -> None:
    assert "has expired" in refused(provider, provider.token("ada", project_id="p1"), later_ms=3_600_000)


def test_its_token_is_refused_without_a_project(provider: Provider) -> None:
    assert "no claim 'project_id'" in refused(provider, provider.token("ada"))


def test_a_token_that_it_did_not_sign_is_refused(provider: Provider) -> None:
    genuine = provider.token("ada", project_id="p1")
    clock = at_issue(genuine)
    said = said_by(genuine) | {"sub": "root"}
    head, _, signature = genuine.split(".")
    kid = json.loads(_decoded(head)).get("kid", ...)
    for text in (
        f"{head}.{part(said)}.{signature}",
        token(rsa_signer(), said, kid=kid),
        token(ed_signer(), said, kid=kid),
        token(rsa_signer(), said, kid="other"),
        f"{part({'alg': 'none'})}.{part(said)}.",
    ):
        refused(provider, text, clock=clock)


def test_what_it_says_of_another_issuer_is_not_taken(provider: Provider) -> None:
    said = provider.url.replace("127.0.0.1", "localhost")
    text = provider.token("ada", project_id="p1")
    subject = JwtAuthenticator(configured(provider, issuer=said), at_issue(text))
    assert not subject.recognises(text)
    forged = token(rsa_signer(), said_by(text) | {"iss": f"{provider.url}/"})
    slashed = JwtAuthenticator(configured(provider, issuer=f"{provider.url}/"), at_issue(text))
    with pytest.raises(IdentityUnavailable):
        asyncio.run(slashed.identify(forged))


def test_its_keys_go_on_being_used_when_it_is_down_and_others_cannot_be_told() -> None:
    first = Provider()
    try:
        text = first.token("ada", project_id="p1")
        later = first.token("bob", project_id="p1")
        unknown = token(rsa_signer(), said_by(text), kid="another")
        subject = JwtAuthenticator(configured(first), clock := at_issue(later))
        asyncio.run(subject.identify(text))
    finally:
        first.stop()
    assert asyncio.run(subject.identify(later)).user == "bob"
    clock.advance(5_000)
    with pytest.raises(IdentityUnavailable):
        asyncio.run(subject.identify(unknown))
    assert asyncio.run(subject.identify(text)).user == "ada"
