"""An authenticator for JSON Web Tokens with a clock and an issuer that a test turns."""

import asyncio
from typing import Any, Final

import pytest

from sukkal.errors import Unauthenticated
from sukkal.identity.jwt import JwtAuthenticator, JwtConfiguration
from sukkal.identity.jwt.fetching import FetchFailed
from sukkal.service.access import Authenticator, Identity
from sukkal.testing import FakeClock
from tests.unit.issuing import AUDIENCE, ISSUER, Signer, claims, ec_signer, ed_signer, key_set, rsa_signer, token

__all__ = ["KEYS_URL", "LEEWAY_MS", "START_MS", "UNKNOWN_KEY", "Rig"]

KEYS_URL: Final = f"{ISSUER}/keys"
START_MS: Final = FakeClock()()
LEEWAY_MS: Final = 30_000
UNKNOWN_KEY: Final = "The token is signed with a key that its issuer does not have."


class Rig:
    """An authenticator, its clock, and what the issuer answers; ``documents`` may change."""

    def __init__(self, *signers: Signer, **options: Any) -> None:
        self.clock = FakeClock()
        self.documents = {KEYS_URL: key_set(*(signers or (rsa_signer(), ec_signer(), ed_signer())))}
        given: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": KEYS_URL, "leeway_s": 30}
        self.configuration = JwtConfiguration(**(given | options))
        self.subject: Authenticator = JwtAuthenticator(self.configuration, self.clock, fetch=self._fetch)

    def _fetch(self, url: str) -> bytes:
        if url not in self.documents:
            raise FetchFailed(f"{url} is down")
        return self.documents[url]

    def token(self, signer: Signer | None = None, **changes: Any) -> str:
        return token(signer or ed_signer(), claims(START_MS, **changes))

    def identify(self, text: str) -> Identity:
        return asyncio.run(self._identify(text))

    async def _identify(self, text: str) -> Identity:
        return await self.subject.identify(text)

    def refused(self, text: str) -> str:
        """Return what the sender of a token is told, after looking that nothing in it is of the token."""
        with pytest.raises(Unauthenticated) as raised:
            self.identify(text)
        assert self.subject.known(text) is None
        assert raised.value.challenges == (self.subject.challenge,) == ('Bearer realm="sukkal"',)
        assert not _leaks(text, raised.value)
        return str(raised.value)


def _leaks(text: str, error: BaseException | None) -> bool:
    """Tell whether an error, or one that a log would show beside it, has a part of a token."""
    while error is not None:
        said = f"{error} {error!r} {error.args}"
        if any(len(each) > 8 and each in said for each in (text, *text.split("."))):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False
