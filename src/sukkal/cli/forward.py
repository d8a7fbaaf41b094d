"""``sukkal forward``: bring notifications of OpenStack's services to tenants' queues and elsewhere."""

import os
from typing import Any, Final

from sukkal.cli.arguments import Command
from sukkal.cli.files import read_text
from sukkal.errors import SettingsError

__all__ = ["run"]

_READY: Final = "Sukkal forwards"


def run(command: Command) -> int:
    """Forward until told to stop, and return the exit code; with ``--check`` only look at the file."""
    given: dict[str, Any] = dict(command.options)
    path = given["config"]
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file {path} cannot be read: {error}") from error
    from sukkal.app.forwarding import check, forward
    from sukkal.forwarder.configuration import read

    try:
        configuration = read(text, os.environ)
        if given["check"]:
            print("\n".join(check(configuration)))
            return 0
        return forward(configuration, ready=_greet)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def _greet(metrics: str) -> None:
    print(f"{_READY}, metrics are at {metrics}" if metrics else _READY, flush=True)
