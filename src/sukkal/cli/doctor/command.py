"""``sukkal doctor``: its arguments, and the checks one after another."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any, Final

from sukkal.cli import codes
from sukkal.cli.doctor.certificates import check_tls
from sukkal.cli.doctor.databases import check_database
from sukkal.cli.doctor.identity import check_files, check_keystone
from sukkal.cli.doctor.network import ask, check_clock, check_ports, check_service
from sukkal.cli.doctor.places import check_disk, check_store
from sukkal.cli.doctor.process import check_open_files
from sukkal.cli.doctor.verdict import FAIL, OK, WARN, Verdict, fail, ok
from sukkal.cli.files import read_text
from sukkal.cli.output import FORMS, Output
from sukkal.clock import Clock
from sukkal.errors import SettingsError
from sukkal.settings import Settings, load

__all__ = ["add_to", "run"]

_SUMMARY: Final = "Check the settings, the store, the clock, Keystone, TLS and the ports, and say what to do."
_SETTINGS: Final = "settings"
_COLOURS: Final = {OK: "32", WARN: "33", FAIL: "31"}
_WIDTH: Final = 8


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser("doctor", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE", help="The TOML file with settings that `serve` is given.")
    parser.add_argument("--url", metavar="URL", help="A running service to look at. Default: SUKKAL_URL, or none.")
    parser.add_argument("--output", choices=FORMS, default="table", help="Default: table.")
    parser.add_argument("--quiet", action="store_true", help="Print only what is not well.")


def run(options: Mapping[str, Any]) -> int:
    """Check everything, and return 1 if something fails, else 0."""
    found = asyncio.run(_check(options))
    if options["quiet"]:
        found = [each for each in found if each.state in (WARN, FAIL)]
    out = Output(options["output"], quiet=options["quiet"])
    if out.form == "table":
        _print(out, found)
    else:
        out.rows({}, [each._asdict() for each in found])
    return codes.FAILED if any(each.state == FAIL for each in found) else codes.DONE


async def _check(options: Mapping[str, Any]) -> list[Verdict]:
    now_ms = Clock()
    try:
        settings = load({"config": options["config"]} if options["config"] else {}, os.environ, read_text)
    except SettingsError as error:
        return [fail(_SETTINGS, str(error), "Correct it; nothing else can be checked before. See: sukkal settings")]
    named = options["url"] or os.environ.get("SUKKAL_URL")
    answered = await ask(named or _own_url(settings), now_ms)
    return [
        ok(_SETTINGS, "they can be read and do not contradict each other"),
        await check_files(settings, now_ms),
        await check_database(settings.database, now_ms) if settings.database else check_store(settings, now_ms()),
        check_disk(settings),
        *check_ports(settings, answered),
        check_tls(settings, now_ms()),
        await check_keystone(settings, now_ms),
        check_open_files(settings),
        check_service(answered, asked_for=bool(named)),
        check_clock(answered),
    ]


def _own_url(settings: Settings) -> str:
    """Return where a service with these settings would be found from here."""
    address = settings.address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104 - compared, not bound
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_cert_file else 'http'}://{host}:{address.port}"


def _print(out: Output, found: list[Verdict]) -> None:
    width = max((len(each.check) for each in found), default=0)
    for each in found:
        state = f"{each.state:<{_WIDTH}}"
        state = out.colour(_COLOURS[each.state], state) if each.state in _COLOURS else state
        print(f"{state}{each.check:<{width}}  {each.seen}", file=out.out)
        if each.todo:
            print(f"{'':<{_WIDTH + width}}  {each.todo}", file=out.out)
