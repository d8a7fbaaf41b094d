"""Trusts are made, used and ended with as few questions as possible; failures come as errors of ours."""

import asyncio
import json
import logging

import pytest

from sukkal import limits
from sukkal.errors import Forbidden, IdentityUnavailable, Unauthenticated
from sukkal.identity.keystone import KeystoneAuthenticator
from sukkal.testing.clock import FakeClock
from tests.unit.scripted_keystone import Asked, Reply, ScriptedKeystone, grant, play, refusal

TRUST = Reply(200, b'{"trust": {"id": "t1"}}')
MADE = TRUST._replace(status=201)


def trusted(asked: Asked) -> Reply | None:
    """Give each trust a token that lives for an hour and half a second; the service user gets its own."""
    scope = json.loads(asked.body)["auth"]["scope"]
    if "OS-TRUST:trust" not in scope:
        return None
    return grant()._replace(status=201, headers={"X-Subject-Token": f"token-of-{scope['OS-TRUST:trust']['id']}"})


def test_a_trust_gives_the_service_user_all_roles_of_the_caller_in_the_project() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.script = lambda asked: MADE if asked.method == "POST" else None
        identity = await auth.identify("good")
        assert await auth.trusts.create("good", identity, expires_ms=clock() + 1_500) == "t1"
        asked = keystone.asked[-1]
        assert (asked.path, asked.headers["X-Auth-Token"]) == ("/v3/OS-TRUST/trusts", "good")
        assert json.loads(asked.body)["trust"] == {
            "trustor_user_id": "u1",
            "trustee_user_id": "u1",
            "project_id": "alpha",
            "roles": [{"id": "r1"}, {"id": "r2"}],
            "impersonation": True,
            "expires_at": "2023-11-14T22:13:21.500000Z",
        }

    play(scenario)


def test_trusts_that_would_end_at_the_same_moment_end_one_after_another() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        ends: list[str] = []

        def script(asked: Asked) -> Reply | None:
            if asked.method != "POST":
                return None
            ends.append(json.loads(asked.body)["trust"]["expires_at"][-8:])
            return MADE if len(ends) > 2 else refusal(409)

        keystone.script = script
        identity = await auth.identify("good")
        assert await auth.trusts.create("good", identity, expires_ms=clock() + 1_500) == "t1"
        assert ends == [".500000Z", ".501000Z", ".502000Z"]

    play(scenario)


def test_a_trust_is_made_for_nobody_but_the_owner_of_the_token() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        identity = await auth.identify("good")
        keystone.tokens["other"] = grant("beta")
        keystone.tokens["loose"] = grant(None)
        for token in ("other", "loose", "gone"):
            with pytest.raises(Unauthenticated):
                await auth.trusts.create(token, identity)
        assert [asked.method for asked in keystone.asked] == ["GET"] * 4

    play(scenario)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(401), Unauthenticated),
        (refusal(403), Forbidden),
        (refusal(400), Forbidden),
        (refusal(500), IdentityUnavailable),
        (Reply(201, b"{}"), IdentityUnavailable),
        (Reply(201, b"", promised=9), IdentityUnavailable),
    ],
    ids=str,
)
def test_what_keystone_says_to_a_new_trust_becomes_an_error_of_ours(reply: Reply, error: type[Exception]) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.script = lambda asked: reply if asked.method == "POST" else None
        identity = await auth.identify("good")
        with pytest.raises(error):
            await auth.trusts.create("good", identity)
        assert len([asked for asked in keystone.asked if asked.method == "POST"]) == 1

    play(scenario)


def test_a_token_of_a_trust_is_kept_until_a_minute_before_its_end_or_until_it_is_forgotten() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = trusted
        keystone.hang()
        waiting = [asyncio.create_task(auth.trusts.token("t1")) for _ in range(5)]
        await asyncio.to_thread(keystone.came.acquire)
        keystone.gate.set()
        assert set(await asyncio.gather(*waiting)) == {"token-of-t1"}
        clock.advance(3_600_500 - limits.KEYSTONE_TRUST_TOKEN_SPARE_S * 1_000 - 1)
        assert await auth.trusts.token("t1") == "token-of-t1"
        assert len(keystone.logins) == 1
        clock.advance(1)
        await auth.trusts.token("t1")
        assert len(keystone.logins) == 2
        auth.trusts.forget("t1")
        await auth.trusts.token("t1")
        await auth.trusts.token("t2")
        assert len(keystone.logins) == 4

    play(scenario)


def test_no_more_tokens_of_trusts_are_kept_than_the_limit_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEYSTONE_TRUST_TOKENS_MAX", 1)

    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = trusted
        for trust_id in ("t1", "t2", "t2", "t1"):
            assert await auth.trusts.token(trust_id) == f"token-of-{trust_id}"
        assert len(keystone.logins) == 3

    play(scenario)


def test_a_refused_password_is_told_apart_from_a_trust_that_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        keystone.login_script = lambda asked: refusal(401)
        with pytest.raises(Forbidden, match="ended"):
            await auth.trusts.token("t1")
        await auth.trusts.delete("t1")
        assert not caplog.records
        keystone.script = lambda asked: TRUST if "/trusts/t1" in asked.path else None
        with pytest.raises(IdentityUnavailable):
            await auth.trusts.token("t1")
        assert "keystone_password" in caplog.text

    play(scenario)


def test_a_trust_given_to_somebody_else_does_not_make_the_service_user_a_refused_one() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        keystone.login_script = lambda asked: refusal(403)
        with pytest.raises(Forbidden):
            await auth.trusts.token("t1/../x")
        keystone.script = lambda asked: refusal(403) if "trusts" in asked.path else None
        with pytest.raises(Forbidden):
            await auth.trusts.delete("t1/../x")
        assert keystone.asked[-1].path == "/v3/OS-TRUST/trusts/t1%2F..%2Fx"
        keystone.tokens["other"] = grant("beta")
        assert (await auth.identify("other")).project == "beta"

    play(scenario)


@pytest.mark.parametrize(
    ("reply", "error"),
    [(refusal(403), Forbidden), (refusal(401), Forbidden), (refusal(500), IdentityUnavailable)],
    ids=str,
)
def test_a_trust_that_cannot_be_ended_is_an_error(reply: Reply, error: type[Exception]) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = trusted
        keystone.script = lambda asked: reply if asked.method == "DELETE" else None
        with pytest.raises(error):
            await auth.trusts.delete("t1")

    play(scenario)


def test_a_trust_is_ended_with_a_new_token_of_its_own() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = trusted
        keystone.script = lambda asked: Reply(204, b"")
        await auth.trusts.token("t1")
        await auth.trusts.delete("t1")
        assert (keystone.asked[-1].method, keystone.asked[-1].headers["X-Auth-Token"]) == ("DELETE", "token-of-t1")
        await auth.trusts.token("t1")
        assert len(keystone.logins) == 3

    play(scenario)


def test_questions_about_trusts_wait_no_longer_than_the_timeout_and_name_no_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = trusted
        await auth.trusts.token("t1")
        keystone.hang()
        with pytest.raises(IdentityUnavailable):
            await auth.trusts.token("t2")
        assert "token-of" not in f"{vars(auth.trusts)}"
        await auth.close()
        with pytest.raises(IdentityUnavailable):
            await auth.trusts.token("t3")

    play(scenario, timeout_s=0.2)
    assert "token-of" not in caplog.text
