"""What may stand on the command line. Every setting is a flag; its help text is the setting's own."""

import argparse
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from sukkal import __version__
from sukkal.cli import (
    flavor_arguments,
    forward_arguments,
    import_arguments,
    key_arguments,
    listener_arguments,
    pool_arguments,
)
from sukkal.errors import SettingsError
from sukkal.settings import FIELDS, Field, Origin, unknown

__all__ = ["Command", "parse"]

_FLAG: Final = Origin("flag")
_WITHOUT_SETTINGS: Final = {"forward": forward_arguments, "import": import_arguments}
_ACTING: Final = {
    "key": key_arguments,
    "listener": listener_arguments,
    "pool": pool_arguments,
    "flavor": flavor_arguments,
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
    parser = _parser()
    known, extra = parser.parse_known_args(argv)
    given = vars(known)
    name, reference = given.pop("command"), given.pop("reference", False)
    if name in _ACTING:
        if extra:
            raise _not_understood(f"{name} {given['action']}", extra[0])
        return Command(name, {}, options=given)
    if name in _WITHOUT_SETTINGS and not extra:
        return Command(name, {}, options=given)
    if extra:
        if extra[0].startswith("--") and name not in _WITHOUT_SETTINGS:
            raise unknown(extra[0].partition("=")[0], _FLAG)
        parser.error(f"{extra[0].partition('=')[0]!r} is one argument too many")
    return Command(name, given, reference)


def _parser() -> _Parser:
    parser = _Parser(
        prog="sukkal",
        description="A message and notification service that speaks the Zaqar API.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sukkal {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
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
    for without in (*_WITHOUT_SETTINGS.values(), *_ACTING.values()):
        without.add_to(commands)
    return parser


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
