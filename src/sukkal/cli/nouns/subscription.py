"""``sukkal subscription``."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from sukkal.cli.noun import Action, Noun
from sukkal.cli.service import Options, Session
from sukkal.cli.values import attributes, positive

if TYPE_CHECKING:
    from sukkal.client.nouns import Subscription

__all__ = ["SUBSCRIPTION"]

_COLUMNS: Final = {"ID": "id", "SUBSCRIBER": "subscriber", "TTL": "ttl", "AGE": "age", "CONFIRMED": "confirmed"}

_DELIVERY_COLUMNS: Final = {
    "ID": "id",
    "STATE": "state",
    "ATTEMPTS": "attempts",
    "STATUS": "status",
    "ERROR": "error",
}


def _record(subscription: "Subscription") -> dict[str, Any]:
    return {name: getattr(subscription, name) for name in (*_COLUMNS.values(), "options")}


async def _list(session: Session, options: Options) -> None:
    found = session.client.queue(options["queue"]).subscriptions.all()
    session.out.rows(_COLUMNS, [_record(each) async for each in found])


async def _create(session: Session, options: Options) -> None:
    subscriptions = session.client.queue(options["queue"]).subscriptions
    given = attributes(options["options"], "--option")
    session.out.value("id", await subscriptions.create(options["subscriber"], ttl=options["ttl"], options=given))


async def _show(session: Session, options: Options) -> None:
    session.out.record(_record(await session.client.queue(options["queue"]).subscriptions.get(options["id"])))


async def _update(session: Session, options: Options) -> None:
    given = attributes(options["options"], "--option") or None
    await session.client.queue(options["queue"]).subscriptions.update(
        options["id"], subscriber=options["subscriber"], ttl=options["ttl"], options=given
    )


async def _delete(session: Session, options: Options) -> None:
    for each in options["ids"]:
        await session.client.queue(options["queue"]).subscriptions.delete(each)


async def _deliveries(session: Session, options: Options) -> None:
    found = await session.client.queue(options["queue"]).subscriptions.deliveries(options["id"], limit=options["limit"])
    session.out.rows(_DELIVERY_COLUMNS, found["deliveries"])
    if found["dropped"]:
        session.out.note(f"{found['dropped']} deliveries were lost, because too much waits.")


async def _test(session: Session, options: Options) -> None:
    session.out.record(await session.client.queue(options["queue"]).subscriptions.test(options["id"]))


def _queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")


def _one(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("id", metavar="ID", help="The id of the subscription.")


def _terms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ttl", metavar="SECONDS", type=positive, help="How long it lives.")
    parser.add_argument(
        "--option",
        dest="options",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="One of its options; the value is JSON, or text if it is none. Repeatable.",
    )


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument(
        "subscriber", metavar="SUBSCRIBER", help="A URI such as https://example.org/hook or queue:other."
    )
    _terms(parser)


def _update_arguments(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument("--subscriber", metavar="URI", help="Another subscriber.")
    _terms(parser)


def _delete_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("ids", metavar="ID", nargs="+", help="The id of a subscription.")


def _deliveries_arguments(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument("--limit", metavar="N", type=positive, help="How many of each kind.")


SUBSCRIPTION: Final = Noun(
    "subscription",
    "Have what is posted to a queue delivered, and see what became of it.",
    [
        Action("list", "List the subscriptions of a queue.", _list, _queue),
        Action("create", "Subscribe a URI and print the id of the subscription.", _create, _create_arguments),
        Action("show", "Show a subscription.", _show, _one),
        Action("update", "Change a subscription.", _update, _update_arguments),
        Action("delete", "End subscriptions.", _delete, _delete_arguments),
        Action(
            "deliveries", "Show what waits to be delivered and what was given up.", _deliveries, _deliveries_arguments
        ),
        Action("test", "Make a delivery on trial and show what came of it.", _test, _one),
    ],
)
