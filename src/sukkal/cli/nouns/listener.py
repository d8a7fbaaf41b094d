"""``sukkal listener``."""

import argparse
from collections.abc import Mapping
from typing import Any, Final

from sukkal.cli.noun import Action, Noun
from sukkal.cli.nouns.pages import entries
from sukkal.cli.service import Options, Session
from sukkal.errors import SettingsError
from sukkal.service.listener_terms import KINDS

__all__ = ["LISTENER"]

_GIVEN: Final = ("events", "workbook", "queue", "method", "ttl")
_COLUMNS: Final = {"ID": "id", "WAITS FOR": "waits_for", "URL": "url"}


async def _add(session: Session, options: Options) -> None:
    terms = {name: options[name] for name in _GIVEN if options[name]} | {options["kind"]: options["id"]}
    if options["heartbeat"] is not None:
        terms["heartbeat"] = {"within": options["heartbeat"]}
    if options["headers"]:
        terms["headers"] = dict(_header(each) for each in options["headers"])
    session.out.value("id", (await session.client.listeners.create(options["called"], **terms)).id)


async def _list(session: Session, options: Options) -> None:
    found = [each async for each in entries(session, "/v2/listeners", "listeners", ("id", "url"))]
    if session.out.form == "table":
        found = [{**each, "waits_for": _waits_for(each)} for each in found]
    session.out.rows(_COLUMNS, found)


async def _delete(session: Session, options: Options) -> None:
    await session.client.listeners.delete(options["id"])


def _waits_for(listener: Mapping[str, Any]) -> str:
    named = ", ".join(f"{kind} {listener[kind]}" for kind in KINDS if kind in listener)
    within = f" of workbook {listener['workbook']}" if "workbook" in listener else ""
    beat = [f"silence of {listener['heartbeat']['within']} s"] if "heartbeat" in listener else []
    return f"{named}{within}: {', '.join([*listener.get('events', ['everything']), *beat])}"


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        # It may be a secret, so it is not shown.
        raise SettingsError("--header takes NAME:VALUE. See: sukkal listener add --help")
    return name, value.strip()


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", choices=KINDS, help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}.")
    parser.add_argument("id", metavar="ID", help="The id or the name of it; * stands for all.")
    parser.add_argument("called", metavar="URL", help="The URL that is called.")
    parser.add_argument(
        "--event",
        dest="events",
        metavar="EVENT",
        action="append",
        default=[],
        help="on-enter, on-error, on-complete and others, or a type of events; repeatable. Default: everything.",
    )
    parser.add_argument("--workbook", metavar="NAME", help="Only what the workflows of this workbook do.")
    parser.add_argument("--heartbeat", metavar="SECONDS", type=int, help="Call it too when nothing came for so long.")
    parser.add_argument("--queue", metavar="NAME", help="The queue in which the events are.")
    parser.add_argument("--method", metavar="METHOD", help="The method of the call. Default: POST.")
    parser.add_argument(
        "--header",
        dest="headers",
        metavar="NAME:VALUE",
        action="append",
        default=[],
        help="A header of the call; repeatable.",
    )
    parser.add_argument("--ttl", metavar="SECONDS", type=int, help="The life of the listener. Default: an hour.")


def _delete_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="The id of the listener.")


LISTENER: Final = Noun(
    "listener",
    "Have a URL called when something happens to a workflow, a task or another resource.",
    [
        Action("add", "Make a listener and print its id.", _add, _add_arguments),
        Action("list", "List the listeners of the project.", _list),
        Action("delete", "End a listener.", _delete, _delete_arguments),
    ],
)
