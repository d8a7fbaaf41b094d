"""The entries of a key file, and its text. Pure: reading, writing and the time are the caller's."""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.identity.keys.text import ID_BYTES, SECRET_BYTES, KeyText, encode, hash_of, join_key, key_id

__all__ = ["Key", "create_key", "format_keys", "instant", "parse_keys"]

_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Project = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PROJECT_CHARS_MAX)]
_Name = Annotated[str, msgspec.Meta(max_length=limits.KEY_NAME_CHARS_MAX)]
_Role = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.KEY_ROLE_CHARS_MAX)]


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as the file has it: who its holder is, and until when. A revoked key has no entry.

    That an entry is gone is all there is to revoking: nothing is left that an edit could turn on again, and since ids
    are random, a later key does not come by this id.
    """

    id: str
    name: _Name
    project: _Project
    roles: tuple[_Role, ...]
    secret_hash: _Hash
    created: _Instant
    expires: _Instant | None

    @property
    def expires_ms(self) -> int | None:
        """The first millisecond in which the key is not valid any more."""
        return None if self.expires is None else round(self.expires.timestamp() * limits.SECOND_MS)

    def has_expired(self, now_ms: int) -> bool:
        """Tell whether the key is not valid any more."""
        return self.expires_ms is not None and now_ms >= self.expires_ms


_ENTRIES: Final = msgspec.json.Decoder(list[msgspec.Raw])
_KEY: Final = msgspec.json.Decoder(Key)


def parse_keys(text: str, *, path: str) -> Mapping[str, Key]:
    """Return the keys of a file by their ids, in the order of the file.

    Raises ``SettingsError`` that names the file and the entry and says what to do.
    """
    try:
        entries = _ENTRIES.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"The key file {path} is not a JSON list of keys: {error}. Bring back a copy of it, or move it away and "
            "make its keys anew: sukkal key create"
        ) from None
    if len(entries) > limits.KEYS_MAX:
        raise SettingsError(f"The key file {path} has {len(entries)} keys, {limits.KEYS_MAX} at most. Revoke some.")
    keys: dict[str, Key] = {}
    for number, entry in enumerate(entries, 1):
        key = _parse(entry, f"entry {number} of the key file {path}")
        if key.id in keys:
            raise SettingsError(f"Entry {number} of the key file {path} has the id {key.id} of another. Remove one.")
        keys[key.id] = key
    return keys


def format_keys(keys: Iterable[Key]) -> str:
    """Return the text of a file with these keys."""
    return msgspec.json.format(msgspec.json.encode(list(keys)), indent=2).decode() + "\n"


def create_key(
    *,
    project: str,
    name: str,
    roles: Iterable[str],
    expires: datetime | None,
    now_ms: int,
    taken: Collection[str] = (),
    draw: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Key, str]:
    """Return a new key whose id is not ``taken``, and its text, which is nowhere else.

    Raises ``SettingsError`` if the file would not take the key.
    """
    while (new_id := encode(draw(ID_BYTES))) in taken:
        pass
    secret = encode(draw(SECRET_BYTES))
    key = Key(
        id=new_id,
        name=name,
        project=project,
        roles=tuple(dict.fromkeys(roles)),
        secret_hash=hash_of(secret),
        created=instant(now_ms),
        expires=expires,
    )
    return _parse(msgspec.json.encode(key), "the new key"), join_key(KeyText(new_id, secret))


def instant(at_ms: int) -> datetime:
    """Return a time as files and people have it, to the second."""
    return datetime.fromtimestamp(at_ms // limits.SECOND_MS, UTC)


def _parse(entry: bytes | msgspec.Raw, where: str) -> Key:
    try:
        key = _KEY.decode(entry)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _wrong(where, str(error)) from None
    if key_id(key.id) != key.id:
        raise _wrong(where, "`id` is not the id of a key")
    if not all(text.isprintable() for text in (key.name, key.project, *key.roles)):
        raise _wrong(where, "`name`, `project` and `roles` take printable characters only")
    return key


def _wrong(where: str, why: str) -> SettingsError:
    return SettingsError(f"{where[0].upper()}{where[1:]} is wrong: {why}. Correct it, or revoke it and create another.")
