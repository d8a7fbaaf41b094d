"""Latest-only queues: which messages take the place of which (``_conflate``)."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sukkal.service.attributes import conflates

__all__ = ["conflation_key"]

_ALL: Final = b"*"
_KEY_BYTES: Final = 16


def conflation_key(metadata: Mapping[str, Any], body: bytes, *, secret: bytes = b"") -> bytes | None:
    """Return what a message has in common with those whose place it takes, ``None`` if it takes none.

    It is a digest, under a secret if there is one, so that a key does not tell what is in an encrypted body.
    """
    path = conflates(metadata)
    if path is None:
        return None
    if path == "*":
        return _ALL
    value = _member(body, path)
    if value is None:
        return None
    text = msgspec.json.encode(value, order="sorted")
    return hashlib.blake2b(text, digest_size=_KEY_BYTES, key=secret).digest()


def _member(body: bytes, path: str) -> Any:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return None  # A body is any JSON, also one that cannot be read here; it takes nobody's place.
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
