"""``sukkal message``."""

import argparse
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sukkal.cli.noun import Action, Noun
from sukkal.cli.service import Options, Session
from sukkal.cli.values import body, document, positive

if TYPE_CHECKING:
    from sukkal.client import Message

__all__ = ["MESSAGE", "message_record"]

_COLUMNS: Final = {"ID": "id", "AGE": "age", "TTL": "ttl", "CLAIMED": "claim_count", "BODY": "body"}
_MAYBE: Final = ("dead_letter", "reply_to", "correlation_id", "traceparent", "tracestate")


def message_record(message: "Message") -> dict[str, Any]:
    """Return a message as it is printed."""
    record = {
        "id": message.id,
        "age": message.age,
        "ttl": message.ttl,
        "claim_count": message.claim_count,
        "body": message.body,
    }
    return record | {name: value for name in _MAYBE if (value := getattr(message, name)) is not None}


async def _list(session: Session, options: Options) -> None:
    if options["filter"] is not None:
        document(options["filter"], "--filter")
    messages = session.client.queue(options["queue"]).messages(
        include_claimed=options["claimed"], include_delayed=options["delayed"], filters=options["filter"]
    )
    records = [message_record(each) async for each in _first(messages, options["limit"])]
    session.out.rows(_COLUMNS, records)


async def _first(messages: "AsyncIterator[Message]", limit: int | None) -> "AsyncIterator[Message]":
    count = 0
    async for each in messages:
        yield each
        count += 1
        if count == limit:
            return


async def _post(session: Session, options: Options) -> None:
    queue = session.client.queue(options["queue"])
    what = body(options["body"], plain=options["text"])
    if what == options["body"] and what[:1] in ("{", "[") and not options["text"]:
        session.out.note("The body looks like JSON and is none: it goes as text. --text says that it is meant to.")
    session.out.value("id", await queue.post(what, ttl=options["ttl"], delay=options["delay"], key=options["key"]))


async def _get(session: Session, options: Options) -> None:
    session.out.record(message_record(await session.client.queue(options["queue"]).get(options["id"])))


async def _delete(session: Session, options: Options) -> None:
    queue = session.client.queue(options["queue"])
    if options["claim"] is None:
        await queue.delete_messages(*options["ids"])
        return
    for each in options["ids"]:
        path = f"/v2/queues/{quote(queue.name, safe='')}/messages/{quote(each, safe='')}"
        await session.client.request("DELETE", path, query={"claim_id": options["claim"]}, repeatable=True)


async def _pop(session: Session, options: Options) -> None:
    messages = await session.client.queue(options["queue"]).pop(options["limit"])
    session.out.rows(_COLUMNS, [message_record(each) for each in messages])


def _queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("--limit", metavar="N", type=positive, help="Only the first ones.")
    parser.add_argument("--claimed", action="store_true", help="Show those too that somebody works on.")
    parser.add_argument("--delayed", action="store_true", help="Show those too whose time has not come.")
    parser.add_argument("--filter", metavar="JSON", help="Only events that pass this filter.")


def _post_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("body", metavar="BODY", help="The body: JSON, or text if it is none.")
    parser.add_argument("--text", action="store_true", help="The body is text, whatever it looks like.")
    parser.add_argument("--ttl", metavar="SECONDS", type=positive, help="How long it lives.")
    parser.add_argument("--delay", metavar="SECONDS", type=positive, help="How long nobody can claim it.")
    parser.add_argument("--key", metavar="KEY", help="The same post with the same key is stored once.")


def _get_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("id", metavar="ID", help="The id of the message.")


def _delete_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("ids", metavar="ID", nargs="+", help="The id of a message.")
    parser.add_argument("--claim", metavar="ID", help="Only if this claim still holds them: acknowledge them.")


def _pop_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("--limit", metavar="N", type=positive, default=1, help="How many at most. Default: 1.")


MESSAGE: Final = Noun(
    "message",
    "Post, read and delete single messages. See also: post, drain, tail.",
    [
        Action("list", "List what is in a queue, and take nothing.", _list, _list_arguments),
        Action("post", "Post a message and print its id.", _post, _post_arguments),
        Action("get", "Show a message.", _get, _get_arguments),
        Action("delete", "Delete messages.", _delete, _delete_arguments),
        Action("pop", "Take the first messages for good; what is lost on the way is lost.", _pop, _pop_arguments),
    ],
)
