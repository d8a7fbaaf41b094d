"""``sukkal pool``: make, list, change, drain and delete the pools of a service."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sukkal.cli.administering import Action, Admin, administer, checked, entries, segment
from sukkal.cli.arguments import Command
from sukkal.cli.tables import table

__all__ = ["run"]

_HEAD: Final = ("NAME", "WEIGHT", "STATUS", "FLAVOR", "URI")
_SHOWN: Final = ("name", "uri", "weight", "flavor", "status", "draining", "queues", "options")


def run(command: Command) -> int:
    """Do what is asked, and return the exit code."""
    return administer(command, _ACTIONS)


async def _list(admin: Admin, options: Mapping[str, Any]) -> None:
    found = [each async for each in entries(admin, "pools")]
    if options["output"] == "json":
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print(table([_HEAD, *(_row(each) for each in found)]))


async def _show(admin: Admin, options: Mapping[str, Any]) -> None:
    answer = await admin.ask("GET", f"{_path(options)}?detailed=true")
    shown = {name: answer.document[name] for name in _SHOWN if name in answer.document}
    print(json.dumps(shown, indent=2, ensure_ascii=False))


async def _create(admin: Admin, options: Mapping[str, Any]) -> None:
    document = {"uri": options["uri"], "weight": options["weight"], "flavor": options["flavor"]}
    checked(await admin.ask("PUT", _path(options), document), 201)


async def _update(admin: Admin, options: Mapping[str, Any]) -> None:
    given = {name: options[name] for name in ("weight", "flavor") if options[name] is not None}
    checked(await admin.ask("PATCH", _path(options), given), 200)


async def _delete(admin: Admin, options: Mapping[str, Any]) -> None:
    checked(await admin.ask("DELETE", _path(options)), 204)


async def _drain(admin: Admin, options: Mapping[str, Any]) -> None:
    path = f"{_path(options)}/drain"
    if options["stop"]:
        checked(await admin.ask("DELETE", path), 204)
        return
    queues = checked(await admin.ask("POST", path), 202).member("queues", int)
    print(f"{queues} queues are to move. See how many are left with: sukkal pool show {options['name']}")


def _path(options: Mapping[str, Any]) -> str:
    return f"/v2/pools/{segment(options['name'], 'pool')}"


def _row(pool: Mapping[str, Any]) -> tuple[str, ...]:
    status = f"{pool['status']}{', draining' if pool['draining'] else ''}"
    return pool["name"], str(pool["weight"]), status, pool["flavor"] or "-", pool["uri"]


_ACTIONS: Final[Mapping[str, Action]] = {
    "list": _list,
    "show": _show,
    "create": _create,
    "update": _update,
    "delete": _delete,
    "drain": _drain,
}
