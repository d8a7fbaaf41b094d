"""``sukkal listener``: make, list and end listeners of a service."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sukkal.cli.arguments import Command
from sukkal.cli.tables import table
from sukkal.client import Answer, ClientError, Connection, credentials_from, url_from
from sukkal.errors import SettingsError, StartupError
from sukkal.service.listener_terms import KINDS

__all__ = ["run"]

_NO_CONTENT: Final = 204
_PATH: Final = "/v2/listeners"
_CLIENT_ID: Final = "0e7a63b2-51c8-4d0f-9b6f-5d3c24a1c9f7"
_HEAD: Final = ("ID", "WAITS FOR", "URL")
_GIVEN: Final = ("events", "workbook", "queue", "method", "ttl")


def run(command: Command) -> int:
    """Do what is asked, and return the exit code."""
    options = command.options
    try:
        credentials = credentials_from(os.environ)
    except ClientError as error:
        raise SettingsError(str(error)) from error

    async def act() -> None:
        async with Connection(url_from(os.environ), credentials, client_id=_CLIENT_ID) as service:
            await _ACTIONS[options["action"]](service, options)

    try:
        asyncio.run(act())
    except ClientError as error:
        raise StartupError(str(error)) from error
    return 0


async def _add(service: Connection, options: Mapping[str, Any]) -> None:
    document = {name: options[name] for name in _GIVEN if options[name]}
    document |= {options["kind"]: options["id"], "url": options["url"]}
    if options["heartbeat"] is not None:
        document["heartbeat"] = {"within": options["heartbeat"]}
    if options["headers"]:
        document["headers"] = dict(_header(each) for each in options["headers"])
    print((await service.request("POST", _PATH, document)).member("id", str))


async def _list(service: Connection, options: Mapping[str, Any]) -> None:
    found: list[Any] = []
    path = _PATH
    rows: list[tuple[str, str, str]] = []
    while path:
        page = await service.request("GET", path)
        found += page.member("listeners", list)
        try:
            rows += [(each["id"], _waits_for(each), each["url"]) for each in page.document["listeners"]]
            path = _next(page)
        except (KeyError, TypeError, ValueError):
            raise page.unexpected() from None
    print(json.dumps(found, indent=2, ensure_ascii=False) if options["output"] == "json" else table([_HEAD, *rows]))


async def _delete(service: Connection, options: Mapping[str, Any]) -> None:
    answer = await service.request("DELETE", f"{_PATH}/{_segment(options['id'])}")
    if answer.status != _NO_CONTENT:
        raise answer.unexpected()


def _next(page: Answer) -> str:
    links = page.member("links", list)
    return str(links[0]["href"]) if links else ""


def _waits_for(listener: Mapping[str, Any]) -> str:
    [named] = [f"{kind} {listener[kind]}" for kind in KINDS if kind in listener]
    within = f" of workbook {listener['workbook']}" if "workbook" in listener else ""
    beat = [f"silence of {listener['heartbeat']['within']} s"] if "heartbeat" in listener else []
    return f"{named}{within}: {', '.join([*listener.get('events', ['everything']), *beat])}"


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        # It may be a secret, so it is not shown.
        raise SettingsError("--header takes NAME:VALUE. See: sukkal listener add --help")
    return name, value.strip()


def _segment(id_: str) -> str:
    if not id_ or not all(character.isascii() and (character.isalnum() or character in "-._~") for character in id_):
        raise SettingsError("ID is not the id of a listener. See: sukkal listener list")
    return id_


_ACTIONS: Final[Mapping[str, Callable[[Connection, Mapping[str, Any]], Awaitable[None]]]] = {
    "add": _add,
    "list": _list,
    "delete": _delete,
}
