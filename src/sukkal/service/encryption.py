"""Encryption of message bodies in queues that ask for it: AES-256-GCM, with keys that may be replaced.

A sealed body begins with a byte that no JSON text begins with, and names its key, so what is read need not know what
the queue asked for when it was written. It is bound to its project and its message's id: moved elsewhere it cannot be
opened. Each process derives keys of its own from the operator's by a random salt and counts its nonces, so that none
is ever used twice, however many messages there are.
"""

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Final

from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import KeyUnavailable, SettingsError
from sukkal.model import Message

__all__ = ["Encryption", "is_sealed", "read_keys"]

_log: Final = logging.getLogger("sukkal.encryption")

_MARK: Final = b"\x00\x01"
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_INFO: Final = b"sukkal message body"


def read_keys(setting: str, text: str, *, path: str) -> dict[str, bytes]:
    """Return the keys of the setting ``encryption_keys`` and of the key file's text, in that order.

    Each is an id, a colon (in the file also a space) and 32 bytes in Base64. Raises ``SettingsError``, which does not
    show them.
    """
    keys: dict[str, bytes] = {}
    lines = [line.strip() for line in text.splitlines()]
    places = [("encryption_keys", each.strip()) for each in setting.split(",") if each.strip()]
    places += [(path, line) for line in lines if line and not line.startswith("#")]
    for number, (place, given) in enumerate(places, 1):
        id_, _, encoded = given.replace(" ", ":", 1).partition(":")
        try:
            key = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _KEY_BYTES or not 0 < len(id_.encode("utf-8")) <= limits.ENCRYPTION_KEY_ID_BYTES_MAX:
            raise SettingsError(
                f"Key {number}, in {place}, is wrong: it takes an id of 1 to {limits.ENCRYPTION_KEY_ID_BYTES_MAX} "
                "characters, a colon, and 32 bytes in Base64, as printed by: openssl rand -base64 32"
            )
        if id_ in keys:
            raise SettingsError(f"Key {number}, in {place}, has the id {id_!r}, which another key has, too.")
        keys[id_] = key
    return keys


def is_sealed(body: bytes) -> bool:
    """Tell whether a stored body is encrypted."""
    return body.startswith(_MARK)


class Encryption:
    """Seals bodies with the first key, and opens those sealed with any."""

    def __init__(self, keys: Mapping[str, bytes], new_salt: Callable[[], bytes]) -> None:
        self._new_salt = new_salt
        self._keys: Mapping[str, bytes] = {}
        self._current: _Sealing | None = None
        self.replace_keys(keys)

    def replace_keys(self, keys: Mapping[str, bytes]) -> None:
        """Go by other keys from now on."""
        self._keys = dict(keys)
        first = next(iter(self._keys), None)
        self._current = None if first is None else _Sealing(first, self._keys[first], self._new_salt())

    @property
    def ready(self) -> bool:
        """Whether there is a key to seal with."""
        return self._current is not None

    def seal(self, project: str, message_id: str, body: bytes) -> bytes:
        """Return a body as it is to be stored. Raises ``KeyUnavailable`` without any key."""
        if self._current is None:
            raise KeyUnavailable("The queue is encrypted and the service has no key. An operator can set one.")
        return self._current.seal(body, _place(project, message_id))

    def secret(self, project: str) -> bytes:
        """Return what to keep digests of a project's clear texts under. It is another one with another first key."""
        first = next(iter(self._keys.values()), b"")
        return hashlib.blake2b(project.encode(), key=first, person=b"sukkal digests", digest_size=_KEY_BYTES).digest()

    def open(self, project: str, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Return messages with bodies that can be read. Raises ``KeyUnavailable``."""
        if True not in [is_sealed(message.body) for message in messages]:
            return tuple(messages)
        return tuple([self.open_one(project, message) for message in messages])

    def open_one(self, project: str, message: Message) -> Message:
        """Return a message with a body that can be read. Raises ``KeyUnavailable``."""
        if not is_sealed(message.body):
            return message
        return replace(message, body=self.open_body(project, message.id, message.body))

    def open_body(self, project: str, message_id: str, body: bytes) -> bytes:
        """Return a body that can be read. Raises ``KeyUnavailable``."""
        if not is_sealed(body):
            return body
        try:
            return self._open(project, message_id, body)
        except KeyUnavailable as error:
            _log.warning("project %s: %s", project, error)
            raise

    def _open(self, project: str, message_id: str, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        if len(sealed) <= len(_MARK):
            raise _unreadable(message_id, "")
        id_length = sealed[len(_MARK)]
        head = len(_MARK) + 1 + id_length
        id_ = sealed[len(_MARK) + 1 : head].decode("utf-8", "replace")
        key = self._keys.get(id_)
        if key is None:
            raise KeyUnavailable(
                f"Message {message_id} is encrypted with the key {id_!r}, which the service does not have. An operator "
                "can bring it back."
            )
        salt, nonce = sealed[head : head + _SALT_BYTES], sealed[head + _SALT_BYTES : head + _SALT_BYTES + _NONCE_BYTES]
        try:
            body: bytes = _cipher(key, salt).decrypt(
                nonce, sealed[head + _SALT_BYTES + _NONCE_BYTES :], sealed[:head] + _place(project, message_id)
            )
        except (InvalidTag, ValueError):
            raise _unreadable(message_id, id_) from None
        return body


def _unreadable(message_id: str, key_id: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"Message {message_id} cannot be decrypted with the key {key_id!r}: it is another key than it was, or the "
        "stored message was changed."
    )


class _Sealing:
    """A key and a salt to seal with, and how many nonces they have used."""

    def __init__(self, id_: str, key: bytes, salt: bytes) -> None:
        encoded = id_.encode("utf-8")
        self._head = _MARK + bytes([len(encoded)]) + encoded
        self._salt = salt
        self._cipher = _cipher(key, salt)
        self._nonces = count()

    def seal(self, body: bytes, place: bytes) -> bytes:
        nonce = next(self._nonces).to_bytes(_NONCE_BYTES, "big")
        sealed: bytes = self._cipher.encrypt(nonce, body, self._head + place)
        return self._head + self._salt + nonce + sealed


def _place(project: str, message_id: str) -> bytes:
    return f"{project}\0{message_id}".encode()


@lru_cache(maxsize=1_024)
def _cipher(key: bytes, salt: bytes) -> Any:
    """Return the cipher of a derived key; deriving one costs more than a use."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), _KEY_BYTES, salt, _INFO).derive(key))
