"""Callers are recognised by their Keystone tokens, and Keystone is asked no more than it has to be."""

import asyncio
import sys
import threading
from typing import Any

import pytest

from sukkal import limits
from sukkal.errors import IdentityUnavailable, SettingsError, Unauthenticated
from sukkal.identity.keystone import KeystoneAuthenticator, KeystoneSettings
from sukkal.service.access import Authenticator, Identity
from sukkal.testing.clock import FakeClock
from tests.unit.scripted_keystone import PASSWORD, ScriptedKeystone, grant, play

EXPIRES_IN_MS = 3_600_500


def test_a_token_says_who_its_bearer_is() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        authenticator: Authenticator = auth
        assert authenticator.known("good") is None
        identity = await authenticator.identify("good")
        assert identity == Identity(
            method="keystone",
            project="alpha",
            user="u1",
            user_name="ada",
            roles=frozenset(["member", "reader"]),
            expires_ms=clock() + EXPIRES_IN_MS,
        )
        assert authenticator.known("good") is identity
        assert keystone.asked[0].path == "/v3/auth/tokens?nocatalog"

    play(scenario)


@pytest.mark.parametrize("path", ["", "/", "/v3", "/v3/", "/v3//"])
def test_the_address_may_name_the_version_or_not(path: str) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        url = f"{keystone.root}{path}"
        other = KeystoneAuthenticator(KeystoneSettings(auth_url=url, username="sukkal", password=PASSWORD), clock)
        assert other.challenge == f'Keystone uri="{url.rstrip("/")}"'
        assert (await other.identify("good")).project == "alpha"
        await other.close()

    play(scenario)


@pytest.mark.parametrize(
    "url", ["keystone:5000", "ftp://k/v3", "http://", "http://u:p@k/v3", "http://k/v3?x", 'http://k/"', "http://k:0/"]
)
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="keystone_auth_url"):
        KeystoneSettings(auth_url=url, username="sukkal", password=PASSWORD)


def test_a_missing_file_of_certificates_is_refused() -> None:
    settings = KeystoneSettings(auth_url="https://k/v3", username="u", password=PASSWORD, cafile="no/such.pem")
    with pytest.raises(SettingsError, match=r"keystone_ca_file.*no/such\.pem"):
        KeystoneAuthenticator(settings, FakeClock())


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keystoneauth1", None)
    for name in ("api", "service_user"):
        monkeypatch.delitem(sys.modules, f"sukkal.identity.keystone.{name}", raising=False)
    with pytest.raises(SettingsError, match=r"keystoneauth1.*sukkal\[keystone\]"):
        KeystoneAuthenticator(KeystoneSettings(auth_url="http://k", username="u", password=PASSWORD), FakeClock())


def test_settings_show_no_password() -> None:
    settings = KeystoneSettings(auth_url="http://k/v3", username="sukkal", password=PASSWORD)
    assert PASSWORD not in f"{settings!r} {settings} {settings.__rich_repr__()}"


@pytest.mark.parametrize(
    "token",
    ["", " ", "a b", "a\n", "\x00", "a\x7f", "tök", "tok\N{SNOWMAN}", "x" * (limits.KEYSTONE_TOKEN_BYTES_MAX + 1)],
    ids=ascii,
)
def test_what_cannot_be_a_token_is_refused_without_asking(token: str) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        assert not auth.recognises(token)
        assert auth.known(token) is None
        with pytest.raises(Unauthenticated, match="printable ASCII"):
            await auth.identify(token)
        assert not keystone.asked

    play(scenario)


@pytest.mark.parametrize("token", ["x", "gAAAAABm-_=", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "x" * 8_192])
def test_what_may_be_a_token_is_recognised_by_its_form(token: str) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.tokens[token] = grant("beta")
        assert auth.recognises(token)
        assert (await auth.identify(token)).project == "beta"

    play(scenario)


@pytest.mark.parametrize("scope", [{}, {"domain": {"id": "default"}}, {"system": {"all": True}}], ids=str)
def test_a_token_that_is_not_for_a_project_is_told_so(scope: dict[str, Any]) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.tokens["loose"] = grant(None, **scope)
        for _ in range(2):
            with pytest.raises(Unauthenticated, match="scoped to the project") as caught:
                await auth.identify("loose")
            assert caught.value.challenges == (auth.challenge,)
        assert keystone.questions == ["loose"]

    play(scenario)


# -- how long an answer counts


def test_a_token_ends_in_the_millisecond_that_keystone_names() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        clock.advance(EXPIRES_IN_MS - 1)
        assert auth.known("good") is not None
        await auth.settled()
        assert auth.known("good") is not None
        clock.advance(1)
        assert auth.known("good") is None
        with pytest.raises(Unauthenticated, match="expired"):
            await auth.identify("good")

    play(scenario, revalidate_s=7_200)


def test_an_answer_counts_until_the_time_of_asking_again_is_over() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        clock.advance(60_000)
        assert auth.known("good") is None
        assert (await auth.identify("good")).project == "alpha"
        assert keystone.questions == ["good", "good"]

    play(scenario)


def test_a_busy_token_is_confirmed_in_the_background_and_never_waits() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        for asked in range(1, 11):
            clock.advance(29_999)
            assert auth.known("good") is not None
            assert len(keystone.questions) == asked
            clock.advance(1)
            for _ in range(5):
                assert auth.known("good") is not None
            await auth.settled()
            assert len(keystone.questions) == asked + 1

    play(scenario)


def test_the_age_of_an_answer_counts_from_the_question() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.hang()
        waiting = asyncio.create_task(auth.identify("good"))
        await asyncio.to_thread(keystone.came.acquire)
        clock.advance(60_000)
        keystone.gate.set()
        assert (await waiting).project == "alpha"
        assert auth.known("good") is None

    play(scenario)


def test_a_revoked_token_is_refused_once_it_is_asked_about_again() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        del keystone.tokens["good"]
        clock.advance(30_000)
        assert auth.known("good") is not None
        await auth.settled()
        assert auth.known("good") is None
        with pytest.raises(Unauthenticated, match="revoked"):
            await auth.identify("good")
        assert keystone.questions == ["good", "good"]

    play(scenario)


def test_a_refusal_is_remembered_for_some_seconds() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        for _ in range(100):
            with pytest.raises(Unauthenticated, match="does not know"):
                await auth.identify("bad")
        assert keystone.questions == ["bad"]
        clock.advance(limits.KEYSTONE_REFUSAL_S * 1_000)
        keystone.tokens["bad"] = grant("beta")
        assert (await auth.identify("bad")).project == "beta"

    play(scenario)


# -- many at once


def test_many_who_bring_one_token_make_one_question() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.hang()
        waiting = [asyncio.create_task(auth.identify("good")) for _ in range(50)]
        await asyncio.to_thread(keystone.came.acquire)
        waiting[0].cancel()
        waiting[49].cancel()
        keystone.gate.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [isinstance(each, asyncio.CancelledError) for each in found] == [True, *[False] * 48, True]
        assert len({each for each in found if isinstance(each, Identity)}) == 1
        assert keystone.questions == ["good"]

    play(scenario)


def test_a_flood_of_new_tokens_is_turned_away_and_known_ones_are_still_confirmed() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        clock.advance(60_000)
        keystone.hang()
        most = limits.KEYSTONE_THREADS + limits.KEYSTONE_WAITING_NEW_MAX
        waiting = [asyncio.create_task(auth.identify(f"new-{number}")) for number in range(most)]
        await asyncio.to_thread(keystone.came.acquire)
        with pytest.raises(IdentityUnavailable):
            await auth.identify("one-too-many")
        waiting.append(asyncio.create_task(auth.identify("new-0")))
        known = asyncio.create_task(auth.identify("good"))
        keystone.gate.set()
        assert (await known).project == "alpha"
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(each, Unauthenticated) for each in found)
        assert "one-too-many" not in keystone.questions
        assert len(keystone.questions) == most + 2

    play(scenario, timeout_s=30)


def test_no_more_tokens_and_refusals_are_kept_than_the_limits_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEYSTONE_TOKENS_MAX", 2)
    monkeypatch.setattr(limits, "KEYSTONE_REFUSALS_MAX", 2)

    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        for number in range(3):
            keystone.tokens[f"good-{number}"] = grant()
            await auth.identify(f"good-{number}")
        assert [auth.known(f"good-{number}") is None for number in range(3)] == [True, False, False]
        for name in ("bad-0", "bad-1", "bad-2", "bad-1", "bad-0"):
            with pytest.raises(Unauthenticated):
                await auth.identify(name)
        assert keystone.questions[3:] == ["bad-0", "bad-1", "bad-2", "bad-0"]

    play(scenario)


def test_the_tokens_that_are_used_stay_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEYSTONE_TOKENS_MAX", 2)

    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        for name in ("busy", "idle", "new"):
            keystone.tokens[name] = grant()
        await auth.identify("busy")
        await auth.identify("idle")
        clock.advance(30_000)
        assert auth.known("busy") is not None
        await auth.settled()
        await auth.identify("new")
        assert auth.known("busy") is not None
        assert auth.known("idle") is None

    play(scenario)


def test_closing_ends_the_threads_and_lets_nobody_hang(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.hang()
        waiting = [asyncio.create_task(auth.identify(f"new-{number}")) for number in range(20)]
        await asyncio.to_thread(keystone.came.acquire)
        closing = asyncio.create_task(auth.close())
        await asyncio.sleep(0)
        with pytest.raises(IdentityUnavailable):
            await auth.identify("good")
        keystone.gate.set()
        await closing
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(each) for each in found} == {IdentityUnavailable, Unauthenticated}
        assert not caplog.records
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("sukkal-keystone")]

    play(scenario, timeout_s=30)
