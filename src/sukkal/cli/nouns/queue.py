"""``sukkal queue``."""

import argparse
from typing import Any, Final

from sukkal.cli.noun import Action, Noun
from sukkal.cli.service import Options, Session
from sukkal.cli.values import attributes

__all__ = ["QUEUE"]

_SETS: Final = "An attribute of the queue; the value is JSON, or text if it is none. Repeatable."


async def _list(session: Session, options: Options) -> None:
    entries = session.client.queues(detailed=options["detailed"], name=options["name"])
    columns = {"NAME": "name"} | ({"METADATA": "metadata"} if options["detailed"] else {})
    records = [
        {"name": each.name} | ({} if each.metadata is None else {"metadata": each.metadata}) async for each in entries
    ]
    session.out.rows(columns, records)


async def _create(session: Session, options: Options) -> None:
    new = await session.client.queue(options["queue"]).create(attributes(options["set"], "--set"))
    session.out.note(f"Queue {options['queue']} {'was made' if new else 'was there, and has this metadata now'}.")


async def _show(session: Session, options: Options) -> None:
    session.out.record(await session.client.queue(options["queue"]).metadata())


async def _set(session: Session, options: Options) -> None:
    changes: dict[str, Any] = attributes(options["set"], "NAME=VALUE") | dict.fromkeys(options["unset"])
    session.out.record(await session.client.queue(options["queue"]).update(changes))


async def _stats(session: Session, options: Options) -> None:
    counts = await session.client.queue(options["queue"]).stats()
    session.out.record(
        {"free": counts.free, "claimed": counts.claimed, "delayed": counts.delayed, "total": counts.total}
    )


async def _delete(session: Session, options: Options) -> None:
    for name in options["queues"]:
        await session.client.queue(name).delete()
        session.out.note(f"Queue {name} and all that was in it is gone.")


async def _purge(session: Session, options: Options) -> None:
    await session.client.queue(options["queue"]).purge(*options["types"])
    session.out.note(f"Queue {options['queue']} has no {' and no '.join(options['types'] or _TYPES)} now.")


_TYPES: Final = ("messages", "subscriptions")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detailed", action="store_true", help="Show the metadata too.")
    parser.add_argument("--name", metavar="PATTERN", help="Only those whose names begin with this regular expression.")


def _one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help=_SETS)


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument("set", metavar="NAME=VALUE", nargs="*", help=_SETS)
    parser.add_argument("--unset", metavar="NAME", action="append", default=[], help="Remove an attribute; repeatable.")


def _several(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queues", metavar="QUEUE", nargs="+", help="The name of a queue.")


def _purge_arguments(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument("types", metavar="TYPE", nargs="*", choices=_TYPES, help="Messages or subscriptions. Both.")


QUEUE: Final = Noun(
    "queue",
    "List, make, change and delete queues.",
    [
        Action("list", "List the queues of the project.", _list, _list_arguments),
        Action("create", "Make a queue, or give it other metadata.", _create, _create_arguments),
        Action("show", "Show the attributes of a queue.", _show, _one),
        Action("set", "Change attributes of a queue.", _set, _set_arguments),
        Action("stats", "Count the messages of a queue.", _stats, _one),
        Action("delete", "Delete queues with all that is in them.", _delete, _several),
        Action("purge", "Delete what is in a queue.", _purge, _purge_arguments),
    ],
)
