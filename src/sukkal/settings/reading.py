"""How settings are read: a flag beats an environment variable, that a TOML file, and that the default.

Pure: the flags, the environment and the text of the file are arguments.
"""

import difflib
import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from sukkal.errors import SettingsError
from sukkal.settings.described import FIELDS, Field
from sukkal.settings.fields import Settings
from sukkal.settings.passwords import without_password

__all__ = ["Origin", "Resolved", "check", "load", "resolve", "unknown"]

_VARIABLE_PREFIX: Final = "SUKKAL_"
# They tell a client where the service is and who asks, and may be in the environment of whoever runs one, too.
_OF_CLIENTS: Final = frozenset({"SUKKAL_URL", "SUKKAL_PROJECT", "SUKKAL_TOKEN", "SUKKAL_CLIENT_CONFIG"})
_CONFIG: Final = "config"
_CAPPED: Final = ("message_ttl", "message_delay", "claim_ttl", "claim_grace")
_TRUSTING: Final = "none"
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "keystone": ("keystone_auth_url", "keystone_username", "keystone_password"),
    "jwt": ("jwt_issuer", "jwt_audience"),
    "keys": ("keys_file",),
}
_TOGETHER: Final = (
    ("tls_cert_file", "tls_key_file"),
    ("tls_key_file", "tls_cert_file"),
    ("tls_client_ca_file", "tls_cert_file"),
    ("audit_reads", "audit_log"),
    ("require_confirmation", "signed_url_keys"),
    ("external_confirmation_url", "smtp_host"),
)
_SHOWN_CHARS_MAX: Final = 80


class Origin(NamedTuple):
    """Where a value was given. ``file`` is the path if that was a configuration file."""

    kind: Literal["flag", "environment", "file", "default"]
    file: str = ""

    def key(self, name: str) -> str:
        """Return how the setting ``name`` is written there."""
        match self.kind:
            case "flag":
                return "--" + name.replace("_", "-")
            case "environment":
                return _VARIABLE_PREFIX + name.upper()
            case _:
                return name

    def assignment(self, name: str, value: str | int | bool) -> str:
        """Return how ``name`` is given ``value`` there."""
        text = msgspec.json.encode(value).decode()  # That is TOML, too.
        bare = value if isinstance(value, str) else text
        match self.kind:
            case "flag":
                return f"{self.key(name)} {bare}"
            case "environment":
                return f"{self.key(name)}={bare}"
            case _:
                return f"{name} = {text}"

    def __str__(self) -> str:
        return f"file {self.file}" if self.kind == "file" else self.kind


class _Given(NamedTuple):
    value: object
    origin: Origin


class Resolved(msgspec.Struct, frozen=True):
    """Settings, and for each the place that decided it."""

    settings: Settings
    origins: Mapping[str, Origin]


def load(flags: Mapping[str, str], environ: Mapping[str, str], read_file: Callable[[str], str]) -> Settings:
    """Return the settings that ``resolve`` finds."""
    return resolve(flags, environ, read_file).settings


def resolve(flags: Mapping[str, str], environ: Mapping[str, str], read_file: Callable[[str], str]) -> Resolved:
    """Read the settings: a flag beats a variable, a variable beats the file, the file beats the default.

    ``flags`` has the names of settings as keys; it and ``environ`` may also name the file (``config``,
    ``SUKKAL_CONFIG``). Raises ``SettingsError`` for what is unknown, malformed or contradictory.
    """
    flag, variable = Origin("flag"), Origin("environment")
    flags = {flag.key(name): text for name, text in flags.items()}
    variables = {
        name: text for name, text in environ.items() if name.startswith(_VARIABLE_PREFIX) and name not in _OF_CLIENTS
    }
    path = flags.get(flag.key(_CONFIG), variables.get(variable.key(_CONFIG)))
    given = {field.name: _Given(field.default, Origin("default")) for field in FIELDS}
    if path is not None:
        given |= _known(_read(path, read_file), Origin("file", path))
    given |= _known(variables, variable) | _known(flags, flag)
    settings = Settings(**{field.name: _value(field, *given[field.name]) for field in FIELDS})
    origins = {name: each.origin for name, each in given.items()}
    check(settings, origins)
    return Resolved(settings, origins)


def check(settings: Settings, origins: Mapping[str, Origin] | None = None) -> None:
    """Raise ``SettingsError`` when two settings contradict each other, or would open the service to strangers."""
    where = origins or {}
    for name in _CAPPED:
        value, cap = getattr(settings, f"default_{name}"), getattr(settings, f"max_{name}")
        if value > cap:
            origin = where.get(f"max_{name}", Origin("default"))
            raise SettingsError(
                f"{_place(f'default_{name}', where)} is {value}, which is more than {_place(f'max_{name}', where)}, "
                f"{cap}. Lower the first or raise the second, for example: {origin.assignment(f'max_{name}', value)}"
            )
    if _is_open(settings) and not settings.allow_remote_without_auth:
        origin = where.get("listen", Origin("default"))
        raise SettingsError(
            f"{_place('listen', where)} is {settings.listen!r}, which other machines can reach, while auth is "
            f"{settings.auth!r}: whoever reaches it could read and write every project. Listen on 127.0.0.1, or, if "
            f"the network keeps strangers out, say so: {origin.assignment('allow_remote_without_auth', True)}"
        )
    for page in filter(None, map(str.strip, settings.cors_origins.split(","))):
        if page != "*" and not page.startswith(("http://", "https://")):
            raise SettingsError(
                f"{_place('cors_origins', where)} has {page!r}; an origin begins with http:// or https://, such as "
                "https://console.example.org"
            )
    for method in settings.auth_methods:
        _demand(settings, where, f"{_place('auth', where)} has {method}", _NEEDED.get(method, ()))
    for name, other in _TOGETHER:
        if getattr(settings, name):
            _demand(settings, where, f"{_place(name, where)} is given", (other,))


def _demand(settings: Settings, where: Mapping[str, Origin], because: str, names: tuple[str, ...]) -> None:
    for name in names:
        if not getattr(settings, name):
            origin = where.get(name, Origin("default"))
            example = next(field.example for field in FIELDS if field.name == name)
            raise SettingsError(
                f"{because}, so {name} is needed too, for example: "
                f"{(Origin('flag') if origin.kind == 'default' else origin).assignment(name, example)}"
            )


def unknown(key: str, origin: Origin) -> SettingsError:
    """Return the error for ``key``, written as it was given, that no setting goes by."""
    keys = [origin.key(field.name) for field in FIELDS]
    if origin.kind != "file":
        keys.append(origin.key(_CONFIG))
    nearest = difflib.get_close_matches(key, keys, n=1, cutoff=0)[0]
    return SettingsError(f"{key} ({origin}) is not a setting; the nearest is {nearest}. See: sukkal settings")


def _is_open(settings: Settings) -> bool:
    addresses = filter(None, (settings.address, settings.websocket_address))
    return _TRUSTING in settings.auth_methods and not all(_is_local(address.host) for address in addresses)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _place(name: str, origins: Mapping[str, Origin]) -> str:
    origin = origins.get(name, Origin("default"))
    return f"{origin.key(name)} ({origin})"


def _read(path: str, read_file: Callable[[str], str]) -> dict[str, object]:
    try:
        return tomllib.loads(read_file(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The configuration file {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The configuration file {path} is not TOML: {error}") from error


def _known(values: Mapping[str, object], origin: Origin) -> dict[str, _Given]:
    names = {origin.key(field.name): field.name for field in FIELDS}
    given = {}
    for key, value in values.items():
        if key in names:
            given[names[key]] = _Given(value, origin)
        elif origin.kind == "file" or key != origin.key(_CONFIG):
            raise unknown(key, origin)
    return given


def _value(field: Field, value: object, origin: Origin) -> Any:
    """Return the value in its type; text from flags and variables is read, values of a file must have the type."""
    try:
        return msgspec.convert(value, field.type, strict=origin.kind == "file")
    except msgspec.ValidationError as error:
        shown = without_password(repr(value))
        shown = shown if len(shown) <= _SHOWN_CHARS_MAX else shown[:_SHOWN_CHARS_MAX] + "..."
        if field.secret:
            shown = "not what it should be"
        raise SettingsError(
            f"{origin.key(field.name)} ({origin}) is {shown}; it takes {field.wants}, "
            f"for example: {origin.assignment(field.name, field.example)}"
        ) from error
