"""Signatures of signed URLs: which paths and methods of a project somebody may use until when, without an account.

The algorithm is Zaqar's: HMAC-SHA256 over the paths, the methods, the project and the end, joined by a backslash and
the letter n.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from sukkal import limits

__all__ = ["Signature", "Signer", "expiry_ms", "expiry_text", "keys_of", "signature_id"]

_JOINT: Final = r"\n"
_EXPIRY: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ID_CHARS: Final = 32


class Signature(msgspec.Struct, frozen=True):
    """What a signed request brings: what was signed, and the signature, in hexadecimal."""

    paths: tuple[str, ...]
    methods: tuple[str, ...]
    project: str
    expires: str
    text: str

    @property
    def ambiguous(self) -> bool:
        """Whether the text that is signed could be read as that of another one: its joints begin with a backslash."""
        return any("\\" in part for part in (*self.paths, *self.methods, self.project, self.expires))

    def covers(self, method: str, path: str) -> bool:
        """Tell whether a method and a path are among those that were signed. A path includes what lies below it."""
        return method in self.methods and any(path == each or path.startswith(each + "/") for each in self.paths)


class Signer:
    """Signs with the first of its keys, and knows the signatures of all of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode("utf-8") for key in keys]

    @property
    def ready(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._keys)

    def sign(self, paths: Sequence[str], methods: Sequence[str], project: str, expires: str) -> Signature:
        """Return the signature of sorted paths and methods. Raises ``ValueError`` for a project with a backslash."""
        given = Signature(tuple(sorted(paths)), tuple(sorted(methods)), project, expires, "")
        if given.ambiguous:
            raise ValueError("a backslash cannot be signed")
        return msgspec.structs.replace(given, text=_digest(self._keys[0], given))

    def made(self, signature: Signature) -> bool:
        """Tell, in constant time, whether one of the keys made the signature."""
        if signature.ambiguous:
            return False
        given = signature.text.encode("utf-8", "replace")
        matches = [hmac.compare_digest(_digest(key, signature).encode("ascii"), given) for key in self._keys]
        return any(matches)


def _digest(key: bytes, signature: Signature) -> str:
    parts = (",".join(sorted(signature.paths)), ",".join(sorted(signature.methods)))
    message = _JOINT.join((*parts, signature.project, signature.expires))
    return hmac.new(key, message.encode("utf-8"), hashlib.sha256).hexdigest()


def keys_of(setting: str) -> list[str]:
    """Return the keys of the setting ``signed_url_keys``. Raises ``ValueError`` for one that is too short."""
    keys = [key.strip() for key in setting.split(",") if key.strip()]
    if setting and not keys:
        raise ValueError("it has no key")
    if any(len(key) < limits.SIGNED_URL_KEY_CHARS_MIN for key in keys):
        raise ValueError(f"a key must have at least {limits.SIGNED_URL_KEY_CHARS_MIN} characters")
    return keys


def signature_id(text: str) -> str:
    """Return the id by which a signature is listed and revoked; the signature cannot be told from it."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:_ID_CHARS]


def expiry_text(at_ms: int) -> str:
    """Return a moment as signatures carry it: in UTC, to the second, without a zone."""
    return datetime.fromtimestamp(at_ms // limits.SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def expiry_ms(text: str) -> int | None:
    """Return the moment that a signature carries, or ``None`` if that is not one."""
    if not _EXPIRY.fullmatch(text):
        return None
    try:
        return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * limits.SECOND_MS
    except ValueError:
        return None
