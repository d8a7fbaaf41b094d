"""Gets programs from Debian's packages, which are only unpacked: nothing is installed, and nothing is started."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["libraries", "unpack", "update"]


def update(program: str) -> None:
    """Say that a program is being got, and bring the lists of packages up to date, which only root may do.

    Ends the process with a sentence where there are no such packages.
    """
    if shutil.which("apt-get") is None:
        sys.exit(f"{program} is missing. This can get it from Debian's packages only; install it otherwise.")
    sys.stdout.write(f"Getting {program} ...\n")
    sys.stdout.flush()
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True)


def unpack(packages: Sequence[str], folder: Path) -> None:
    """Get packages and unpack them into a folder, which is there when all is well.

    Raises ``subprocess.CalledProcessError``.
    """
    unfinished = folder.with_name(folder.name + ".new")
    for old in (folder, unfinished):
        shutil.rmtree(old, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as taken:
        # The folder belongs to whoever runs this, not to the user that apt would become.
        command = ["apt-get", "download", "-o", "APT::Sandbox::User=root", *packages]
        subprocess.run(command, check=True, cwd=taken, stdout=subprocess.DEVNULL)
        for package in sorted(Path(taken).glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", str(package), str(unfinished)], check=True)
    unfinished.rename(folder)


def libraries(root: Path) -> Mapping[str, str]:
    """Return the variable with which programs that were unpacked find the libraries that were unpacked with them."""
    folders = [*sorted(root.glob("usr/lib/*-linux-gnu*")), *sorted(root.glob("lib/*-linux-gnu*"))]
    return {"LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}
