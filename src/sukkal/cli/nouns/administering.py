"""What nouns that only administrators may use have in common."""

import argparse
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from sukkal.cli.nouns.pages import entries
from sukkal.cli.service import Session
from sukkal.errors import SettingsError

if TYPE_CHECKING:
    from sukkal.client import Answer

__all__ = ["Kind"]

_AS_ADMIN: Final = {"X-Roles": "admin"}
"""Believed only by a service that asks nobody who they are; elsewhere the token decides."""


class Kind:
    """One kind of what administrators make: ``pool``, whose listing is ``pools``."""

    def __init__(self, name: str) -> None:
        self._name: Final = name
        self._plural: Final = f"{name}s"

    async def all(self, session: Session, *has: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the entries of the listing, page by page, each of which has certain members."""
        async for entry in entries(session, f"/v2/{self._plural}", self._plural, has, _AS_ADMIN):
            yield entry

    async def ask(self, session: Session, method: str, name: str, document: Any = None, *, below: str = "") -> "Answer":
        """Make a request to one of them, or to what is below it."""
        path = f"/v2/{self._plural}/{self._segment(name)}{below}"
        return await session.client.request(method, path, document, headers=_AS_ADMIN)

    async def record(self, session: Session, name: str, *members: str) -> dict[str, Any]:
        """Return those members of one of them that it has."""
        document = (await self.ask(session, "GET", name, below="?detailed=true")).document
        return {member: document[member] for member in members if member in document}

    def named(self, parser: argparse.ArgumentParser) -> None:
        """Add the argument that names one of them."""
        parser.add_argument("name", metavar="NAME", help=f"The name of the {self._name}.")

    def _segment(self, name: str) -> str:
        if not name or not all(each.isascii() and (each.isalnum() or each in "-._") for each in name):
            raise SettingsError(f"NAME is not the name of a {self._name}: those have letters, digits, dots, _ and -.")
        return name
