"""``sukkal serve``: run the service in the foreground."""

import os

from sukkal.cli import welcome
from sukkal.cli.arguments import Command
from sukkal.cli.files import read_text
from sukkal.settings import load

__all__ = ["run"]


def run(command: Command) -> int:
    """Serve until told to stop, and return the exit code."""
    settings = load(command.flags, os.environ, read_text)
    from sukkal.app import serve  # The server's libraries are loaded only when it is to run.

    return serve(settings, ready=lambda url: print(welcome.text(url, settings), flush=True))
