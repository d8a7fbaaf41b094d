"""Trusts: how the service acts for a caller long after the caller's token has ended."""

import asyncio
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final, TypeVar

from sukkal import limits
from sukkal.errors import Forbidden, IdentityUnavailable, Unauthenticated
from sukkal.identity.keystone.failures import CannotAsk
from sukkal.identity.keystone.outages import Outages
from sukkal.identity.keystone.questions import Questions
from sukkal.identity.keystone.tokens import Grant, TrustToken, identity_of
from sukkal.service.access import Identity

if TYPE_CHECKING:
    from sukkal.identity.keystone.api import KeystoneApi

__all__ = ["Trusts"]

T = TypeVar("T")

_SPARE_MS: Final = limits.KEYSTONE_TRUST_TOKEN_SPARE_S * limits.SECOND_MS
_UNAVAILABLE: Final = "Keystone cannot be asked now about the trust; try again in a few seconds."
_ENDED: Final = "The trust has ended, or who gave it no longer has the roles that were given."


class Trusts:
    """Makes, uses and ends trusts in which a caller lets the service user act for it.

    All methods raise ``IdentityUnavailable`` when Keystone cannot be asked. Whether anything was made or ended is
    unknown then.
    """

    def __init__(
        self,
        api: "KeystoneApi",
        questions: Questions,
        outages: Outages,
        now_ms: Callable[[], int],
        timeout_s: float,
    ) -> None:
        self._api = api
        self._questions = questions
        self._outages = outages
        self._now_ms = now_ms
        self._timeout_s = timeout_s
        self._tokens: dict[str, TrustToken] = {}

    async def create(self, token: str, identity: Identity, *, expires_ms: int | None = None) -> str:
        """Let the service act as the caller in its project, with all its roles there; return the trust's id.

        ``token`` is the caller's own, from which ``identity`` was recognised. A trust without an end lasts until it is
        deleted. Raises ``Unauthenticated`` if the token is no longer valid, ``Forbidden`` if it may not make trusts.
        """

        def create() -> str | None:
            # Asked anew for the ids of the roles: names need not be unique in a Keystone.
            grant = self._api.validate(token)
            if grant is None or grant.project is None:
                return None
            if (grant.user.id, grant.project.id) != (identity.user, identity.project):
                return None
            return self._api.create_trust(token, grant, expires_ms)

        trust_id = await self._ask(object(), create)
        if trust_id is None:
            raise Unauthenticated("The token does not prove that the request comes from who makes the trust.")
        return trust_id

    async def giver(self, trust_id: str) -> Identity | None:
        """Return who gave a trust to the service, and for which project; nobody if it cannot be used."""

        def look() -> Grant | None:
            found = self._api.trust_token(trust_id)
            return None if found is None else self._api.validate(found.token)

        grant = await self._ask(object(), look)
        return None if grant is None else identity_of(grant)

    async def token(self, trust_id: str) -> str:
        """Return a token with which the service acts as the one who gave the trust, valid for a minute at least.

        Raises ``Forbidden`` if the trust cannot be used any more.
        """
        kept = self._tokens.get(trust_id)
        if kept is None or self._now_ms() >= kept.expires_ms - _SPARE_MS:
            self._tokens.pop(trust_id, None)
            kept = await self._ask(("trust", trust_id), lambda: self._api.trust_token(trust_id))
            if kept is None:
                raise Forbidden(_ENDED)
            while len(self._tokens) >= limits.KEYSTONE_TRUST_TOKENS_MAX:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[trust_id] = kept
        return kept.token

    def forget(self, trust_id: str) -> None:
        """Let the next token of the trust be a new one, because the last was refused somewhere."""
        self._tokens.pop(trust_id, None)

    async def delete(self, trust_id: str) -> None:
        """End the trust. Nothing happens if it has ended.

        Keystone lets only the giver do so, and takes a token of the trust itself for the giver's. Raises ``Forbidden``
        if there can be none, since the giver is disabled or has lost a role: the trust is as good as dead then, and
        only the giver or an administrator can remove it.
        """
        self.forget(trust_id)

        def delete() -> bool:
            found = self._api.trust_token(trust_id)
            if found is None:
                return not self._api.trust_exists(trust_id)
            return self._api.delete_trust(trust_id, found.token)

        if not await self._ask(object(), delete):
            raise Forbidden("Only who gave the trust, or an administrator, can end it now.")

    async def _ask(self, key: Hashable, function: Callable[[], T]) -> T:
        if self._questions.full(limits.KEYSTONE_WAITING_KNOWN_MAX) and not self._questions.under_way(key):
            raise IdentityUnavailable(_UNAVAILABLE)
        question = self._questions.join(key, lambda: self._answer(function))
        await asyncio.wait((question,), timeout=self._timeout_s)
        if not question.done() or question.cancelled():
            raise IdentityUnavailable(_UNAVAILABLE)
        return question.result()

    async def _answer(self, function: Callable[[], T]) -> T:
        try:
            answer = await self._questions.call(function)
        except CannotAsk as error:
            self._outages.failed(error)
            raise IdentityUnavailable(_UNAVAILABLE) from error
        self._outages.answered()
        return answer
