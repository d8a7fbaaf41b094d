"""Recognising callers by tokens of OpenStack Keystone."""

import asyncio
from collections.abc import Callable
from typing import Final

from sukkal import limits
from sukkal.errors import IdentityUnavailable, Unauthenticated
from sukkal.extras import needs_extra
from sukkal.identity.keystone.failures import CannotAsk
from sukkal.identity.keystone.known import KnownToken, KnownTokens, Refusals
from sukkal.identity.keystone.outages import Outages
from sukkal.identity.keystone.questions import Questions
from sukkal.identity.keystone.settings import KeystoneSettings
from sukkal.identity.keystone.tokens import Grant, identity_of
from sukkal.identity.keystone.trusts import Trusts
from sukkal.service.access import Identity

__all__ = ["KeystoneAuthenticator"]

_MALFORMED: Final = (
    f"A Keystone token has 1 to {limits.KEYSTONE_TOKEN_BYTES_MAX} characters, all printable ASCII without blanks."
)
_REFUSED: Final = "Keystone does not know the token, or it has expired or was revoked; get a new one."
_UNSCOPED: Final = "The token is not for a project; get one that is scoped to the project whose queues are meant."
_UNAVAILABLE: Final = "Keystone cannot be asked now whether the token is valid; try again in a few seconds."


class KeystoneAuthenticator:
    """Knows senders by Keystone tokens that are scoped to a project.

    An answer of Keystone counts for ``revalidate_s``, so a revocation is honoured within that time. In the second half
    of it a token that is used is confirmed again in the background. While Keystone cannot be asked, the last answer
    goes on counting until the token expires; tokens that were never confirmed get ``IdentityUnavailable``.

    Raises ``SettingsError`` if the extra ``sukkal[keystone]`` is not installed.
    """

    def __init__(self, settings: KeystoneSettings, now_ms: Callable[[], int]) -> None:
        with needs_extra("keystone", "To recognise callers by Keystone"):
            from sukkal.identity.keystone.api import KeystoneApi
            from sukkal.identity.keystone.service_user import ServiceUser
        self._api = KeystoneApi(ServiceUser(settings, now_ms))
        self._now_ms = now_ms
        self._timeout_s = settings.timeout_s
        self._questions = Questions()
        self._outages = Outages(settings.v3_url, settings.username, now_ms)
        self._known = KnownTokens(int(settings.revalidate_s * limits.SECOND_MS))
        self._refusals = Refusals()
        self.challenge: Final = f'Keystone uri="{settings.auth_url.rstrip("/")}"'
        self.trusts: Final = Trusts(self._api, self._questions, self._outages, now_ms, settings.timeout_s)

    def recognises(self, token: str) -> bool:
        """Tell whether a token may be one of Keystone: all kinds of those are short and printable."""
        return (
            0 < len(token) <= limits.KEYSTONE_TOKEN_BYTES_MAX
            and token.isascii()
            and token.isprintable()
            and " " not in token
        )

    def known(self, token: str) -> Identity | None:
        """Return whom a token stands for if that was confirmed lately."""
        known = self._known.get(token)
        if known is None:
            return None
        now_ms = self._now_ms()
        if now_ms < known.ask_from_ms:
            return known.identity
        return self._ageing(token, known, now_ms)

    async def identify(self, token: str) -> Identity:
        """Return whom a token stands for, asking Keystone unless it was asked lately.

        Raises ``Unauthenticated`` and ``IdentityUnavailable``.
        """
        if not self.recognises(token):
            raise self._unauthenticated(_MALFORMED)
        if (identity := self.known(token)) is not None:
            return identity
        if (why := self._refusals.why(token, self._now_ms())) is not None:
            raise self._unauthenticated(why)
        question = self._ask(token)
        if question is not None:
            await asyncio.wait((question,), timeout=self._timeout_s)
        if question is not None and question.done() and not question.cancelled():
            answer = question.result()
        else:
            answer = self._without_answer(token)
        match answer:
            case Identity():
                return answer
            case str():
                raise self._unauthenticated(answer)
            case None:
                raise IdentityUnavailable(_UNAVAILABLE)

    async def settled(self) -> None:
        """Wait until no question is under way, those in the background included."""
        await self._questions.settled()

    async def close(self) -> None:
        """Ask nothing more, and end the threads; a call that runs is waited for."""
        await self._questions.close()
        self._api.close()

    def _ageing(self, token: str, known: KnownToken, now_ms: int) -> Identity | None:
        if now_ms >= known.expires_ms:
            self._known.forget(token)
            return None
        if now_ms >= known.fresh_until_ms:
            return None
        self._ask(token)
        return known.identity

    def _ask(self, token: str) -> "asyncio.Task[Identity | str | None] | None":
        """Return the question about a token; none if too many wait already."""
        is_known = self._known.get(token) is not None
        waiting_max = limits.KEYSTONE_WAITING_KNOWN_MAX if is_known else limits.KEYSTONE_WAITING_NEW_MAX
        if self._questions.full(waiting_max) and not self._questions.under_way(token):
            return None
        return self._questions.join(token, lambda: self._answer(token))

    async def _answer(self, token: str) -> Identity | str | None:
        """Ask Keystone; return whom the token stands for, or why it is refused, or nothing if that is not known."""
        asked_ms = self._now_ms()
        try:
            grant = await self._questions.call(lambda: self._api.validate(token))
        except CannotAsk as error:
            self._outages.failed(error)
            return self._without_answer(token)
        self._outages.answered()
        return self._keep(token, grant, asked_ms)

    def _keep(self, token: str, grant: Grant | None, asked_ms: int) -> Identity | str:
        now_ms = self._now_ms()
        if grant is None or grant.expires_ms <= now_ms:
            why = _REFUSED
        elif (identity := identity_of(grant)) is None:
            why = _UNSCOPED
        else:
            self._known.confirm(token, identity, grant.expires_ms, asked_ms)
            return identity
        self._known.forget(token)
        self._refusals.add(token, why, now_ms)
        return why

    def _without_answer(self, token: str) -> Identity | None:
        """Return whom a token stood for when it was last asked about, unless it has expired since."""
        now_ms = self._now_ms()
        known = self._known.get(token)
        if known is None or now_ms >= known.expires_ms:
            return None
        self._known.put_off(token, now_ms)
        return known.identity

    def _unauthenticated(self, why: str) -> Unauthenticated:
        return Unauthenticated(why, (self.challenge,))
