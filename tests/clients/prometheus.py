"""Prometheus' own checker of rules, as Debian's package has it: ``python -m tests.clients.prometheus`` gets that."""

import shutil
from pathlib import Path
from typing import Final

from tests.clients import debian
from tests.clients.environments import FOLDER

__all__ = ["main", "promtool"]

_FOLDER: Final = FOLDER / "prometheus"


def promtool(root: Path = _FOLDER) -> str | None:
    """Return the path of the program that was unpacked, else of that of the system, if there is one."""
    unpacked = root / "usr/bin/promtool"
    return str(unpacked) if unpacked.exists() else shutil.which("promtool")


def main() -> None:
    """Get the program if it is missing."""
    if promtool() is None:
        debian.update("Prometheus")
        debian.unpack(("prometheus",), _FOLDER)


if __name__ == "__main__":
    main()
