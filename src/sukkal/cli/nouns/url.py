"""``sukkal url``."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from sukkal.cli.noun import Action, Noun
from sukkal.cli.service import Options, Session

if TYPE_CHECKING:
    from sukkal.client.nouns import SignedUrl

__all__ = ["URL"]

_COLUMNS: Final = {"ID": "id", "METHODS": "methods", "PATHS": "paths", "EXPIRES": "expires"}


def _record(url: "SignedUrl") -> dict[str, Any]:
    return {"id": url.id, "methods": list(url.methods), "paths": list(url.paths), "expires": url.expires}


async def _create(session: Session, options: Options) -> None:
    queue = session.client.queue(options["queue"])
    made = await queue.share(
        methods=options["methods"] or ["GET"], paths=options["paths"] or ["messages"], expires=options["expires"]
    )
    told = {"query": made.query} | ({} if made.post_url is None else {"post_url": made.post_url})
    session.out.record(_record(made) | told)
    session.out.note("Whoever has this may use the queue. It is not shown again.")


async def _list(session: Session, options: Options) -> None:
    session.out.rows(_COLUMNS, [_record(each) async for each in session.client.queue(options["queue"]).shared()])


async def _revoke(session: Session, options: Options) -> None:
    await session.client.queue(options["queue"]).unshare(options["id"])


def _queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument(
        "--method", dest="methods", metavar="METHOD", action="append", default=[], help="Repeatable. Default: GET."
    )
    parser.add_argument(
        "--path", dest="paths", metavar="PATH", action="append", default=[], help="Repeatable. Default: messages."
    )
    parser.add_argument("--expires", metavar="TIME", help="When it ends, such as 2030-01-01T00:00:00.")


def _revoke_arguments(parser: argparse.ArgumentParser) -> None:
    _queue(parser)
    parser.add_argument("id", metavar="ID", help="The id of the signed URL.")


URL: Final = Noun(
    "url",
    "Sign URLs that let others use a queue, and revoke them.",
    [
        Action("create", "Sign a URL and print it.", _create, _create_arguments),
        Action("list", "List the signed URLs of a queue that are valid.", _list, _queue),
        Action("revoke", "Revoke a signed URL.", _revoke, _revoke_arguments),
    ],
)
