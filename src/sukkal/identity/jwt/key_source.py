"""The keys of an issuer as they are now: got when they are needed, and again when they are old or one is unknown."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import IdentityUnavailable, Unauthenticated
from sukkal.identity.jwt.configuration import JwtConfiguration
from sukkal.identity.jwt.fetching import FetchFailed
from sukkal.identity.jwt.signatures import SigningKeys, parse_jwks

__all__ = ["KeySource"]

_log: Final = logging.getLogger("sukkal.jwt")

_DISCOVERY: Final = "/.well-known/openid-configuration"
_UNKNOWN: Final = "The token is signed with a key that its issuer does not have."
_UNAVAILABLE: Final = "The keys of the token's issuer cannot be got now; try again in a few seconds."


class _Discovered(msgspec.Struct, frozen=True):
    issuer: str
    jwks_uri: str


_DISCOVERED: Final = msgspec.json.Decoder(_Discovered)


class KeySource:
    """Finds keys of an issuer. ``fetch`` blocks, raises ``FetchFailed``, and is called in a thread.

    There is one look at a time, for all who wait, and a pause after each. Keys that could not be got anew go on being
    used.
    """

    def __init__(
        self,
        configuration: JwtConfiguration,
        now_ms: Callable[[], int],
        fetch: Callable[[str], bytes],
        *,
        timeout_s: float = limits.JWT_KEYS_TIMEOUT_S,
    ) -> None:
        self._configuration = configuration
        self._now_ms = now_ms
        self._fetch = fetch
        self._timeout_s = timeout_s
        self._keys = SigningKeys({})
        self._got_ms: int | None = None
        self._looked_ms: int | None = None
        self._failing = False
        self._outage_told = False
        self._looking: asyncio.Task[None] | None = None

    async def find(self, kid: str, alg: str) -> Any:
        """Return the key of this id.

        Raises ``Unauthenticated`` if the issuer has none, ``IdentityUnavailable`` if that cannot be found out now.
        """
        key = self._keys.find(kid, alg)
        if key is not None and not self._are_old():
            return key
        looking = self._look()
        # While the issuer does not answer, nobody waits for it whose key is at hand.
        if looking is not None and (key is None or not self._failing):
            await asyncio.wait((looking,), timeout=self._timeout_s)
            self._failing = self._failing or not looking.done()
            key = self._keys.find(kid, alg)
        if key is not None:
            return key
        if self._failing:
            raise IdentityUnavailable(_UNAVAILABLE)
        # The last look was good, and not longer ago than the pause. Issuers show a key before they sign with it.
        raise Unauthenticated(_UNKNOWN)

    async def settled(self) -> None:
        """Wait until no look is under way."""
        if self._looking is not None:
            await asyncio.wait((self._looking,))

    def _are_old(self) -> bool:
        return self._got_ms is None or self._now_ms() - self._got_ms >= limits.JWT_KEYS_AGE_S * limits.SECOND_MS

    def _look(self) -> "asyncio.Task[None] | None":
        """Return the look that is under way, a new one, or none if the last was just now."""
        pause_ms = limits.JWT_KEYS_PAUSE_S * limits.SECOND_MS
        if self._looking is None and (self._looked_ms is None or self._now_ms() - self._looked_ms >= pause_ms):
            self._looking = asyncio.ensure_future(self._get())
        return self._looking

    async def _get(self) -> None:
        begun_ms = self._now_ms()
        why = "it was cancelled"
        try:
            self._keys = await _in_thread(self._get_now)
            self._got_ms = begun_ms
            why = ""
        except FetchFailed as error:
            why = str(error)
        finally:
            self._failing = bool(why)
            self._looked_ms = self._now_ms()
            self._looking = None
        self._tell(why)

    def _tell(self, why: str) -> None:
        """Log when an outage begins, and when it is over."""
        if why and not self._outage_told:
            _log.warning(
                "The keys of the issuer %s cannot be got: %s. Those at hand go on being used.",
                self._configuration.issuer,
                why,
            )
        elif self._outage_told and not why:
            _log.info("The keys of the issuer %s can be got again.", self._configuration.issuer)
        self._outage_told = bool(why)

    def _get_now(self) -> SigningKeys:
        url = self._configuration.jwks_url or self._discover()
        return parse_jwks(self._fetch(url), self._configuration.algorithms, url=url)

    def _discover(self) -> str:
        url = self._configuration.issuer.rstrip("/") + _DISCOVERY
        try:
            found = _DISCOVERED.decode(self._fetch(url))
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise FetchFailed(f"{url} does not say where the keys are") from None
        if found.issuer != self._configuration.issuer:
            raise FetchFailed(f"{url} is about another issuer: set jwt_issuer to exactly what it says")
        return found.jwks_uri


async def _in_thread(work: Callable[[], SigningKeys]) -> SigningKeys:
    """Do blocking work in a thread of its own, which, unlike those of a pool, no ending process waits for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[SigningKeys | FetchFailed] = loop.create_future()

    def settle(outcome: SigningKeys | FetchFailed) -> None:
        if not done.cancelled():
            done.set_result(outcome)

    def run() -> None:
        outcome: SigningKeys | FetchFailed
        try:
            outcome = work()
        except FetchFailed as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 - keys at hand must go on being used
            outcome = FetchFailed(f"looking for them failed with {error!r}")
        with contextlib.suppress(RuntimeError):  # The loop may be closed by now.
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=run, name="issuer-keys", daemon=True).start()
    outcome = await done
    if isinstance(outcome, FetchFailed):
        raise outcome
    return outcome
