"""The issuer's keys are got when they are needed, by one look at a time, and outlive an outage of the issuer."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.errors import IdentityUnavailable, Unauthenticated
from sukkal.identity.jwt import JwtAuthenticator, JwtConfiguration
from sukkal.identity.jwt.fetching import FetchFailed
from sukkal.service.access import Identity
from sukkal.testing import FakeClock
from tests.unit.issuing import AUDIENCE, ISSUER, Signer, claims, ed_signer, key_set, token
from tests.unit.jwt_rig import KEYS_URL, UNKNOWN_KEY

PAUSE_MS: Final = limits.JWT_KEYS_PAUSE_S * 1_000
AGE_MS: Final = limits.JWT_KEYS_AGE_S * 1_000
A, B = ed_signer("a"), ed_signer("b")


class Issuer:
    """What an issuer answers, and how often it was asked. With ``gate`` cleared, it does not answer."""

    def __init__(self, *signers: Signer) -> None:
        self.keys: bytes | None = key_set(*signers)
        self.asked = 0
        self.called = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    async def is_asked(self) -> None:
        """Wait until somebody asks."""
        assert await asyncio.to_thread(self.called.wait, 30)

    def fetch(self, url: str) -> bytes:
        self.asked += 1
        self.called.set()
        assert self.gate.wait(30)
        if self.keys is None:
            raise FetchFailed(f"{url} is down")
        return self.keys


class Side:
    """Our side: an authenticator that asks an issuer, and its clock."""

    def __init__(self, issuer: Issuer, timeout_s: float = 30) -> None:
        self.clock = FakeClock()
        configuration = JwtConfiguration(issuer=ISSUER, audience=AUDIENCE, jwks_url=KEYS_URL)
        self.subject = JwtAuthenticator(configuration, self.clock, fetch=issuer.fetch, timeout_s=timeout_s)
        self._number = 0

    async def ask(self, signer: Signer) -> Identity:
        """Identify a token that was never seen before."""
        self._number += 1
        now = claims(self.clock(), sub=f"u{self._number}")
        return await self.subject.identify(token(signer, now))


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


# -- when they are got --------------------------------------------------------------------------------------------


def test_the_keys_are_got_once_for_many_tokens() -> None:
    issuer = Issuer(A, B)
    side = Side(issuer)

    async def scenario() -> None:
        assert issuer.asked == 0, "not before they are needed"
        for signer in (A, B, A, B):
            await side.ask(signer)
        assert issuer.asked == 1

    run(scenario)


def test_all_who_wait_share_one_look() -> None:
    issuer = Issuer(A)
    side = Side(issuer)
    issuer.gate.clear()

    async def scenario() -> None:
        asking = [asyncio.ensure_future(side.ask(A)) for _ in range(20)]
        await issuer.is_asked()
        issuer.gate.set()
        assert len(await asyncio.gather(*asking)) == 20
        assert issuer.asked == 1

    run(scenario)


def test_one_who_gives_up_does_not_end_the_look_of_the_others() -> None:
    issuer = Issuer(A)
    side = Side(issuer)
    issuer.gate.clear()

    async def scenario() -> None:
        first, second = asyncio.ensure_future(side.ask(A)), asyncio.ensure_future(side.ask(A))
        await issuer.is_asked()
        first.cancel()
        await asyncio.wait((first,))
        issuer.gate.set()
        assert (await second).user == "u2"
        assert issuer.asked == 1

    run(scenario)


def test_a_look_that_was_cancelled_is_followed_by_another() -> None:
    issuer = Issuer(A)
    side = Side(issuer)
    issuer.gate.clear()
    errors: list[Any] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
        asking = asyncio.ensure_future(side.ask(A))
        await issuer.is_asked()
        (look,) = asyncio.all_tasks() - {asyncio.current_task(), asking}
        look.cancel()
        with pytest.raises(IdentityUnavailable):
            await asking
        issuer.gate.set()
        for thread in threading.enumerate():
            if thread.name == "issuer-keys":
                await asyncio.to_thread(thread.join, 30)
        side.clock.advance(PAUSE_MS)
        assert (await side.ask(A)).user == "u2"

    run(scenario)
    assert errors == []


def test_a_key_that_is_new_is_found_by_another_look() -> None:
    issuer = Issuer(A)
    side = Side(issuer)

    async def scenario() -> None:
        await side.ask(A)
        issuer.keys = key_set(A, B)
        side.clock.advance(PAUSE_MS)
        await side.ask(B)
        await side.ask(A)
        assert issuer.asked == 2

    run(scenario)


def test_unknown_keys_are_looked_for_once_in_a_pause() -> None:
    issuer = Issuer(A)
    side = Side(issuer)

    async def scenario() -> None:
        for _ in range(3):
            with pytest.raises(Unauthenticated, match=UNKNOWN_KEY):
                await side.ask(B)
        assert issuer.asked == 1
        side.clock.advance(PAUSE_MS - 1)
        with pytest.raises(Unauthenticated, match=UNKNOWN_KEY):
            await side.ask(B)
        assert issuer.asked == 1
        side.clock.advance(1)
        with pytest.raises(Unauthenticated, match=UNKNOWN_KEY):
            await side.ask(B)
        assert issuer.asked == 2

    run(scenario)


def test_keys_that_are_old_are_got_again_and_one_that_is_gone_opens_no_more() -> None:
    issuer = Issuer(A, B)
    side = Side(issuer)

    async def scenario() -> None:
        await side.ask(A)
        issuer.keys = key_set(B)
        side.clock.advance(AGE_MS - 1)
        await side.ask(A)
        assert issuer.asked == 1
        side.clock.advance(1)
        with pytest.raises(Unauthenticated, match=UNKNOWN_KEY):
            await side.ask(A)
        await side.ask(B)
        assert issuer.asked == 2

    run(scenario)


# -- when they cannot be got --------------------------------------------------------------------------------------

NO_SETS: Final = [None, b"", b"<html>", b"\xff{}", b'{"keys": {}}', b"[" * 100_000, b'{"keys": [1]}', b'{"other": []}']


@pytest.mark.parametrize("answer", NO_SETS, ids=lambda answer: str(answer)[:20])
def test_without_keys_nobody_can_be_told(answer: bytes | None) -> None:
    issuer = Issuer(A)
    issuer.keys = answer
    side = Side(issuer)

    async def scenario() -> None:
        for _ in range(3):
            with pytest.raises(IdentityUnavailable, match="try again in a few seconds"):
                await side.ask(A)
        assert issuer.asked == 1, "there is a pause"
        issuer.keys = key_set(A)
        side.clock.advance(PAUSE_MS)
        assert (await side.ask(A)).project == "p1"

    run(scenario)


def test_more_keys_than_the_limit_are_no_set() -> None:
    issuer = Issuer(*[A] * (limits.JWT_KEYS_MAX + 1))
    side = Side(issuer)

    async def scenario() -> None:
        with pytest.raises(IdentityUnavailable):
            await side.ask(A)

    run(scenario)


@pytest.mark.parametrize("answer", NO_SETS, ids=lambda answer: str(answer)[:20])
def test_keys_at_hand_go_on_being_used_while_the_issuer_is_down(answer: bytes | None) -> None:
    issuer = Issuer(A)
    side = Side(issuer)

    async def scenario() -> None:
        await side.ask(A)
        issuer.keys = answer
        side.clock.advance(AGE_MS)
        await side.ask(A)
        with pytest.raises(IdentityUnavailable):
            await side.ask(B)
        assert issuer.asked == 2
        side.clock.advance(100 * AGE_MS)
        await side.ask(A)

    run(scenario)


def test_an_issuer_that_does_not_answer_keeps_nobody_longer_than_the_limit() -> None:
    issuer = Issuer(A)
    issuer.gate.clear()
    side = Side(issuer, timeout_s=0.05)

    async def scenario() -> None:
        with pytest.raises(IdentityUnavailable):
            await side.ask(A)
        side.clock.advance(PAUSE_MS)
        with pytest.raises(IdentityUnavailable):
            await side.ask(A)
        assert issuer.asked == 1, "there is one look at a time"
        issuer.gate.set()
        await side.subject.settled()
        await side.ask(A)
        assert issuer.asked == 1

    run(scenario)


def test_nobody_waits_for_an_issuer_that_is_down_whose_key_is_at_hand() -> None:
    issuer = Issuer(A)
    side = Side(issuer)

    async def scenario() -> None:
        await side.ask(A)
        issuer.keys = None
        side.clock.advance(AGE_MS)
        await side.ask(A)
        side.clock.advance(PAUSE_MS)
        issuer.called.clear()
        issuer.gate.clear()
        await side.ask(A)
        await issuer.is_asked()
        issuer.keys = key_set(B)
        issuer.gate.set()
        await side.subject.settled()
        await side.ask(B)
        assert issuer.asked == 3

    run(scenario)


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "sukkal")
    issuer = Issuer(A)
    issuer.keys = None
    side = Side(issuer)

    async def scenario() -> None:
        for _ in range(3):
            with pytest.raises(IdentityUnavailable):
                await side.ask(A)
            side.clock.advance(PAUSE_MS)
        issuer.keys = key_set(A)
        await side.ask(A)

    run(scenario)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            f"The keys of the issuer {ISSUER} cannot be got: {KEYS_URL} is down. Those at hand go on being used.",
        ),
        ("INFO", f"The keys of the issuer {ISSUER} can be got again."),
    ]


def test_a_look_that_fails_unexpectedly_is_an_outage_too(caplog: pytest.LogCaptureFixture) -> None:
    issuer = Issuer(A)
    side = Side(issuer)

    async def scenario() -> None:
        issuer.gate = None  # type: ignore[assignment]
        with pytest.raises(IdentityUnavailable):
            await side.ask(A)
        assert "cannot be got: looking for them failed with AttributeError(" in caplog.text

    run(scenario)
