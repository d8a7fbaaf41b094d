"""Latest-only queues: which messages take the place of which (``_conflate``)."""

import hashlib
from typing import Any, Final

import msgspec

from sukkal.errors import KeyUnavailable
from sukkal.model import Message, NewMessage, Queue
from sukkal.service.attributes import conflates, encrypts
from sukkal.service.encryption import Encryption, is_sealed

__all__ = ["conflation_key"]

_ALL: Final = b"*"
_KEY_BYTES: Final = 16


def conflation_key(queue: Queue, message: Message | NewMessage, encryption: Encryption) -> bytes | None:
    """Return what a message has in common with those whose place it takes, ``None`` if it takes none.

    It is a digest, under a secret where bodies are encrypted, so that a key does not tell what is in them. A message
    that cannot be read takes nobody's place.
    """
    path, project = conflates(queue.metadata), queue.key.project
    if path is None:
        return None
    if path == "*":
        return _ALL
    try:
        value = _member(encryption.open_body(project, message.id, message.body), path)
    except KeyUnavailable:
        return None
    if value is None:
        return None
    text = msgspec.json.encode(value, order="sorted")
    secret = encryption.secret(project) if encrypts(queue.metadata) or is_sealed(message.body) else b""
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
