"""What an API key looks like: ``sukkal_<id>_<secret>``.

Ids and secrets are numbers in base 32, without the letters i, l, o and u, which people take for others. The form is
fixed, so that programs which search for secrets in the wrong places find these.
"""

import base64
import hashlib
import re
from typing import Final, NamedTuple

__all__ = [
    "ID_BYTES",
    "SECRET_BYTES",
    "KeyText",
    "encode",
    "hash_of",
    "join_key",
    "key_id",
    "like_a_key",
    "split_key",
    "without_secrets",
]

ID_BYTES: Final = 5
SECRET_BYTES: Final = 32

_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_IN_OUR_DIGITS: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _DIGITS)
_ID: Final = rf"[{_DIGITS}]{{8}}"
_ID_ALONE: Final = re.compile(_ID)
_BEGINNING: Final = "sukkal_"
_KEY: Final = re.compile(rf"sukkal_({_ID})_([{_DIGITS}]{{52}})")
# Wider than a key, so that one with a slip in it is not shown either.
_LIKE_A_KEY: Final = re.compile(r"(?i)(sukkal_)[a-z0-9_-]{16,}")


class KeyText(NamedTuple):
    """The two parts of a key. The id may be shown, the secret may not."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyText(id={self.id!r}, secret=...)"


def encode(number: bytes) -> str:
    """Return random bytes as they are written in a key."""
    return base64.b32encode(number).decode().rstrip("=").translate(_IN_OUR_DIGITS)


def join_key(text: KeyText) -> str:
    """Return the key that a caller presents."""
    return f"sukkal_{text.id}_{text.secret}"


def like_a_key(token: str) -> bool:
    """Tell whether a token is meant to be a key, with or without a slip."""
    return token[: len(_BEGINNING)].lower() == _BEGINNING


def split_key(token: str) -> KeyText | None:
    """Return the parts of a key; ``None`` if this is none."""
    match = _KEY.fullmatch(token)
    return KeyText(match[1], match[2]) if match else None


def key_id(text: str) -> str | None:
    """Return the id that is given alone or as part of a key; ``None`` if there is none."""
    if key := split_key(text):
        return key.id
    return text if _ID_ALONE.fullmatch(text) else None


def hash_of(secret: str) -> str:
    """Return what is kept of a secret. It is as long as its hash, so that no salt and no slow hash are needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def without_secrets(text: str) -> str:
    """Return a text in which everything that looks like a key is blotted out."""
    return _LIKE_A_KEY.sub(r"\1...", text)
