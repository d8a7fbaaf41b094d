"""What Keystone says of a token, and whom that makes the one who brings it."""

from datetime import datetime
from typing import Annotated

import msgspec

from sukkal.service.access import Identity

__all__ = ["Grant", "TrustToken", "identity_of", "read_error_code", "read_grant", "read_trust_id"]

_Id = Annotated[str, msgspec.Meta(min_length=1)]


class _User(msgspec.Struct, frozen=True):
    id: _Id
    name: str = ""


class _Project(msgspec.Struct, frozen=True):
    id: _Id


class _Role(msgspec.Struct, frozen=True):
    id: _Id
    name: _Id


class Grant(msgspec.Struct, frozen=True):
    """The part of Keystone's description of a valid token that matters here."""

    user: _User
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]
    project: _Project | None = None
    roles: tuple[_Role, ...] = ()

    @property
    def expires_ms(self) -> int:
        """When the token ends."""
        return int(self.expires_at.timestamp() * 1_000)


class TrustToken(msgspec.Struct, frozen=True):
    """A token with which the service user acts as the one who gave a trust."""

    token: str
    expires_ms: int

    def __repr__(self) -> str:
        """Show no token."""
        return f"{type(self).__name__}(expires_ms={self.expires_ms})"


class _Envelope(msgspec.Struct, frozen=True):
    token: Grant


class _ErrorDetails(msgspec.Struct, frozen=True):
    code: int


class _ErrorDocument(msgspec.Struct, frozen=True):
    error: _ErrorDetails


class _Trust(msgspec.Struct, frozen=True):
    id: _Id


class _TrustEnvelope(msgspec.Struct, frozen=True):
    trust: _Trust


_envelopes = msgspec.json.Decoder(_Envelope)
_trusts = msgspec.json.Decoder(_TrustEnvelope)
_errors = msgspec.json.Decoder(_ErrorDocument)


def read_grant(body: bytes) -> Grant:
    """Return what a body says of a valid token. Raises ``ValueError`` if it does not."""
    return _envelopes.decode(body).token


def read_trust_id(body: bytes) -> str:
    """Return the id of the trust that a body describes. Raises ``ValueError`` if it describes none."""
    return _trusts.decode(body).trust.id


def read_error_code(body: bytes) -> int | None:
    """Return the code of an error that Keystone itself reports; none if the body comes from somebody else."""
    try:
        return _errors.decode(body).error.code
    except ValueError:
        return None


def identity_of(grant: Grant) -> Identity | None:
    """Return whom a token stands for; none if it is not for a project."""
    if grant.project is None:
        return None
    return Identity(
        method="keystone",
        project=grant.project.id,
        user=grant.user.id,
        user_name=grant.user.name,
        roles=frozenset(role.name for role in grant.roles),
        expires_ms=grant.expires_ms,
    )
