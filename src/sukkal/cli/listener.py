"""``sukkal listener``: make, list and end listeners of a service."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sukkal.cli import profile
from sukkal.cli.arguments import Command
from sukkal.cli.files import read_text
from sukkal.cli.output import Output
from sukkal.cli.service import told
from sukkal.client import Answer, ClientError, Connection
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
    found = profile.environment({**options, "url": options["service"]}, os.environ, read_text)

    async def act() -> None:
        async with Connection(profile.url(found), profile.credentials(found), client_id=_CLIENT_ID) as service:
            await _ACTIONS[options["action"]](service, options)

    try:
        asyncio.run(act())
    except ClientError as error:
        raise StartupError(told(error)) from error
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
    out = Output(options["output"])
    if out.form == "table":
        found = [dict(zip(_HEAD, row, strict=True)) for row in rows]
    out.rows({name: name for name in _HEAD}, found)


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
