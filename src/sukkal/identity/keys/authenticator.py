"""Recognising callers by API keys."""

from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Final

from sukkal.errors import SettingsError, Unauthenticated
from sukkal.identity.keys.entries import Key, parse_keys
from sukkal.identity.keys.text import hash_of, like_a_key, split_key
from sukkal.service.access import Identity

__all__ = ["Keys"]

_NO_HASH: Final = hash_of("")
_INVALID: Final = "The API key is not valid: it was revoked, or never made here, or it has a slip. Ask for a new one."
_EXPIRED: Final = "The API key has expired. Ask for a new one."


class Keys:
    """Knows senders by the keys of a key file.

    ``read`` returns the text of the file, which ``path`` names in errors. ``look`` has it read again if it has changed
    since: a key that is not known may have been made just now. Raises ``SettingsError`` if the file cannot be read or
    is wrong.
    """

    challenge: Final = 'Bearer realm="sukkal"'

    def __init__(
        self,
        read: Callable[[], str],
        now_ms: Callable[[], int],
        *,
        path: str,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._read = read
        self._look = look
        self._now_ms = now_ms
        self._path = path
        self._keys: Mapping[str, Key] = {}
        # No more tokens than keys get in here, since a key has one text.
        self._known: dict[str, Identity] = {}
        self.reload()

    def reload(self) -> None:
        """Read the file again. Raises ``SettingsError`` if it is wrong, and goes on with the keys it had."""
        try:
            text = self._read()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"The key file {self._path} cannot be read: {error}. It is made by: sukkal key create"
            ) from error
        self._keys = parse_keys(text, path=self._path)
        self._known.clear()

    def recognises(self, token: str) -> bool:
        """Tell whether a token is meant to be a key; one with a slip is nobody else's to see."""
        return like_a_key(token)

    def known(self, token: str) -> Identity | None:
        """Return the identity of a token that was identified since the file was read, until it expires."""
        identity = self._known.get(token)
        if identity is None or identity.expires_ms is None or self._now_ms() < identity.expires_ms:
            return identity
        del self._known[token]
        return None

    async def identify(self, token: str) -> Identity:
        """Return the identity of the key's holder. Raises ``Unauthenticated``."""
        key = self._find(token)
        if key is None:
            self._look()
            key = self._find(token)
        if key is None:
            raise Unauthenticated(_INVALID, (self.challenge,))
        if key.has_expired(self._now_ms()):
            raise Unauthenticated(_EXPIRED, (self.challenge,))
        identity = Identity(
            method="keys",
            project=key.project,
            user=key.id,
            user_name=key.name,
            roles=frozenset(key.roles),
            expires_ms=key.expires_ms,
        )
        self._known[token] = identity
        return identity

    def _find(self, token: str) -> Key | None:
        """Return the key of this text. It takes as long for a wrong id as for a wrong secret."""
        parts = split_key(token)
        if parts is None:
            return None
        key = self._keys.get(parts.id)
        same = compare_digest(hash_of(parts.secret), key.secret_hash if key else _NO_HASH)
        return key if same else None
