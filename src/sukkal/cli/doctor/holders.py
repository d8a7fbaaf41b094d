"""Who listens on a port, as far as Linux tells this user."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["holder_of"]

_LISTEN: Final = "0A"


def holder_of(port: int) -> str:
    """Return the process that listens on a TCP port, such as ``nginx (process 17)``; empty if that is not known."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It has ended, or is somebody else's.
            if any(_link(each) in sockets for each in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:  # It is closed meanwhile.
        return ""


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found
