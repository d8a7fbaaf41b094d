"""Debian's Chromium for tests, as the system's packages have it: ``python -m tests.console.chromium`` gets it.

The packages are only unpacked, beside the environments of foreign programs, with the libraries and letters that the
system has not. So whoever may not install anything can run the tests as well.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.clients.environments import FOLDER

__all__ = ["Program", "found", "program", "unpack"]

_COMMAND: Final = ".venv/bin/python -m tests.console.chromium"
_FOLDER: Final = FOLDER / "chromium"
_SYSTEM: Final = Path("/")
_BINARY: Final = "usr/lib/chromium/chromium"
_FONTS: Final = "usr/share/fonts"
_NEEDED: Final = ("chromium", "fonts-dejavu-core")


class Program(NamedTuple):
    """The browser's own binary, and what its environment has to have."""

    binary: Path
    environment: dict[str, str]


def found(roots: Sequence[Path] = (_FOLDER, _SYSTEM)) -> Program | None:
    """Return the browser that was unpacked, else that of the system, if there is one."""
    for root in roots:
        if (root / _BINARY).exists():
            return Program(root / _BINARY, {} if root == _SYSTEM else _environment(root))
    return None


def program() -> Program:
    """Return the browser. A missing one fails the test."""
    chromium = found()
    if chromium is None:
        pytest.fail(f"Chromium is missing. Get it with: {_COMMAND}")
    return chromium


def unpack(root: Path) -> None:
    """Get the packages of the browser and unpack them into a folder; nothing is installed."""
    shutil.rmtree(root, ignore_errors=True)
    unfinished = root.with_name(root.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        # The folder belongs to whoever runs this, not to the user that apt would become.
        command = ["apt-get", "download", "-o", "APT::Sandbox::User=root", *_packages()]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        for package in sorted(Path(folder).glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", str(package), str(unfinished)], check=True)
    _write_fonts(unfinished, root)
    unfinished.rename(root)


def _packages() -> list[str]:
    """Return what an installation would bring, and the browser itself if the system has it already."""
    command = ["apt-get", "install", "--simulate", "--no-install-recommends", *_NEEDED]
    simulated = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    missing = [line.split()[1] for line in simulated.stdout.splitlines() if line.startswith("Inst ")]
    return sorted({*missing, *_NEEDED})


def _libraries(root: Path) -> list[Path]:
    folders = {library.parent for library in root.glob("usr/lib/*-linux-gnu*/**/*.so*")}
    folders |= {library.parent for library in root.glob("lib/*-linux-gnu*/*.so*")}
    return sorted(folders)


def _environment(root: Path) -> dict[str, str]:
    libraries = os.pathsep.join(map(str, _libraries(root)))
    return {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(root / "fonts.conf")}


def _write_fonts(folder: Path, root: Path) -> None:
    """Say where the letters are, and nothing of those that the system has besides: all machines draw the same."""
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">'
        f"<fontconfig><dir>{root / _FONTS}</dir><cachedir>{root / 'font-cache'}</cachedir>"
        "<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>"
        "<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias></fontconfig>",
        encoding="utf-8",
    )


def main() -> None:
    """Get the packages unless there is a browser."""
    if found() is None:
        sys.stdout.write("Unpacking Chromium ...\n")
        sys.stdout.flush()
        unpack(_FOLDER)


if __name__ == "__main__":
    main()
