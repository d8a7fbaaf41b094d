"""Where the service is and who we are there: flags, the environment, and a file beneath both."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sukkal.errors import SettingsError

if TYPE_CHECKING:
    from sukkal.client import Credentials

__all__ = ["CLIENT_CONFIG_VARIABLE", "credentials", "environment", "url"]

CLIENT_CONFIG_VARIABLE: Final = "SUKKAL_CLIENT_CONFIG"

_OWN: Final = {"url": "SUKKAL_URL", "project": "SUKKAL_PROJECT", "token": "SUKKAL_TOKEN"}
_OPENSTACK: Final = (
    *("os_auth_url", "os_username", "os_user_id", "os_password", "os_user_domain_name", "os_user_domain_id"),
    *("os_project_name", "os_project_id", "os_project_domain_name", "os_project_domain_id"),
)
_NAMES: Final[Mapping[str, str]] = {**_OWN, **{name: name.upper() for name in _OPENSTACK}}
_WHO: Final = ("SUKKAL_TOKEN", "OS_TOKEN", "OS_AUTH_URL")


def environment(
    options: Mapping[str, Any], environ: Mapping[str, str], read_file: Callable[[str], str]
) -> dict[str, str]:
    """Return the environment as the client reads it, with what the flags say over it and the file beneath it.

    Whoever says in the environment who they are is not mixed with whom the file names. Raises ``SettingsError``.
    """
    found = dict(environ)
    below = _file(environ, read_file)
    if any(environ.get(name) for name in _WHO):
        below = {name: value for name, value in below.items() if name == "SUKKAL_URL"}
    found = below | {name: value for name, value in found.items() if value}
    if options.get("url"):
        found["SUKKAL_URL"] = options["url"]
    if project := options.get("project"):
        found["SUKKAL_PROJECT"] = project
        if "OS_AUTH_URL" in found:
            found.pop("OS_PROJECT_ID", None)
            found["OS_PROJECT_NAME"] = project
    return found


def url(found: Mapping[str, str]) -> str:
    """Return the URL of the service."""
    from sukkal.client import url_from

    named = url_from(found)
    if not named.startswith(("http://", "https://")):
        raise SettingsError(f"The URL of the service is {named!r}; it begins with http:// or https://.")
    return named


def credentials(found: Mapping[str, str]) -> "Credentials":
    """Return who we are. Raises ``SettingsError`` if nothing says it."""
    from sukkal.client import ClientError, credentials_from

    try:
        return credentials_from(found)
    except ClientError as error:
        raise SettingsError(str(error)) from error


def _file(environ: Mapping[str, str], read_file: Callable[[str], str]) -> dict[str, str]:
    named = environ.get(CLIENT_CONFIG_VARIABLE)
    path = named or str(_usual(environ))
    try:
        document = tomllib.loads(read_file(path))
    except FileNotFoundError as error:
        if not named:
            return {}
        raise SettingsError(f"The file {path} ({CLIENT_CONFIG_VARIABLE}) cannot be read: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The file {path} is not TOML: {error}") from error
    for name, value in document.items():
        if name not in _NAMES or not isinstance(value, str):
            raise SettingsError(f"{path}: {name} is not text, or not one of {', '.join(_NAMES)}.")
    return {_NAMES[name]: value for name, value in document.items() if value}


def _usual(environ: Mapping[str, str]) -> Path:
    if base := environ.get("XDG_CONFIG_HOME"):
        return Path(base) / "sukkal" / "client.toml"
    return Path(environ.get("HOME") or "~").expanduser() / ".config" / "sukkal" / "client.toml"
