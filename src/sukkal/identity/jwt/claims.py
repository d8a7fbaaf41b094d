"""What a token says: reading it, without and with checking. Pure."""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import Unauthenticated
from sukkal.identity.jwt.configuration import JwtConfiguration
from sukkal.service.access import Identity

__all__ = ["Header", "issuer_of", "read_claims", "read_header"]

_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
# JSON that is none, text that is none, parts of an impossible length; and what is nested too deeply.
_UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)
# Dates up to the year 9999; as numbers they may have a fraction.
_DATE_S_MAX: Final = 253_402_300_800


class Header(msgspec.Struct, frozen=True):
    """How a token is signed. ``crit`` has what must be understood to take the token; here that is nothing."""

    alg: str
    kid: str = ""
    crit: Any = msgspec.UNSET


class _Issued(msgspec.Struct, frozen=True):
    iss: str


_HEADER: Final = msgspec.json.Decoder(Header)
_ISSUED: Final = msgspec.json.Decoder(_Issued)
_CLAIMS: Final = msgspec.json.Decoder(dict[str, Any])


def read_header(token: str) -> Header | None:
    """Return the header of a token, unchecked; ``None`` if this is no signed token."""
    match = _TOKEN.fullmatch(token)
    return _decode(_HEADER, match[1]) if match else None


def issuer_of(token: str) -> str | None:
    """Return who a token says that it is from, unchecked; ``None`` if it says nothing."""
    match = _TOKEN.fullmatch(token)
    issued = _decode(_ISSUED, match[2]) if match else None
    return issued.iss if issued else None


def read_claims(payload: bytes, configuration: JwtConfiguration, now_ms: int) -> Identity:
    """Return whom a genuine token stands for now.

    Raises ``Unauthenticated``, whose message names the claim that is wrong, and nothing of what it says.
    """
    try:
        claims = _CLAIMS.decode(payload)
    except _UNREADABLE:
        raise Unauthenticated("The token's claims are not a JSON object.") from None
    if claims.get("iss") != configuration.issuer:
        raise Unauthenticated(f"The token's claim 'iss' is not {configuration.issuer!r}.")
    if configuration.audience not in _audiences(claims):
        raise Unauthenticated(f"The token is not for us: its claim 'aud' lacks {configuration.audience!r}.")
    expires_ms = _check_times(claims, configuration.leeway_s * limits.SECOND_MS, now_ms)
    project = _text(claims, configuration.project_claim)
    if len(project) > limits.PROJECT_CHARS_MAX:
        raise Unauthenticated(
            f"The token's claim {configuration.project_claim!r} has more than {limits.PROJECT_CHARS_MAX} characters."
        )
    return Identity(
        method="jwt",
        project=project,
        user=_text(claims, configuration.user_claim),
        user_name=_user_name(claims),
        roles=_roles(claims, configuration.roles_claim),
        expires_ms=expires_ms,
    )


def _decode(decoder: "msgspec.json.Decoder[Any]", part: str) -> Any:
    """Return what a part of a token says; ``None`` if it cannot be read."""
    try:
        return decoder.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except _UNREADABLE:
        return None


def _check_times(claims: Mapping[str, Any], leeway_ms: int, now_ms: int) -> int:
    """Return the first millisecond in which the token is not valid any more."""
    expires_ms = _date_ms(claims, "exp")
    if expires_ms is None:
        raise Unauthenticated("The token has no claim 'exp', and would be valid for ever.")
    if now_ms >= expires_ms + leeway_ms:
        raise Unauthenticated("The token has expired. Get a new one.")
    for name in ("nbf", "iat"):
        begins_ms = _date_ms(claims, name)
        if begins_ms is not None and now_ms + leeway_ms < begins_ms:
            raise Unauthenticated(f"The token is not valid yet, by its claim {name!r}. Do the clocks agree?")
    return expires_ms + leeway_ms


def _date_ms(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _DATE_S_MAX:
        raise Unauthenticated(f"The token's claim {name!r} is not a number of seconds since 1970.")
    return int(value * limits.SECOND_MS)


def _audiences(claims: Mapping[str, Any]) -> list[Any]:
    value = claims.get("aud")
    return value if isinstance(value, list) else [value]


def _find(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its whole name, which may have dots, or else by the path that they make."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = _find(claims, name)
    if not isinstance(value, str) or not value:
        raise Unauthenticated(f"The token has no claim {name!r} with a text. Have the issuer put it in.")
    return value


def _roles(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = _find(claims, name)
    if value is None:
        return frozenset()
    roles = value.split() if isinstance(value, str) else value
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Unauthenticated(f"The token's claim {name!r} is neither a list of texts nor a text.")
    if len(roles) > limits.JWT_ROLES_MAX:
        raise Unauthenticated(f"The token's claim {name!r} has more than {limits.JWT_ROLES_MAX} roles.")
    return frozenset(roles)


def _user_name(claims: Mapping[str, Any]) -> str:
    for name in ("preferred_username", "name"):
        value = claims.get(name)
        if isinstance(value, str):
            return value
    return ""
