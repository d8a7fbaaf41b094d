"""``sukkal completion``: what a shell needs to complete the commands."""

import argparse
from collections.abc import Iterator
from typing import Any, Final

from sukkal.cli.service import Options

__all__ = ["add_to", "run"]

_SHELLS: Final = ("bash", "zsh", "fish")
_SUMMARY: Final = "Print what lets a shell complete these commands."
_EPILOG: Final = """\
in ~/.bashrc:                   eval "$(sukkal completion bash)"
in ~/.zshrc, behind compinit:   eval "$(sukkal completion zsh)"
in ~/.config/fish/config.fish:  sukkal completion fish | source"""


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser(
        "completion",
        help=_SUMMARY,
        description=_SUMMARY,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=_SHELLS, help="The shell.")


def run(options: Options) -> int:
    """Print the script, and return the exit code."""
    import shtab

    from sukkal.cli.arguments import parser

    reading = parser()
    for each in _files(reading):
        each.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(reading, shell=options["shell"]))
    return 0


def _files(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of all commands that name files."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _files(each)
        elif action.metavar == "FILE":
            yield action
