"""``sukkal flavor``: make, list, change and delete the flavors of a service."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sukkal.cli.administering import Action, Admin, administer, checked, entries, segment
from sukkal.cli.arguments import Command
from sukkal.cli.tables import table

__all__ = ["run"]

_HEAD: Final = ("NAME", "POOLS")


def run(command: Command) -> int:
    """Do what is asked, and return the exit code."""
    return administer(command, _ACTIONS)


async def _list(admin: Admin, options: Mapping[str, Any]) -> None:
    found = [each async for each in entries(admin, "flavors")]
    if options["output"] == "json":
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print(table([_HEAD, *((each["name"], ", ".join(each["pool_list"])) for each in found)]))


async def _show(admin: Admin, options: Mapping[str, Any]) -> None:
    answer = await admin.ask("GET", _path(options))
    shown = {name: answer.document[name] for name in ("name", "pool_list", "capabilities")}
    print(json.dumps(shown, indent=2, ensure_ascii=False))


async def _create(admin: Admin, options: Mapping[str, Any]) -> None:
    checked(await admin.ask("PUT", _path(options), {"pool_list": options["pools"]}), 201)


async def _update(admin: Admin, options: Mapping[str, Any]) -> None:
    checked(await admin.ask("PATCH", _path(options), {"pool_list": options["pools"]}), 200)


async def _delete(admin: Admin, options: Mapping[str, Any]) -> None:
    checked(await admin.ask("DELETE", _path(options)), 204)


def _path(options: Mapping[str, Any]) -> str:
    return f"/v2/flavors/{segment(options['name'], 'flavor')}"


_ACTIONS: Final[Mapping[str, Action]] = {
    "list": _list,
    "show": _show,
    "create": _create,
    "update": _update,
    "delete": _delete,
}
