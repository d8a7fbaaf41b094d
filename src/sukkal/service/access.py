"""Who asks: what a request says of its sender, and the contract of those who know senders by their tokens."""

from typing import Any, Protocol

import msgspec

__all__ = ["Authenticator", "Caller", "Identity"]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has been recognised: a user of a project, with roles.

    ``method`` is the way in which that happened: ``none``, ``keystone``, ``jwt``, ``keys`` or ``signed_url``. Nobody
    is recognised beyond ``expires_ms``; ``None`` is for ever. ``user_name`` is for people to read and may be empty.
    """

    method: str
    project: str
    user: str = ""
    user_name: str = ""
    roles: frozenset[str] = frozenset()
    expires_ms: int | None = None


class Caller(msgspec.Struct, frozen=True, gc=False):
    """The one who makes a request: a client program on behalf of somebody.

    ``token`` is what proved who that is, if it was a token.
    """

    identity: Identity
    client: str
    token: str | None = None

    def __repr__(self) -> str:
        """Show no token."""
        return f"{type(self).__name__}(identity={self.identity!r}, client={self.client!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same in tracebacks."""
        return [("identity", self.identity), ("client", self.client)]

    @property
    def project(self) -> str:
        """The project whose queues are meant."""
        return self.identity.project


class Authenticator(Protocol):
    """Knows senders by tokens of one kind.

    A token is whatever stands in the header ``X-Auth-Token`` or behind ``Bearer`` in ``Authorization``.
    """

    @property
    def challenge(self) -> str:
        """What a sender without a valid token is told to bring: a value of the header ``WWW-Authenticate``."""

    def recognises(self, token: str) -> bool:
        """Tell by its form whether a token may be of this kind, without asking anybody."""

    def known(self, token: str) -> Identity | None:
        """Return the identity if it can be told at once; ``None`` says nothing about the token. Must be quick."""

    async def identify(self, token: str) -> Identity:
        """Return the identity.

        Raises ``Unauthenticated`` if the token is not valid, ``IdentityUnavailable`` if that cannot be found out now.
        No message of these names the token.
        """
