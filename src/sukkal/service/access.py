"""Who asks, and what only some may ask for."""

from typing import Final

import msgspec

from sukkal.errors import Forbidden

__all__ = ["Caller"]

_ADMIN: Final = "admin"


class Caller(msgspec.Struct, frozen=True, gc=False):
    """The one who makes a request: a client of a project, with roles."""

    project: str
    client: str
    roles: frozenset[str] = frozenset()

    def require_admin(self) -> None:
        """Refuse anybody without the role admin. Raises ``Forbidden``."""
        if _ADMIN not in self.roles:
            raise Forbidden("You are not authorized to complete this action.")
