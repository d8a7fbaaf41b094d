"""``sukkal key``: make, list and revoke API keys."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sukkal.cli.arguments import Command
from sukkal.cli.key_arguments import KEYS_FILE_VARIABLE
from sukkal.cli.moments import moment, shown
from sukkal.cli.output import Output
from sukkal.cli.tables import table
from sukkal.clock import Clock
from sukkal.errors import SettingsError, StartupError
from sukkal.identity.keys import Key, KeyFile, create_key, key_id

__all__ = ["run"]

_HEAD: Final = ("ID", "PROJECT", "NAME", "ROLES", "CREATED", "EXPIRES")


def run(command: Command) -> int:
    """Do what is asked to the keys of a file, and return the exit code."""
    options = command.options
    path = options["keys_file"] or os.environ.get(KEYS_FILE_VARIABLE)
    if not path:
        raise SettingsError(f"Which file has the keys? Name it with --keys-file FILE or {KEYS_FILE_VARIABLE}=FILE.")
    try:
        _ACTIONS[options["action"]](KeyFile(path), options, Clock()())
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"The key file {path} cannot be read or written: {error}") from error
    return 0


def _create(file: KeyFile, options: Mapping[str, Any], now_ms: int) -> None:
    expires = moment(options["expires"], now_ms)

    def add(keys: dict[str, Key]) -> tuple[Key, str]:
        key, text = create_key(
            project=options["project"],
            name=options["name"],
            roles=options["roles"],
            expires=expires,
            now_ms=now_ms,
            taken=keys,
        )
        keys[key.id] = key
        return key, text

    key, text = file.change(add, create=True)
    try:
        print(text, flush=True)
    except OSError as error:
        raise StartupError(f"The key {key.id} was made, but not printed: {error}. Revoke it.") from error
    print(f"This is the key {key.id} of {_holder(key)}. It is not shown again.", file=sys.stderr)
    print(f"It expires: {shown(key.expires)}. Revoke it with: sukkal key revoke {key.id}", file=sys.stderr)


def _list(file: KeyFile, options: Mapping[str, Any], now_ms: int) -> None:
    keys = file.keys().values()
    if options["output"] == "table":
        print(_table(keys, now_ms))
    else:
        Output(options["output"]).rows({}, _records(keys, now_ms))


def _revoke(file: KeyFile, options: Mapping[str, Any], now_ms: int) -> None:
    # Whoever pastes the whole key means its id, and must not read its secret in an error.
    wanted = key_id(options["id"])
    if wanted is None:
        raise SettingsError("ID is not the id of a key: those have 8 letters and digits. See: sukkal key list")
    gone = file.change(lambda keys: keys.pop(wanted, None))
    if gone is None:
        raise StartupError(f"The key file {file.path} has no key {wanted}. See: sukkal key list")
    print(f"Revoked the key {gone.id} of {_holder(gone)}.", file=sys.stderr)


def _holder(key: Key) -> str:
    roles = f" with the roles {', '.join(key.roles)}" if key.roles else ""
    return f"project {key.project}{f' ({key.name})' if key.name else ''}{roles}"


def _records(keys: Iterable[Key], now_ms: int) -> list[dict[str, Any]]:
    return [
        {
            "id": key.id,
            "project": key.project,
            "name": key.name,
            "roles": list(key.roles),
            "created": shown(key.created),
            "expires": shown(key.expires) if key.expires else None,
            "expired": key.has_expired(now_ms),
        }
        for key in keys
    ]


def _table(keys: Iterable[Key], now_ms: int) -> str:
    rows: list[Sequence[str]] = [_HEAD]
    for key in keys:
        expires = shown(key.expires) + (" (expired)" if key.has_expired(now_ms) else "")
        rows.append((key.id, key.project, key.name, ",".join(key.roles), shown(key.created), expires))
    return table(rows)


_ACTIONS: Final[Mapping[str, Callable[[KeyFile, Mapping[str, Any], int], None]]] = {
    "create": _create,
    "list": _list,
    "revoke": _revoke,
}
