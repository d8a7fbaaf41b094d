"""Commands that ask a service for what only its administrators may."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from sukkal.cli.arguments import Command
from sukkal.client import Answer, ClientError, Connection, credentials_from, url_from
from sukkal.errors import SettingsError, StartupError

__all__ = ["Action", "Admin", "administer", "checked", "entries", "segment"]

_CLIENT_ID: Final = "3f0d3c1e-7c1b-4f0e-9a51-0c6f0a5d8f21"
_AS_ADMIN: Final = {"X-Roles": "admin"}
"""Believed only by a service that asks nobody who they are; elsewhere the token decides."""


class Admin:
    """A connection to the service on behalf of an administrator."""

    def __init__(self, service: Connection) -> None:
        self._service = service

    async def ask(self, method: str, path: str, document: Any = None) -> Answer:
        """Make a request and return the answer."""
        return await self._service.request(method, path, document, headers=_AS_ADMIN)


Action = Callable[[Admin, Mapping[str, Any]], Awaitable[None]]


def administer(command: Command, actions: Mapping[str, Action]) -> int:
    """Do what is asked, and return the exit code."""
    try:
        credentials = credentials_from(os.environ)
    except ClientError as error:
        raise SettingsError(str(error)) from error

    async def act() -> None:
        async with Connection(url_from(os.environ), credentials, client_id=_CLIENT_ID) as service:
            await actions[command.options["action"]](Admin(service), command.options)

    try:
        asyncio.run(act())
    except ClientError as error:
        raise StartupError(str(error)) from error
    return 0


async def entries(admin: Admin, kind: str) -> AsyncIterator[dict[str, Any]]:
    """Yield all entries of a listing, page by page."""
    path = f"/v2/{kind}"
    while path:
        page = await admin.ask("GET", path)
        try:
            for entry in page.member(kind, list):
                yield entry
            links = page.member("links", list)
            path = str(links[0]["href"]) if links else ""
        except (KeyError, TypeError):
            raise page.unexpected() from None


def checked(answer: Answer, status: int) -> Answer:
    """Return an answer that has the status that it has to have."""
    if answer.status != status:
        raise answer.unexpected()
    return answer


def segment(name: str, what: str) -> str:
    """Return a name as a part of a path."""
    if not name or not all(each.isascii() and (each.isalnum() or each in "-._") for each in name):
        raise SettingsError(f"NAME is not the name of a {what}: those have letters, digits, dots, _ and -.")
    return name
