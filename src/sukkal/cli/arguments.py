"""What may stand on the command line. Every setting is a flag; its help text is the setting's own."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from sukkal import __version__
from sukkal.cli import (
    carrying_arguments,
    completion,
    demo,
    doctor,
    drain,
    forward_arguments,
    import_arguments,
    key_arguments,
    posting,
    redrive,
    tail,
    top,
)
from sukkal.cli.nouns import NOUNS
from sukkal.errors import SettingsError
from sukkal.settings import FIELDS, Field, Origin, unknown

__all__ = ["Command", "parse", "parser"]

_FLAG: Final = Origin("flag")
_WITHOUT_SETTINGS: Final[Mapping[str, Callable[[Any], None]]] = {
    "forward": forward_arguments.add_to,
    "import": import_arguments.add_to,
    "migrate": carrying_arguments.add_migrate_to,
    "backup": carrying_arguments.add_backup_to,
    "restore": carrying_arguments.add_restore_to,
}
_ACTING: Final[Mapping[str, Callable[[Any], None]]] = {
    **{name: noun.add_to for name, noun in NOUNS.items()},
    "key": key_arguments.add_to,
    "post": posting.add_to,
    "tail": tail.add_to,
    "drain": drain.add_to,
    "redrive": redrive.add_to,
    "top": top.add_to,
    "doctor": doctor.add_to,
    "demo": demo.add_to,
    "completion": completion.add_to,
}
_CONFIG_HELP: Final = "TOML file with settings; the environment variable SUKKAL_CONFIG names one too."


class Command(NamedTuple):
    """A command and the settings given with it as flags, not yet read; ``reference`` is a switch of ``settings``.

    Commands that take other things than settings have them in ``options``.
    """

    name: str
    flags: Mapping[str, str]
    reference: bool = False
    options: Mapping[str, Any] = MappingProxyType({})


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message}. See: {self.prog} --help")


def parse(argv: Sequence[str]) -> Command:
    """Read a command line. Raises ``SettingsError``; ``--help`` and ``--version`` print and leave with code 0."""
    reading = parser()
    known, extra = reading.parse_known_args(argv)
    given = vars(known)
    name, reference = given.pop("command"), given.pop("reference", False)
    if name in _ACTING:
        if extra:
            raise _not_understood(" ".join(filter(None, (name, given.get("action")))), extra[0])
        return Command(name, {}, options=given)
    if name in _WITHOUT_SETTINGS and not extra:
        return Command(name, {}, options=given)
    if extra:
        if extra[0].startswith("--") and name not in _WITHOUT_SETTINGS:
            raise unknown(extra[0].partition("=")[0], _FLAG)
        reading.error(f"{extra[0].partition('=')[0]!r} is one argument too many")
    return Command(name, given, reference)


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top_level = _Parser(
        prog="sukkal",
        description="A message and notification service that speaks the Zaqar API.",
        allow_abbrev=False,
    )
    top_level.add_argument("--version", action="version", version=f"sukkal {__version__}")
    commands = top_level.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in (
        ("serve", "Serve the API in the foreground until SIGTERM or Ctrl-C."),
        ("settings", "Print the settings that `serve` would use, as TOML, and where each came from."),
    ):
        command = commands.add_parser(
            name,
            help=summary,
            description=summary,
            usage=f"sukkal {name} [--config FILE] [--SETTING VALUE]...",
            epilog="A setting NAME is also read from the environment variable SUKKAL_NAME and from the TOML key name.",
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        command.add_argument("--config", metavar="FILE", help=_CONFIG_HELP)
        for field in FIELDS:
            _add(command, field)
        if name == "settings":
            command.add_argument(
                "--reference", action="store_true", help="Print what each setting means, as Markdown, instead."
            )
    for add_to in (*_WITHOUT_SETTINGS.values(), *_ACTING.values()):
        add_to(commands)
    return top_level


def _add(command: argparse.ArgumentParser, field: Field) -> None:
    """Add the field's flag. The value stays text, so that flags, variables and files share one reader."""
    flag = _FLAG.key(field.name)
    text = f"{field.description} Takes {field.wants}. Default: {str(field.default).lower()}"
    text = text.replace("%", "%%")
    if field.switch:
        command.add_argument(flag, dest=field.name, metavar="true|false", nargs="?", const="true", help=text)
    else:
        command.add_argument(flag, dest=field.name, metavar="VALUE", help=text)


def _not_understood(command: str, argument: str) -> SettingsError:
    """Return the error for an argument that is too many."""
    option = argument.partition("=")[0] + " is not one of its options" if argument.startswith("-") else ""
    return SettingsError(f"{option or 'There is one argument too many'}. See: sukkal {command} --help")
