"""``sukkal pool``."""

import argparse
from collections.abc import Mapping
from typing import Any, Final

from sukkal.cli.noun import Action, Noun
from sukkal.cli.nouns.administering import Kind
from sukkal.cli.service import Options, Session

__all__ = ["POOL"]

_POOL: Final = Kind("pool")
_COLUMNS: Final = {"NAME": "name", "WEIGHT": "weight", "STATUS": "status", "FLAVOR": "flavor", "URI": "uri"}
_SHOWN: Final = ("name", "uri", "weight", "flavor", "status", "reason", "draining", "queues", "options")


async def _list(session: Session, options: Options) -> None:
    pools = [each async for each in _POOL.all(session, *_COLUMNS.values(), "draining")]
    session.out.rows(_COLUMNS, [_row(each) for each in pools] if session.out.form == "table" else pools)


def _row(pool: Mapping[str, Any]) -> dict[str, Any]:
    status = f"{pool['status']}{', draining' if pool['draining'] else ''}"
    return {**pool, "status": status, "flavor": pool["flavor"] or "-"}


async def _show(session: Session, options: Options) -> None:
    session.out.record(await _POOL.record(session, options["name"], *_SHOWN))


async def _create(session: Session, options: Options) -> None:
    document = {name: options[name] for name in ("uri", "weight", "flavor")}
    await _POOL.ask(session, "PUT", options["name"], document)
    session.out.note(f"Pool {options['name']} takes new queues with weight {options['weight']}.")


async def _update(session: Session, options: Options) -> None:
    given = {name: options[name] for name in ("weight", "flavor") if options[name] is not None}
    await _POOL.ask(session, "PATCH", options["name"], given)
    session.out.note(f"Pool {options['name']} was changed.")


async def _delete(session: Session, options: Options) -> None:
    await _POOL.ask(session, "DELETE", options["name"])
    session.out.note(f"Pool {options['name']} is forgotten; its data is where it was.")


async def _drain(session: Session, options: Options) -> None:
    name = options["name"]
    if options["stop"]:
        await _POOL.ask(session, "DELETE", name, below="/drain")
        session.out.note(f"Pool {name} is drained no more; what has moved stays where it is.")
        return
    queues = (await _POOL.ask(session, "POST", name, below="/drain")).member("queues", int)
    session.out.value("queues", queues)
    session.out.note(f"So many queues are to move. See how many are left with: sukkal pool show {name}")


def _weight(parser: argparse.ArgumentParser, default: int | None) -> None:
    told = "" if default is None else f" Default: {default}."
    text = f"Its share of new queues; 0 takes none.{told}"
    parser.add_argument("--weight", metavar="N", type=int, default=default, help=text)
    parser.add_argument("--flavor", metavar="FLAVOR", help="A flavor that it belongs to.")


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    _POOL.named(parser)
    parser.add_argument("uri", metavar="URI", help="Where it keeps its data, as the setting store.")
    _weight(parser, 100)


def _update_arguments(parser: argparse.ArgumentParser) -> None:
    _POOL.named(parser)
    _weight(parser, None)


def _drain_arguments(parser: argparse.ArgumentParser) -> None:
    _POOL.named(parser)
    parser.add_argument("--stop", action="store_true", help="Move no more; what has moved stays where it is.")


POOL: Final = Noun(
    "pool",
    "Make, list, change, drain and delete the pools in which queues are kept, as an administrator.",
    [
        Action("list", "List the pools.", _list),
        Action("show", "Show a pool, and how many queues it has.", _show, _POOL.named),
        Action("create", "Make a pool.", _create, _create_arguments),
        Action("update", "Give a pool another weight or flavor.", _update, _update_arguments),
        Action("delete", "Forget a pool that has no queues.", _delete, _POOL.named),
        Action("drain", "Move the queues of a pool to the other pools.", _drain, _drain_arguments),
    ],
)
