"""``sukkal event``."""

import argparse
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from sukkal.cli.noun import Action, Noun
from sukkal.cli.service import Options, Session
from sukkal.cli.values import body, positive

if TYPE_CHECKING:
    from sukkal.client.nouns import Found

__all__ = ["EVENT"]

_CONDITIONS: Final = ("q", "type", "source", "subject", "queue", "resource_type", "resource_id", "since")
_SAVED: Final = ("q", "type", "source", "subject", "resource_type", "resource_id")
_COLUMNS: Final = {"POSTED": "posted", "QUEUE": "queue", "TYPE": "type", "SOURCE": "source", "SUBJECT": "subject"}


async def _post(session: Session, options: Options) -> None:
    event: dict[str, Any] = {"specversion": "1.0", "type": options["type"], "source": options["source"]}
    event["id"] = options["id"] or session.new_name()
    event |= {"subject": options["subject"]} if options["subject"] else {}
    if options["data"] is not None:
        event |= {"datacontenttype": "application/json", "data": body(options["data"])}
    posted = await session.client.queue(options["queue"]).post_events([event])
    session.out.value("id", posted.ids[0] if posted.ids else "")


async def _search(session: Session, options: Options) -> None:
    await _show(session, options, session.client.find.events(**_given(options, _CONDITIONS)))


async def _resources(session: Session, options: Options) -> None:
    await _show(session, options, session.client.find.resources(**_given(options, _CONDITIONS)))


async def _show(session: Session, options: Options, found: "AsyncIterator[Found]") -> None:
    records: list[dict[str, Any]] = []
    async for each in found:
        records.append(_record(each))
        if len(records) == options["limit"]:
            break
    session.out.rows(_COLUMNS, records)


def _record(found: "Found") -> dict[str, Any]:
    event = found.event if isinstance(found.event, dict) else {}
    told = {name: event.get(name) for name in ("type", "source", "subject")}
    record = {"posted": found.posted, "queue": found.queue, "message_id": found.message_id, **told}
    return record | {"resource": found.resource, "event": found.event}


async def _types(session: Session, options: Options) -> None:
    records = [
        {"type": each.type, "count": each.count, "first_posted": each.first_posted, "last_posted": each.last_posted}
        async for each in session.client.find.types()
    ]
    session.out.rows({"TYPE": "type", "COUNT": "count", "FIRST": "first_posted", "LAST": "last_posted"}, records)


async def _save(session: Session, options: Options) -> None:
    await session.client.find.save(options["name"], queue=options["into"], **_given(options, _SAVED))


async def _saved(session: Session, options: Options) -> None:
    records = [
        {"name": each.name, "queue": each.queue}
        | {name: value for name in _SAVED if (value := getattr(each, name)) is not None}
        async for each in session.client.find.saved()
    ]
    columns = {"NAME": "name", "QUEUE": "queue", "WORDS": "q", "TYPE": "type", "SOURCE": "source"}
    session.out.rows(columns, records)


async def _forget(session: Session, options: Options) -> None:
    await session.client.find.forget(options["name"])


def _given(options: Options, names: tuple[str, ...]) -> dict[str, str]:
    return {name: options[name] for name in names if options[name] is not None}


def _post_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")
    parser.add_argument("--type", metavar="TYPE", required=True, help="What kind of event it is, such as order.paid.")
    parser.add_argument("--source", metavar="URI", required=True, help="Who tells it, such as //shop.example.org.")
    parser.add_argument("--subject", metavar="TEXT", help="What it is about.")
    parser.add_argument("--id", metavar="ID", help="An event with the same source and id is stored once.")
    parser.add_argument("--data", metavar="JSON", help="More about it: JSON, or text if it is none.")


def _conditions(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    words = {"q": "Words and phrases that are all in it.", "since": "Posted at this time or later."}
    for name in names:
        text = words.get(name, f"Of this {name.replace('_', ' ')}.")
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT", help=text)


def _search_arguments(parser: argparse.ArgumentParser) -> None:
    _conditions(parser, _CONDITIONS)
    parser.add_argument("--limit", metavar="N", type=positive, default=20, help="How many at most. Default: 20.")


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="The name of the saved search.")


def _save_arguments(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("into", metavar="QUEUE", help="The queue to which what is found is posted.")
    _conditions(parser, _SAVED)


EVENT: Final = Noun(
    "event",
    "Post events, and find them in the queues with _search.",
    [
        Action("post", "Post an event and print the id of its message.", _post, _post_arguments),
        Action("search", "Find events, the newest first.", _search, _search_arguments),
        Action("resources", "Find the latest event of each resource.", _resources, _search_arguments),
        Action("types", "List the types of events that were posted.", _types),
        Action("save", "Have what a search finds posted to a queue, from now on.", _save, _save_arguments),
        Action("saved", "List the saved searches.", _saved),
        Action("forget", "End a saved search.", _forget, _name),
    ],
)
