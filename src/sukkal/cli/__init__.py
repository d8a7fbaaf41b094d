"""The command line: ``sukkal serve``, ``queue``, ``post``, ``tail`` and the others; ``sukkal --help`` lists them."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from sukkal.cli import codes
from sukkal.cli.arguments import Command, parse
from sukkal.errors import SettingsError, StartupError
from sukkal.identity.keys import without_secrets

__all__ = ["main"]

_MODULES: Final = {
    "backup": "carrying",
    "forward": "forward",
    "import": "importing",
    "key": "key",
    "migrate": "carrying",
    "restore": "carrying",
    "serve": "serve",
    "settings": "show",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, one of ``sukkal.cli.codes``."""
    try:
        code = _run(parse(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except StartupError as error:
        # A key may have been pasted into the wrong place of the command line.
        print(f"sukkal: {without_secrets(str(error))}", file=sys.stderr)
        return codes.USAGE if isinstance(error, SettingsError) else codes.FAILED
    except KeyboardInterrupt:
        return codes.INTERRUPTED
    except BrokenPipeError:
        _write_no_more()
        return codes.BROKEN_PIPE
    return code


def _run(command: Command) -> int:
    # Only what is asked for is loaded.
    if command.name in _MODULES:
        code: int = import_module(f"{__name__}.{_MODULES[command.name]}").run(command)
        return code
    from sukkal.cli.commands import COMMANDS

    return COMMANDS[command.name](command.options)


def _write_no_more() -> None:
    # Whoever read has gone; what is still in the buffer would be complained about at the end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
