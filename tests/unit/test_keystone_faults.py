"""A Keystone that is down, slow or talks nonsense costs nobody who was recognised before, and gives nothing away."""

import asyncio
import logging
import socket

import pytest

from sukkal import limits
from sukkal.errors import IdentityUnavailable, SukkalError, Unauthenticated
from sukkal.identity.keystone import KeystoneAuthenticator, KeystoneSettings
from sukkal.testing.clock import FakeClock
from tests.unit.scripted_keystone import (
    PASSWORD,
    SERVICE_TOKEN,
    Asked,
    Reply,
    Script,
    ScriptedKeystone,
    grant,
    login,
    play,
    refusal,
)

EXPIRES_IN_MS = 3_600_500
CALM_MS = limits.KEYSTONE_OUTAGE_CALM_S * 1_000
VALID = grant().body

FAULTS = {
    "status 500": refusal(500),
    "status 503 of a proxy": Reply(503, b"<html>busy</html>"),
    "status 429": refusal(429),
    "status 400": refusal(400),
    "status 300": Reply(300, VALID),
    "status 204": Reply(204, b""),
    "a 404 of somebody else": Reply(404, b"<html>no such page</html>"),
    "a 404 with another document": Reply(404, b'{"error": "not found"}'),
    "not allowed": refusal(403),
    "not known itself": refusal(401),
    "no body": Reply(200, b""),
    "garbage": Reply(200, b"\x00\xff{"),
    "no object": Reply(200, b"[]"),
    "no token": Reply(200, b"{}"),
    "a token of a wrong shape": Reply(200, b'{"token": []}'),
    "no user": Reply(200, b'{"token": {"expires_at": "2030-01-01T00:00:00Z"}}'),
    "no end": Reply(200, VALID.replace(b"expires_at", b"expires")),
    "an end without a zone": grant(expires_at="2030-01-01T00:00:00"),
    "a project without an id": grant(""),
    "a role without a name": grant(roles=[{"id": "r"}]),
    "a body that is cut off": Reply(200, VALID[:-40], promised=40),
    "nothing at all": Reply(0, b""),
    "a redirect elsewhere": Reply(302, b"", {"Location": "http://127.0.0.1:9/v3/auth/tokens"}),
}


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(level, text) for name, level, text in caplog.record_tuples if name == "sukkal.keystone"]


@pytest.mark.parametrize("reply", FAULTS.values(), ids=FAULTS)
def test_without_an_answer_known_tokens_are_accepted_until_they_expire_and_new_ones_are_not(reply: Reply) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        identity = await auth.identify("good")
        keystone.script = lambda asked: reply
        with pytest.raises(IdentityUnavailable, match="cannot be asked"):
            await auth.identify("new")
        clock.advance(600_000)
        assert auth.known("good") is None
        assert await auth.identify("good") == identity
        assert auth.known("good") == identity
        clock.advance(EXPIRES_IN_MS - 600_000)
        assert auth.known("good") is None
        with pytest.raises(IdentityUnavailable):
            await auth.identify("good")

    play(scenario)


@pytest.mark.parametrize(
    "reply",
    [
        refusal(500),
        Reply(404, b"<html>"),
        Reply(201, b"garbage", {"X-Subject-Token": SERVICE_TOKEN}),
        Reply(201, b"{}", {"X-Subject-Token": SERVICE_TOKEN}),
        Reply(201, b"7", {"X-Subject-Token": SERVICE_TOKEN}),
        Reply(201, VALID),
        Reply(0, b""),
        Reply(302, b"", {"Location": "http://127.0.0.1:9/"}),
        Reply(201, VALID[:-9], {"X-Subject-Token": SERVICE_TOKEN}, promised=9),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:20]!r}",
)
def test_without_a_log_in_there_is_no_answer_until_there_is_one(reply: Reply) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = lambda asked: reply
        with pytest.raises(IdentityUnavailable):
            await auth.identify("good")
        keystone.login_script = lambda asked: None
        assert (await auth.identify("good")).project == "alpha"

    play(scenario)


@pytest.mark.parametrize("body", [b'{"token": {}}', b'{"token": 5}', grant(expires_at="soon").body])
def test_an_own_token_that_cannot_be_used_is_not_kept(body: bytes) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = lambda asked: Reply(201, body, {"X-Subject-Token": SERVICE_TOKEN})
        keystone.tokens["other"] = grant("beta")
        await auth.identify("good")  # it was good for one question, as far as keystoneauth1 looked
        keystone.login_script = lambda asked: None
        with pytest.raises(IdentityUnavailable):
            await auth.identify("other")
        assert (await auth.identify("other")).project == "beta"

    play(scenario)


def test_redirects_are_not_followed_with_a_token_or_a_password() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        with ScriptedKeystone() as elsewhere:

            def away(asked: Asked) -> Reply:
                return Reply(307, b"", {"Location": f"{elsewhere.root}{asked.path}"})

            keystone.login_script = away
            with pytest.raises(IdentityUnavailable):
                await auth.identify("good")
            keystone.login_script = lambda asked: None
            keystone.script = away
            with pytest.raises(IdentityUnavailable):
                await auth.identify("good")
            assert len(keystone.asked) == 1
            assert not elsewhere.asked
            assert not elsewhere.logins

    play(scenario)


def test_nobody_waits_for_a_hanging_keystone_longer_than_the_timeout() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        identity = await auth.identify("good")
        clock.advance(60_000)
        keystone.hang()
        new, known = asyncio.create_task(auth.identify("new")), asyncio.create_task(auth.identify("good"))
        with pytest.raises(IdentityUnavailable):
            await new
        assert await known == identity
        clock.advance(59_999)
        assert auth.known("good") == identity
        keystone.gate.set()
        await auth.settled()
        assert await auth.identify("good") == identity
        await auth.settled()
        del keystone.tokens["good"]
        clock.advance(60_000)
        with pytest.raises(Unauthenticated):
            await auth.identify("good")

    play(scenario, timeout_s=0.3)


def test_a_question_that_ran_out_of_time_is_not_repeated() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        keystone.hang()
        with pytest.raises(IdentityUnavailable):
            await auth.identify("new")
        await auth.settled()
        assert keystone.questions == ["good", "new"]

    play(scenario, timeout_s=0.2)


def test_an_answer_that_never_ends_is_waited_for_no_longer_than_the_timeout() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.script = lambda asked: Reply(200, b"", promised=9_999, drips=True)
        with pytest.raises(IdentityUnavailable):
            await auth.identify("new")
        assert not keystone.ended.is_set()

    play(scenario, timeout_s=0.2)


def test_a_token_that_expires_while_keystone_fails_to_answer_is_not_accepted() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        clock.advance(60_000)
        keystone.script = lambda asked: refusal(500)
        keystone.hang()
        waiting = asyncio.create_task(auth.identify("good"))
        await asyncio.to_thread(keystone.came.acquire)
        clock.advance(EXPIRES_IN_MS - 60_000)
        keystone.gate.set()
        with pytest.raises(IdentityUnavailable):
            await waiting

    play(scenario)


def test_a_refused_connection_is_told_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    async def main(url: str) -> None:
        auth = KeystoneAuthenticator(KeystoneSettings(auth_url=url, username="u", password=PASSWORD), FakeClock())
        with pytest.raises(IdentityUnavailable):
            await auth.identify("new")
        await auth.close()

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        asyncio.run(main(f"http://127.0.0.1:{nobody.getsockname()[1]}"))
    [(level, text)] = messages(caplog)
    assert level == logging.WARNING
    assert "Connection refused" in text


def test_a_connection_that_was_closed_while_idle_is_made_anew() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        breaks = [Reply(0, b"")]
        keystone.script = lambda asked: breaks.pop() if breaks else None
        assert (await auth.identify("good")).project == "alpha"

    play(scenario)


def test_an_outage_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        for _ in range(2):
            keystone.script = lambda asked: refusal(503)
            for number in range(20):
                with pytest.raises(IdentityUnavailable):
                    await auth.identify(f"new-{number}")
                clock.advance(60_000)
                await auth.identify("good")
            keystone.script = lambda asked: None
            clock.advance(CALM_MS)
            await auth.settled()
            with pytest.raises(Unauthenticated):
                await auth.identify(f"newer-{clock()}")

    play(scenario, revalidate_s=60)
    assert [level for level, _ in messages(caplog)] == [logging.WARNING, logging.INFO] * 2
    assert "status 503" in messages(caplog)[0][1]


def test_a_keystone_that_fails_now_and_then_is_one_outage(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        for number in range(10):
            keystone.tokens[f"bad-{number}"] = refusal(500)
            with pytest.raises(IdentityUnavailable):
                await auth.identify(f"bad-{number}")
            keystone.tokens[f"good-{number}"] = grant()
            await auth.identify(f"good-{number}")
            clock.advance(CALM_MS - 1)

    play(scenario)
    assert len(messages(caplog)) == 1


def test_in_an_outage_a_busy_token_is_asked_about_every_few_seconds_only() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        await auth.identify("good")
        keystone.script = lambda asked: refusal(503)
        clock.advance(30_000)
        for _ in range(limits.KEYSTONE_RETRY_S * 10):
            for _ in range(20):
                assert auth.known("good") is not None
            await auth.settled()
            clock.advance(1_000)
        assert len(keystone.questions) == 1 + 10

    play(scenario)


def test_a_wrong_password_is_told_once_with_the_settings_to_check_and_not_tried_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.login_script = lambda asked: refusal(401, f"wrong: {PASSWORD}")
        for number in range(20):
            with pytest.raises(IdentityUnavailable):
                await auth.identify(f"new-{number}")
        assert len(keystone.logins) == 1
        clock.advance(limits.KEYSTONE_REFUSED_RETRY_S * 1_000)
        keystone.login_script = lambda asked: None
        assert (await auth.identify("good")).project == "alpha"

    play(scenario)
    [(level, text)] = messages(caplog)
    assert level == logging.ERROR
    assert "keystone_username" in text
    assert "keystone_password" in text


def test_a_service_user_that_may_not_validate_tokens_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.script = lambda asked: refusal(403)
        for number in range(5):
            with pytest.raises(IdentityUnavailable):
                await auth.identify(f"new-{number}")
        assert len(keystone.questions) == 1

    play(scenario)
    [(level, text)] = messages(caplog)
    assert level == logging.ERROR
    assert "may validate the tokens of others" in text


def test_the_service_users_own_token_is_renewed_when_it_is_refused() -> None:
    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        accepted = ["first"]
        keystone.login_script = lambda asked: login(accepted[-1])
        keystone.script = lambda asked: None if asked.headers["X-Auth-Token"] == accepted[-1] else refusal(401)
        await auth.identify("good")
        accepted.append("second")
        keystone.tokens["other"] = grant("beta")
        assert (await auth.identify("other")).project == "beta"
        assert len(keystone.logins) == 2

    play(scenario)


SAYS_TOO_MUCH: dict[str, Script] = {
    "accepting": lambda asked: None,
    "refusing": lambda asked: refusal(404, f"{asked.subject} {asked.headers}"),
    "failing": lambda asked: refusal(500, f"{asked.subject} {asked.headers}"),
    "not allowing": lambda asked: refusal(403, f"{asked.subject} {asked.headers}"),
    "redirecting": lambda asked: Reply(302, b"", {"Location": f"/{asked.subject}"}),
    "babbling": lambda asked: Reply(200, asked.subject.encode(), {"X-Subject-Token": asked.subject}),
    "breaking off": lambda asked: Reply(200, asked.subject.encode(), promised=9),
}


@pytest.mark.parametrize("script", SAYS_TOO_MUCH.values(), ids=SAYS_TOO_MUCH)
def test_no_log_line_error_or_repr_shows_a_token_or_the_password(
    caplog: pytest.LogCaptureFixture, script: Script
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[object] = []

    async def scenario(keystone: ScriptedKeystone, auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        keystone.script = script
        keystone.tokens["secret-token-1"] = grant()
        for token in ("secret-token-1", "secret-token-2", "secret-token-3\N{SNOWMAN}"):
            try:
                shown.append(await auth.identify(token))
            except SukkalError as error:
                shown.append(error)
        keystone.login_script = lambda asked: refusal(401, asked.body.decode())
        clock.advance(60_000)
        try:
            shown.append(await auth.identify("secret-token-1"))
        except SukkalError as error:
            shown.append(error)
        shown.extend([auth, auth.trusts, auth.challenge, auth.__dict__["_api"], vars(auth.trusts)])

    play(scenario)
    told = "\n".join([caplog.text, *[f"{each!r} {each!s}" for each in shown]])
    assert len(caplog.records) > 3
    for secret in ("secret-token", PASSWORD, SERVICE_TOKEN):
        assert secret not in told
