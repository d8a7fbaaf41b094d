"""Whose JSON Web Tokens are taken, and what is read from them."""

from typing import Final

import msgspec

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.identity.jwt.fetching import why_unsafe

__all__ = ["ALGORITHMS", "JwtConfiguration"]

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
    "EdDSA",
)
"""What can be chosen: signatures with public keys. With a shared secret, everybody who can check could also sign."""


class JwtConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer and its tokens. Raises ``SettingsError`` if it cannot be used.

    The keys of the issuer are at ``jwks_url``, or, if that is empty, where the issuer's document
    ``/.well-known/openid-configuration`` says. The names of claims may be paths, such as ``realm_access.roles``. Roles
    are a list, or a text with blanks between. ``leeway_s`` is how far the clocks may differ.
    """

    issuer: str
    audience: str
    jwks_url: str = ""
    user_claim: str = "sub"
    project_claim: str = "project_id"
    roles_claim: str = "roles"
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    leeway_s: int = limits.JWT_LEEWAY_S_DEFAULT

    def __post_init__(self) -> None:
        for name in ("issuer", "audience", "user_claim", "project_claim", "roles_claim"):
            if not getattr(self, name):
                raise SettingsError(f"jwt_{name} is empty, but tokens cannot be checked without it.")
        name, url = ("jwt_jwks_url", self.jwks_url) if self.jwks_url else ("jwt_issuer", self.issuer)
        if why := why_unsafe(url):
            raise SettingsError(f"{name} is {url!r}, where the issuer's keys cannot be got from: {why}.")
        if wrong := [each for each in self.algorithms if each not in ALGORITHMS]:
            raise SettingsError(f"jwt_algorithms has {wrong[0]!r}; it takes some of: {', '.join(ALGORITHMS)}")
        if not self.algorithms:
            raise SettingsError(f"jwt_algorithms is empty; it takes some of: {', '.join(ALGORITHMS)}")
        if not 0 <= self.leeway_s <= limits.JWT_LEEWAY_S_MAX:
            raise SettingsError(
                f"jwt_leeway_s is {self.leeway_s}; it takes seconds from 0 to {limits.JWT_LEEWAY_S_MAX}"
            )
