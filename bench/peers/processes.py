"""What the processes of a peer use, whatever their number."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.load import cpu_s

__all__ = ["Processes"]


class Processes:
    """Some processes and all that descend from them."""

    def __init__(self, roots: Iterable[int]) -> None:
        self._roots = tuple(roots)

    def cpu_s(self) -> float:
        """Return the CPU time that they have used so far. Those that have ended count no more."""
        return sum(map(_cpu_s, self._all()))

    def memory_mib(self) -> float:
        """Return their memory, in which pages that several share are divided among them."""
        return sum(map(_memory_kib, self._all())) / 1024

    def _all(self) -> Iterator[int]:
        children: dict[int, list[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            if (parent := _parent(folder)) is not None:
                children.setdefault(parent, []).append(int(folder.name))
        waiting = list(self._roots)
        while waiting:
            found = waiting.pop()
            yield found
            waiting += children.get(found, [])


def _parent(folder: Path) -> int | None:
    try:
        return int((folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def _cpu_s(process: int) -> float:
    try:
        return cpu_s(process)
    except OSError:
        return 0.0


def _memory_kib(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
