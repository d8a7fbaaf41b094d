"""Gets the programs of an older PostgreSQL for tests: ``python -m tests.engines.postgresql_older``.

They are unpacked from a package beside the environments of foreign programs; nothing is installed, so it does not
matter which interpreter the package is for.
"""

import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.clients.environments import FOLDER

__all__ = ["older_binaries"]

_PACKAGE: Final = "pgserver==0.1.4"  # PostgreSQL 16
_FOLDER: Final = FOLDER / "postgresql-16"
_PROGRAMS: Final = _FOLDER / "pgserver" / "pginstall" / "bin"
_COMMAND: Final = ".venv/bin/python -m tests.engines.postgresql_older"


def older_binaries() -> Path:
    """Return the folder of the programs. If they are missing the test fails."""
    if not _PROGRAMS.is_dir():
        pytest.fail(f"PostgreSQL 16 is missing. Get it with: {_COMMAND}")
    return _PROGRAMS


def _unpack(folder: Path) -> None:
    wanted = ["--only-binary=:all:", "--no-deps", "--implementation=cp", "--python-version=3.11", "--abi=cp311"]
    with tempfile.TemporaryDirectory() as taken:
        machine = f"--platform=manylinux2014_{platform.machine()}"
        command = ["pip", "--disable-pip-version-check", "download", "--quiet", *wanted, machine, "--dest", taken]
        subprocess.run([sys.executable, "-m", *command, _PACKAGE], check=True)
        [wheel] = Path(taken).glob("*.whl")
        unfinished = folder.with_name(f"{folder.name}.new")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unfinished)
    for program in (unfinished / _PROGRAMS.relative_to(folder)).iterdir():
        program.chmod(0o755)
    unfinished.rename(folder)


def main() -> None:
    """Get the programs if they are missing."""
    if _PROGRAMS.is_dir():
        return
    sys.stdout.write("Getting PostgreSQL 16 ...\n")
    sys.stdout.flush()
    FOLDER.mkdir(exist_ok=True)
    _unpack(_FOLDER)


if __name__ == "__main__":
    main()
