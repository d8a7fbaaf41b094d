"""``sukkal claim``."""

import argparse
from typing import Any, Final
from urllib.parse import quote

from sukkal.cli.noun import Action, Noun
from sukkal.cli.service import Options, Session
from sukkal.cli.values import positive

__all__ = ["CLAIM"]

_NO_CONTENT: Final = 204
_COLUMNS: Final = {"CLAIM": "claim_id", "MESSAGE": "id", "AGE": "age", "CLAIMED": "claim_count", "BODY": "body"}


async def _list(session: Session, options: Options) -> None:
    claims = session.client.queue(options["queue"]).claims()
    records = [{"id": each.id, "age": each.age, "ttl": each.ttl} async for each in claims]
    session.out.rows({"ID": "id", "AGE": "age", "TTL": "ttl"}, records)


async def _create(session: Session, options: Options) -> None:
    query = {"limit": str(options["limit"]), "detailed": "true"}
    query |= {} if options["wait"] is None else {"wait": str(options["wait"])}
    # Not repeated: what a lost answer has claimed comes back by itself when the claim ends.
    answer = await session.client.request(
        "POST", _claims(options), {"ttl": options["ttl"]}, query=query, wait=options["wait"] or 0
    )
    found: list[dict[str, Any]] = []
    if answer.status != _NO_CONTENT:
        claim = answer.headers.get("Location", "").rpartition("/")[2]
        for each in answer.member("messages", list):
            record = {name: each.get(name) for name in ("id", "age", "ttl", "claim_count", "body")}
            found.append({"claim_id": claim, **record})
    session.out.rows(_COLUMNS, found)


async def _renew(session: Session, options: Options) -> None:
    await session.client.request("PATCH", _claim(options), {"ttl": options["ttl"]}, repeatable=True)


async def _end(session: Session, options: Options) -> None:
    await session.client.queue(options["queue"]).end_claim(options["id"])


def _claims(options: Options) -> str:
    return f"/v2/queues/{quote(options['queue'], safe='')}/claims"


def _claim(options: Options) -> str:
    return f"{_claims(options)}/{quote(options['id'], safe='')}"


def _queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")


def _ttl(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ttl", metavar="SECONDS", type=positive, default=300, help="How long it holds. Default: 300.")


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    _ttl(parser)
    parser.add_argument("--limit", metavar="N", type=positive, default=1, help="How many messages. Default: 1.")
    parser.add_argument("--wait", metavar="SECONDS", type=positive, help="How long to wait for a message.")


def _one(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("id", metavar="CLAIM", help="The id of the claim.")


def _renew_arguments(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    _ttl(parser)


CLAIM: Final = Noun(
    "claim",
    "Take messages for a time, for scripts that work step by step. See also: drain.",
    [
        Action("list", "List the live claims on a queue, anybody's.", _list, _queue),
        Action("create", "Claim messages and print them.", _create, _create_arguments),
        Action("renew", "Begin the time of a claim anew.", _renew, _renew_arguments),
        Action("end", "End a claim and free what it holds.", _end, _one),
    ],
)
