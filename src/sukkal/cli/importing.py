"""``sukkal import``: bring what a running Zaqar keeps."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sukkal.cli.arguments import Command
from sukkal.cli.tables import table
from sukkal.client import Client, ClientError, Credentials, Retries, credentials_from, url_from
from sukkal.errors import SettingsError, StartupError
from sukkal.importing.destination import Destination
from sukkal.importing.journal import Journal, JournalError
from sukkal.importing.nouns import Unreadable
from sukkal.importing.project import Bringing, Wanted
from sukkal.importing.report import QueueReport, Report
from sukkal.importing.zaqar import Zaqar

__all__ = ["run"]

_CLIENT_ID: Final = "4d6f0a94-8f7b-4a5e-b0a7-0f2a9d1c55e3"
_HEAD: Final = ("PROJECT", "QUEUE", "MESSAGES", "SUBSCRIPTIONS", "PRESENT", "HELD", "EXPIRED", "NOT BROUGHT")
_PROJECT: Final = ("OS_PROJECT_ID", "OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_ID", "OS_PROJECT_DOMAIN_NAME")
_TOKENS: Final = ("SUKKAL_TOKEN", "OS_TOKEN", "ZAQAR_TOKEN")
_SOME: Final = 20

_PATIENCE_S: Final = 60.0
"""How long a service may be away, or be busy, until the import gives up."""

_RETRIES: Final = Retries(first_s=1)


def run(command: Command) -> int:
    """Bring everything, print what became of it, and return the exit code: 1 when something is left behind."""
    options = command.options
    projects: Sequence[str] = list(dict.fromkeys(options["projects"]))
    if len(projects) > 1 and (given := next(filter(os.environ.get, _TOKENS), None)):
        raise SettingsError(f"{given} is a token of one project. To bring several, set OS_AUTH_URL and the others.")
    source, path = _source_url(options["from_zaqar"]), Path(options["state"])
    kept = None if options["dry_run"] and not path.exists() else path
    try:
        with Journal(kept, source=source, destination=url_from(os.environ)) as journal:
            report = asyncio.run(_bring(source, projects or [""], _wanted(options), journal))
    except JournalError as error:
        raise SettingsError(f"The file {path} cannot be used: {error}. Name another with --state.") from error
    except OSError as error:
        raise StartupError(f"The file {path} cannot be used: {error}") from error
    except (ClientError, Unreadable) as error:
        raise StartupError(f"Not everything was brought: {error} The same command goes on from there.") from error
    except KeyboardInterrupt:
        raise StartupError("Not everything was brought. The same command goes on from there.") from None
    _show(report, options)
    return 0 if report.complete else 1


def _wanted(options: Mapping[str, Any]) -> Wanted:
    return Wanted(
        patterns=tuple(options["patterns"] or ["*"]),
        messages="messages" not in options["skip"],
        subscriptions="subscriptions" not in options["skip"],
        dry_run=options["dry_run"],
    )


async def _bring(source: str, projects: Sequence[str], wanted: Wanted, journal: Journal) -> Report:
    report = Report()
    for project in projects:
        async with AsyncExitStack() as opened:
            zaqar = _client(source, _credentials(_for_zaqar(project), "ZAQAR_TOKEN"))
            sukkal = _client(url_from(os.environ), _credentials(_for_sukkal(project), "SUKKAL_TOKEN"))
            bringing = Bringing(
                project,
                Zaqar(await opened.enter_async_context(zaqar), project),
                Destination(await opened.enter_async_context(sukkal)),
                wanted=wanted,
                journal=journal,
                tell=_tell,
            )
            report.queues += await bringing.run()
    return report


def _client(url: str, credentials: Credentials) -> Client:
    return Client(url, credentials=credentials, client_id=_CLIENT_ID, timeout=_PATIENCE_S, retries=_RETRIES)


def _source_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError("--from-zaqar takes a URL such as http://zaqar.example.org:8888")
    return text.rstrip("/").removesuffix("/v2")


def _for_sukkal(project: str) -> dict[str, str]:
    environment = dict(os.environ)
    if project:
        environment = {name: value for name, value in environment.items() if name not in _PROJECT}
        environment |= {"OS_PROJECT_ID": project, "SUKKAL_PROJECT": project}
    return environment


def _for_zaqar(project: str) -> dict[str, str]:
    environment = {name: value for name, value in _for_sukkal(project).items() if name != "SUKKAL_TOKEN"}
    if token := os.environ.get("ZAQAR_TOKEN"):
        environment["SUKKAL_TOKEN"] = token
    return environment


def _credentials(environment: Mapping[str, str], token: str) -> Credentials:
    try:
        return credentials_from(environment)
    except ClientError as error:
        raise SettingsError(
            f"Which project? Set {token}, or OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and the others of OpenStack, or "
            "name it with --project where no more is asked for."
        ) from error


def _tell(queue: QueueReport, done: bool) -> None:
    """Show where it stands, to somebody who is looking."""
    print(f"{_place(queue)}: {queue.messages} messages{'' if done else ' ...'}", file=sys.stderr)


def _show(report: Report, options: Mapping[str, Any]) -> None:
    if options["output"] == "json":
        print(json.dumps(list(report.documents()), indent=2, ensure_ascii=False))
        return
    rows = [
        (each.project, _shown(each.queue), *map(str, _counts(each)), str(len(each.problems)))
        for each in report.sorted()
    ]
    print(table([_HEAD, *rows]))
    for each in report.sorted():
        for problem in each.problems[:_SOME]:
            print(f"{_place(each)}: {problem.what} was not brought: {problem.reason}")
        if len(each.problems) > _SOME:
            print(f"{_place(each)}: {len(each.problems) - _SOME} more were not brought, see --output json")
        for remark in _remarks(each):
            print(f"{_place(each)}: {remark}")


def _counts(queue: QueueReport) -> tuple[int, ...]:
    return queue.messages, queue.subscriptions, queue.present, queue.held, queue.expired


def _remarks(queue: QueueReport) -> list[str]:
    held = f"{queue.held} messages are claimed or delayed; bring them later with the same command"
    unseen = f"Zaqar counts {queue.unseen} messages more than it shows; they have probably expired"
    return [*queue.remarks, *([held] if queue.held else []), *([unseen] if queue.unseen else [])]


def _place(queue: QueueReport) -> str:
    name = _shown(queue.queue)
    return f"{queue.project}/{name}" if queue.project else name


def _shown(name: str) -> str:
    """Return a name as it is, but for one that would break a line: Zaqar has such."""
    return name if name.isprintable() else ascii(name)
