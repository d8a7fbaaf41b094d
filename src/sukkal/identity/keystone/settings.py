"""What has to be known to ask a Keystone."""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from sukkal import limits
from sukkal.errors import SettingsError

__all__ = ["KeystoneSettings"]


class KeystoneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Keystone is, and the service user who may validate the tokens of others.

    ``auth_url`` may end with ``/v3`` and with slashes. ``timeout_s`` is the longest that a caller waits for Keystone.
    A valid answer counts for ``revalidate_s`` without asking again. ``cafile`` holds the certificates that Keystone's
    own is checked with; empty stands for those of the system. Raises ``SettingsError`` for an ``auth_url`` that is
    none.
    """

    auth_url: str
    username: str
    password: str
    project_name: str = "service"
    user_domain_name: str = "Default"
    project_domain_name: str = "Default"
    timeout_s: float = limits.KEYSTONE_TIMEOUT_S_DEFAULT
    revalidate_s: float = limits.KEYSTONE_REVALIDATE_S_DEFAULT
    cafile: str = ""

    def __post_init__(self) -> None:
        """Refuse an address that cannot be one, or that would show a password to every caller."""
        try:
            parts = urlsplit(self.auth_url)
            usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        clean = self.auth_url.isascii() and self.auth_url.isprintable() and not set(' "\\?#@') & set(self.auth_url)
        if not (usable and clean):
            raise SettingsError(
                "keystone_auth_url must be an address such as https://keystone.example.org:5000/v3, without a name or "
                "a password in it."
            )

    def __repr__(self) -> str:
        """Show whom it is about, and no password."""
        return f"{type(self).__name__}(auth_url={self.auth_url!r}, username={self.username!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same in tracebacks."""
        return [("auth_url", self.auth_url), ("username", self.username)]

    @property
    def v3_url(self) -> str:
        """The root of the Identity API, without a slash at its end."""
        return self.auth_url.rstrip("/").removesuffix("/v3").rstrip("/") + "/v3"
