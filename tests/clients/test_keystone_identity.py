"""The real Keystone recognises callers for us, also after it was paused, killed and started again."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sukkal import limits
from sukkal.errors import Forbidden, IdentityUnavailable, Unauthenticated
from sukkal.identity.keystone import KeystoneAuthenticator, KeystoneSettings
from sukkal.testing.clock import FakeClock
from tests.clients.keystone import PASSWORD, SERVICE_USER, Keystone

REVALIDATE_MS = 60_000


@pytest.fixture
def own(keystone: Keystone, tmp_path: Path) -> Iterator[Keystone]:
    """Return a Keystone that the test may stop and change."""
    folder = shutil.copytree(keystone.folder, tmp_path / "keystone")
    with Keystone(folder) as own:
        yield own


def play(
    keystone: Keystone, scenario: Callable[[KeystoneAuthenticator, FakeClock], Awaitable[None]], **settings: Any
) -> None:
    """Run a scenario with the accounts of the service."""

    async def main() -> None:
        clock = FakeClock()
        known: dict[str, Any] = {"auth_url": keystone.url, "username": SERVICE_USER, "password": PASSWORD}
        auth = KeystoneAuthenticator(KeystoneSettings(**{**known, "timeout_s": 20, **settings}), clock)
        try:
            await scenario(auth, clock)
        finally:
            await auth.close()

    asyncio.run(main())


def test_tokens_of_two_projects_stand_for_two_callers(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        for project in ("alpha", "beta"):
            identity = await auth.identify(keystone.token(f"{project}-member", project))
            assert identity.method == "keystone"
            assert identity.project == keystone.id_of("projects", project)
            assert identity.user == keystone.id_of("users", f"{project}-member")
            assert identity.user_name == f"{project}-member"
            assert identity.roles == {"member", "reader"}
            assert identity.expires_ms is not None

    play(keystone, scenario)


def test_a_token_without_a_project_is_refused(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        with pytest.raises(Unauthenticated, match="scoped"):
            await auth.identify(keystone.token("alpha-member"))

    play(keystone, scenario)


@pytest.mark.parametrize("token", ["x", "gAAAAAnonsense", "x" * 3_000])
def test_what_is_no_token_is_refused(keystone: Keystone, token: str) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        with pytest.raises(Unauthenticated):
            await auth.identify(token)

    play(keystone, scenario)


def test_an_expired_token_is_refused(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        with pytest.raises(Unauthenticated):
            await auth.identify(keystone.token("alpha-member", "alpha", lives_s=0))
        token = keystone.token("alpha-member", "alpha", lives_s=600)
        identity = await auth.identify(token)
        assert identity.expires_ms is not None
        clock.set(identity.expires_ms)
        assert auth.known(token) is None

    play(keystone, scenario, revalidate_s=10**10)


def test_a_revoked_token_is_refused_within_the_bound(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        idle, busy = (keystone.token("alpha-member", "alpha") for _ in range(2))
        for token in (idle, busy):
            await auth.identify(token)
            keystone.revoke(token)
        clock.advance(REVALIDATE_MS // 2)
        assert auth.known(busy) is not None
        await auth.settled()
        assert auth.known(busy) is None
        clock.advance(REVALIDATE_MS // 2)
        for token in (idle, busy):
            assert auth.known(token) is None
            with pytest.raises(Unauthenticated):
                await auth.identify(token)

    play(keystone, scenario)


def test_a_paused_keystone_keeps_out_new_tokens_only(own: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        known, new = own.token("alpha-member", "alpha"), own.token("beta-member", "beta")
        identity = await auth.identify(known)
        clock.advance(REVALIDATE_MS)
        own.pause()
        try:
            assert await auth.identify(known) == identity
            assert auth.known(known) == identity
            with pytest.raises(IdentityUnavailable):
                await auth.identify(new)
        finally:
            own.resume()
        await auth.settled()
        own.revoke(known)
        clock.advance(REVALIDATE_MS)
        with pytest.raises(Unauthenticated):
            await auth.identify(known)

    play(own, scenario, timeout_s=2)


def test_a_killed_keystone_is_asked_again_once_it_is_back(own: Keystone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sukkal.keystone")

    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        known, new = own.token("alpha-member", "alpha"), own.token("beta-member", "beta")
        identity = await auth.identify(known)
        own.kill()
        for _ in range(3):
            clock.advance(REVALIDATE_MS)
            assert await auth.identify(known) == identity
            with pytest.raises(IdentityUnavailable):
                await auth.identify(new)
        clock.advance(limits.KEYSTONE_OUTAGE_CALM_S * 1_000)
        own.start()
        assert (await auth.identify(new)).user_name == "beta-member"

    play(own, scenario)
    told = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "sukkal.keystone"]
    assert [level for level, _ in told] == ["WARNING", "INFO"]
    assert "Connection refused" in told[0][1]


@pytest.mark.parametrize(
    "settings",
    [
        {"password": "wrong"},
        {"username": "nobody"},
        {"project_name": "alpha"},
        {"user_domain_name": "Elsewhere"},
        {"username": "alpha-member", "project_name": "alpha"},
    ],
    ids=str,
)
def test_a_service_user_that_may_not_ask_is_told_to_the_log_and_not_blamed_on_the_caller(
    keystone: Keystone, caplog: pytest.LogCaptureFixture, settings: dict[str, str]
) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        for _ in range(2):
            with pytest.raises(IdentityUnavailable):
                await auth.identify(keystone.token("beta-member", "beta"))

    play(keystone, scenario, **settings)
    [told] = [record.getMessage() for record in caplog.records if record.name == "sukkal.keystone"]
    assert "keystone_username" in told


def test_no_log_line_shows_a_token_or_the_password(keystone: Keystone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = keystone.token("alpha-member", "alpha")
    own_tokens: list[str] = []

    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        identity = await auth.identify(token)
        trust_id = await auth.trusts.create(token, identity)
        own_tokens.append(await auth.trusts.token(trust_id))
        await auth.trusts.delete(trust_id)

    caplog.clear()
    play(keystone, scenario)
    assert any(record.name.startswith("keystoneauth") for record in caplog.records)
    for secret in (token, token[:40], own_tokens[0], own_tokens[0][:40], f'"{PASSWORD}"', f"'{PASSWORD}'"):
        assert secret not in caplog.text


# -- trusts


def test_a_trust_acts_as_the_caller_until_it_is_deleted(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        token = keystone.token("alpha-member", "alpha")
        caller = await auth.identify(token)
        trust_id = await auth.trusts.create(token, caller)
        keystone.revoke(token)

        acting = await auth.trusts.token(trust_id)
        assert await auth.trusts.token(trust_id) == acting
        identity = await auth.identify(acting)
        assert (identity.user, identity.project, identity.roles) == (caller.user, caller.project, caller.roles)

        with pytest.raises(Forbidden):
            await auth.trusts.create(acting, identity)

        await auth.trusts.delete(trust_id)
        await auth.trusts.delete(trust_id)
        with pytest.raises(Forbidden):
            await auth.trusts.token(trust_id)
        clock.advance(REVALIDATE_MS)
        with pytest.raises(Unauthenticated):
            await auth.identify(acting)

    play(keystone, scenario)


def test_a_trust_ends_when_it_was_told_to(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        token = keystone.token("beta-member", "beta")
        identity = await auth.identify(token)
        assert identity.expires_ms is not None
        trust_id = await auth.trusts.create(token, identity, expires_ms=identity.expires_ms)
        shown = keystone.call("GET", f"/OS-TRUST/trusts/{trust_id}", token=token)["trust"]
        ends = datetime.fromisoformat(shown["expires_at"]).timestamp() * 1_000
        assert ends == identity.expires_ms
        with pytest.raises(Forbidden):
            await auth.trusts.create(token, identity, expires_ms=1)
        await auth.trusts.delete(trust_id)

    play(keystone, scenario)


def test_a_trust_cannot_be_made_with_a_token_that_was_revoked(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        token = keystone.token("beta-member", "beta")
        identity = await auth.identify(token)
        keystone.revoke(token)
        with pytest.raises(Unauthenticated):
            await auth.trusts.create(token, identity)

    play(keystone, scenario)


def test_a_trust_whose_giver_lost_a_role_can_neither_be_used_nor_ended_by_us(own: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        token = own.token("alpha-member", "alpha")
        identity = await auth.identify(token)
        trust_id = await auth.trusts.create(token, identity)
        role = own.id_of("roles", "member")
        own.call("DELETE", f"/projects/{identity.project}/users/{identity.user}/roles/{role}")
        with pytest.raises(Forbidden):
            await auth.trusts.token(trust_id)
        with pytest.raises(Forbidden, match="Only who gave the trust"):
            await auth.trusts.delete(trust_id)
        own.call("DELETE", f"/OS-TRUST/trusts/{trust_id}")
        await auth.trusts.delete(trust_id)

    play(own, scenario)


def test_the_trust_of_another_service_user_cannot_be_used(keystone: Keystone) -> None:
    async def scenario(auth: KeystoneAuthenticator, clock: FakeClock) -> None:
        token = keystone.token("alpha-member", "alpha")
        trust_id = await auth.trusts.create(token, await auth.identify(token))

        async def other_scenario(other: KeystoneAuthenticator, clock: FakeClock) -> None:
            with pytest.raises(Forbidden):
                await other.trusts.token(trust_id)
            with pytest.raises(Forbidden):
                await other.trusts.delete(trust_id)
            assert (await other.identify(token)).user_name == "alpha-member"

        await asyncio.to_thread(play, keystone, other_scenario, username="beta-admin", project_name="beta")
        await auth.trusts.delete(trust_id)

    play(keystone, scenario)
