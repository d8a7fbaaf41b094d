"""The command line: ``sukkal serve`` and the other commands of ``_COMMANDS``, ``sukkal --version``."""

import sys
from collections.abc import Sequence

from sukkal.cli import flavor, forward, importing, key, listener, pool, serve, show
from sukkal.cli.arguments import parse
from sukkal.errors import SettingsError, StartupError
from sukkal.identity.keys import without_secrets

__all__ = ["main"]

_COMMANDS = {
    "flavor": flavor.run,
    "forward": forward.run,
    "import": importing.run,
    "key": key.run,
    "listener": listener.run,
    "pool": pool.run,
    "serve": serve.run,
    "settings": show.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for wrong settings or usage, 1 if it fails otherwise."""
    try:
        command = parse(sys.argv[1:] if argv is None else argv)
        return _COMMANDS[command.name](command)
    except StartupError as error:
        # A key may have been pasted into the wrong place of the command line.
        print(f"sukkal: {without_secrets(str(error))}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
