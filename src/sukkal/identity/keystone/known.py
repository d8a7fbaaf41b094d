"""What Keystone said of tokens, kept for as long as that counts."""

import hashlib
from typing import Final

import msgspec

from sukkal import limits
from sukkal.service.access import Identity

__all__ = ["KnownToken", "KnownTokens", "Refusals"]

_REFUSAL_MS: Final = limits.KEYSTONE_REFUSAL_S * limits.SECOND_MS
_RETRY_MS: Final = limits.KEYSTONE_RETRY_S * limits.SECOND_MS


class KnownToken(msgspec.Struct):
    """A token that was valid when it was asked about.

    That counts until ``fresh_until_ms``, and never beyond ``expires_ms``. From ``ask_from_ms`` on it is worth asking
    again, so that the answer is there before it is needed.
    """

    identity: Identity
    expires_ms: int
    fresh_until_ms: int
    ask_from_ms: int

    def put_off(self, now_ms: int, revalidate_ms: int) -> None:
        """Let the last answer count once more, because there is none now; the next attempt comes soon."""
        self.fresh_until_ms = now_ms + revalidate_ms
        self.ask_from_ms = min(now_ms + min(_RETRY_MS, revalidate_ms // 2), self.expires_ms)


class KnownTokens:
    """The valid tokens. When there are too many, those go that were not confirmed for the longest time."""

    def __init__(self, revalidate_ms: int) -> None:
        self._revalidate_ms = revalidate_ms
        self._tokens: dict[str, KnownToken] = {}
        self.get = self._tokens.get

    def confirm(self, token: str, identity: Identity, expires_ms: int, asked_ms: int) -> None:
        """Keep what was answered to a question; its age counts from the question."""
        self._tokens.pop(token, None)
        while len(self._tokens) >= limits.KEYSTONE_TOKENS_MAX:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[token] = KnownToken(
            identity,
            expires_ms,
            fresh_until_ms=asked_ms + self._revalidate_ms,
            ask_from_ms=min(asked_ms + self._revalidate_ms // 2, expires_ms),
        )

    def put_off(self, token: str, now_ms: int) -> None:
        """Let the last answer count once more, if there is one."""
        if (known := self._tokens.get(token)) is not None:
            known.put_off(now_ms, self._revalidate_ms)

    def forget(self, token: str) -> None:
        """Keep nothing of a token."""
        self._tokens.pop(token, None)


class Refusals:
    """The tokens that were refused in the last seconds, and why. When there are too many, the oldest go."""

    def __init__(self) -> None:
        self._refusals: dict[bytes, tuple[str, int]] = {}

    def add(self, token: str, why: str, now_ms: int) -> None:
        """Keep a refusal."""
        key = _digest(token)
        self._refusals.pop(key, None)
        while len(self._refusals) >= limits.KEYSTONE_REFUSALS_MAX:
            del self._refusals[next(iter(self._refusals))]
        self._refusals[key] = (why, now_ms + _REFUSAL_MS)

    def why(self, token: str, now_ms: int) -> str | None:
        """Return why a token was refused, if it was."""
        why, until_ms = self._refusals.get(_digest(token), ("", 0))
        return why if now_ms < until_ms else None


def _digest(token: str) -> bytes:
    # Anybody can fill this place, with tokens as long as he likes.
    return hashlib.blake2b(token.encode("ascii"), digest_size=16).digest()
