"""Recognising callers by JSON Web Tokens."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import UNSET

from sukkal import limits
from sukkal.errors import Unauthenticated
from sukkal.extras import needs_extra
from sukkal.identity.jwt.claims import Header, issuer_of, read_claims, read_header
from sukkal.identity.jwt.configuration import JwtConfiguration
from sukkal.identity.jwt.fetching import fetch
from sukkal.service.access import Identity

__all__ = ["JwtAuthenticator"]


class _Known(NamedTuple):
    identity: Identity
    until_ms: int


class JwtAuthenticator:
    """Knows senders by tokens that an issuer has signed with a public key.

    A token that was checked is known for a while, as long as it is valid. Raises ``SettingsError`` if the extra
    ``sukkal[jwt]`` is not installed.
    """

    challenge: Final = 'Bearer realm="sukkal"'

    def __init__(
        self,
        configuration: JwtConfiguration,
        now_ms: Callable[[], int],
        *,
        fetch: Callable[[str], bytes] = fetch,
        timeout_s: float = limits.JWT_KEYS_TIMEOUT_S,
    ) -> None:
        with needs_extra("jwt", "To recognise callers by JSON Web Tokens"):
            from sukkal.identity.jwt.key_source import KeySource
            from sukkal.identity.jwt.signatures import signed_content
        self._configuration = configuration
        self._now_ms = now_ms
        self._keys = KeySource(configuration, now_ms, fetch, timeout_s=timeout_s)
        self._signed_content = signed_content
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def recognises(self, token: str) -> bool:
        """Tell whether a token is signed in a way that is taken here, and says that it is from the issuer."""
        return self._header(token) is not None and issuer_of(token) == self._configuration.issuer

    def known(self, token: str) -> Identity | None:
        """Return the identity of a token that was checked a short while ago."""
        known = self._known.get(token)
        if known is None:
            return None
        if self._now_ms() < known.until_ms:
            return known.identity
        del self._known[token]
        return None

    async def identify(self, token: str) -> Identity:
        """Return whom a token stands for. Raises ``Unauthenticated``, ``IdentityUnavailable``."""
        try:
            identity = await self._check(token)
        except Unauthenticated as error:
            raise Unauthenticated(str(error), (self.challenge,)) from None
        self._remember(token, identity)
        return identity

    async def settled(self) -> None:
        """Wait until the issuer is not being asked, for those who have given up waiting included."""
        await self._keys.settled()

    async def _check(self, token: str) -> Identity:
        if len(token) > limits.JWT_CHARS_MAX:
            raise Unauthenticated(f"The token has more than {limits.JWT_CHARS_MAX} characters.")
        header = self._header(token)
        if header is None:
            taken = ", ".join(self._configuration.algorithms)
            raise Unauthenticated(f"The token is no JSON Web Token that is signed with one of: {taken}.")
        if issuer_of(token) != self._configuration.issuer:
            raise Unauthenticated(f"The token's claim 'iss' is not {self._configuration.issuer!r}.")
        key = await self._keys.find(header.kid, header.alg)
        return read_claims(self._signed_content(token, key, header.alg), self._configuration, self._now_ms())

    def _header(self, token: str) -> Header | None:
        """Return the header if it is one that is taken here; without looking at what nobody would have sent."""
        header = read_header(token) if len(token) <= limits.REQUEST_HEADER_BYTES_MAX else None
        taken = header is not None and header.crit is UNSET and header.alg in self._configuration.algorithms
        return header if taken else None

    def _remember(self, token: str, identity: Identity) -> None:
        until_ms = self._now_ms() + limits.JWT_KNOWN_S * limits.SECOND_MS
        if identity.expires_ms is not None:
            until_ms = min(until_ms, identity.expires_ms)
        if len(self._known) >= limits.JWT_KNOWN_MAX and token not in self._known:
            self._known.popitem(last=False)
        self._known[token] = _Known(identity, until_ms)
