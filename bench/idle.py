"""What idle WebSockets take of the server's memory."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.processes import Cores, Server, broadcast_command, service_command
from bench.push_report import Idle
from bench.sockets import Crowd, need_descriptors

__all__ = ["IDLE", "measure_idle"]

IDLE: Final = "idle"
CROWDS: Final = (1_000, 4_000)


def measure_idle(directory: Path, cores: Cores, *, rounds: int, tell: Callable[[str], None]) -> list[Idle]:
    """Measure a bare server and the service in turn, each newly started, with ever more WebSockets that do nothing."""
    directory.mkdir()
    need_descriptors(max(CROWDS))
    commands = {"bare": broadcast_command(), "service": service_command(None)}
    found = {(name, sockets): Idle(name, sockets, []) for name in commands for sockets in CROWDS}
    for number in range(1, rounds + 1):
        for name, command in commands.items():
            tell(f"round {number} of {rounds}: idle sockets, {name}")
            for sockets, kib in zip(CROWDS, _kib_each(command, directory / f"{name}.log", cores), strict=True):
                found[name, sockets].kib.append(kib)
    return list(found.values())


def _kib_each(command: Sequence[str], log: Path, cores: Cores) -> list[float]:
    """Return what each socket of the crowds adds to what the server has without any."""
    found = []
    with Server(command, core=cores.server, log=log) as server, Crowd(server.address) as crowd:
        # What the first ones make the server load is no part of the others.
        crowd.grow(1)
        server.wait_until_quiet()
        empty_kib = server.memory_kib
        for sockets in CROWDS:
            crowd.grow(sockets)
            server.wait_until_quiet()
            found.append((server.memory_kib - empty_kib) / (sockets - 1))
    return found
