"""The keys of an issuer, and whether one of them has signed a token. The only module that needs PyJWT."""

from collections.abc import Mapping
from typing import Any, Final

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm

from sukkal import limits
from sukkal.errors import Unauthenticated
from sukkal.identity.jwt.fetching import FetchFailed

__all__ = ["SigningKeys", "parse_jwks", "signed_content"]

_EC_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_MALFORMED: Final = (jwt.PyJWTError, UnsupportedAlgorithm, AttributeError, KeyError, TypeError, ValueError)


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


_KEY_SET: Final = msgspec.json.Decoder(_KeySet)
_SIGNATURES: Final = jwt.PyJWS()


class SigningKeys:
    """Public keys by their ids and the algorithm that each is for."""

    def __init__(self, keys: Mapping[tuple[str, str], Any]) -> None:
        self._keys = keys

    def find(self, kid: str, alg: str) -> Any | None:
        """Return the key for a token's header. A token that names no key means the only one there is."""
        if kid:
            return self._keys.get((kid, alg))
        fitting = [key for (_, its_alg), key in self._keys.items() if its_alg == alg]
        return fitting[0] if len(fitting) == 1 else None


def parse_jwks(content: bytes, algorithms: tuple[str, ...], *, url: str) -> SigningKeys:
    """Return the keys of a JSON Web Key Set that can check signatures of these algorithms; others are passed over.

    Raises ``FetchFailed`` if this is no such set.
    """
    try:
        entries = _KEY_SET.decode(content).keys
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise FetchFailed(f"{url} has no JSON Web Key Set") from None
    if len(entries) > limits.JWT_KEYS_MAX:
        raise FetchFailed(f"{url} has {len(entries)} keys, {limits.JWT_KEYS_MAX} at most")
    keys: dict[tuple[str, str], Any] = {}
    for number, entry in enumerate(entries):
        for alg in algorithms:
            if _is_for(entry, alg) and (key := _read(entry, alg)) is not None:
                keys[_name(entry, number), alg] = key
    return SigningKeys(keys)


def signed_content(token: str, key: Any, alg: str) -> bytes:
    """Return the payload of a token that this key has signed. Raises ``Unauthenticated``."""
    try:
        content: bytes = _SIGNATURES.decode(token, key, algorithms=[alg])
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Unauthenticated("The token's signature is not that of its issuer.") from None
    return content


def _name(entry: Mapping[str, Any], number: int) -> str:
    kid = entry.get("kid")
    # Whoever gave a key no name refers to it without one; with a blank, this is what no token can say.
    return kid if isinstance(kid, str) and kid else f" {number}"


def _is_for(entry: Mapping[str, Any], alg: str) -> bool:
    """Tell whether a key is public and meant for signatures of this algorithm."""
    if "d" in entry or entry.get("use", "sig") != "sig" or entry.get("alg", alg) != alg:
        return False
    match entry.get("kty"):
        case "RSA":
            return alg[:2] in ("RS", "PS")
        case "EC":
            return alg in _EC_CURVES and entry.get("crv") == _EC_CURVES[alg]
        case "OKP":
            return alg == "EdDSA" and entry.get("crv") in ("Ed25519", "Ed448")
        case _:
            return False


def _read(entry: dict[str, Any], alg: str) -> Any | None:
    """Return the key; ``None`` if it is malformed or so short that signatures could be forged."""
    try:
        key = jwt.PyJWK(entry, alg).key
    except _MALFORMED:
        return None
    short = entry["kty"] == "RSA" and key.key_size < limits.JWT_RSA_BITS_MIN
    return None if short else key
