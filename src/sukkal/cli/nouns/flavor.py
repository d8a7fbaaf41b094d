"""``sukkal flavor``."""

import argparse
from typing import Final

from sukkal.cli.noun import Action, Noun
from sukkal.cli.nouns.administering import Kind
from sukkal.cli.service import Options, Session

__all__ = ["FLAVOR"]

_FLAVOR: Final = Kind("flavor")


async def _list(session: Session, options: Options) -> None:
    found = [each async for each in _FLAVOR.all(session, "name", "pool_list")]
    if session.out.form == "table":
        found = [{"name": each["name"], "pool_list": ", ".join(each["pool_list"])} for each in found]
    session.out.rows({"NAME": "name", "POOLS": "pool_list"}, found)


async def _show(session: Session, options: Options) -> None:
    session.out.record(await _FLAVOR.record(session, options["name"], "name", "pool_list", "capabilities"))


async def _create(session: Session, options: Options) -> None:
    await _FLAVOR.ask(session, "PUT", options["name"], {"pool_list": options["pools"]})
    session.out.note(f"Queues of the flavor {options['name']} are kept in {', '.join(options['pools'])}.")


async def _update(session: Session, options: Options) -> None:
    await _FLAVOR.ask(session, "PATCH", options["name"], {"pool_list": options["pools"]})
    session.out.note(f"New queues of the flavor {options['name']} are kept in {', '.join(options['pools'])}.")


async def _delete(session: Session, options: Options) -> None:
    await _FLAVOR.ask(session, "DELETE", options["name"])
    session.out.note(f"Flavor {options['name']} is gone.")


def _pools(parser: argparse.ArgumentParser) -> None:
    _FLAVOR.named(parser)
    parser.add_argument("pools", metavar="POOL", nargs="+", help="A pool of the flavor.")


FLAVOR: Final = Noun(
    "flavor",
    "Make, list, change and delete flavors, the names of groups of pools, as an administrator.",
    [
        Action("list", "List the flavors.", _list),
        Action("show", "Show a flavor.", _show, _FLAVOR.named),
        Action("create", "Make a flavor.", _create, _pools),
        Action("update", "Give a flavor other pools.", _update, _pools),
        Action("delete", "Delete a flavor.", _delete, _FLAVOR.named),
    ],
)
