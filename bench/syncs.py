"""What waiting for the disk costs: posts that are synced beside posts that are not, and posts of many messages."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.growth import Comparison
from bench.processes import Cores, Server, service_command, unsynced_command
from bench.rounds import Case, Result, Target
from bench.workloads import Posting

__all__ = ["SYNCS", "measure_syncs"]

SYNCS: Final = "syncs"
SYNCED_WANTED: Final = 1 / 0.8
"""At least 80 % of the posts per second of those that wait for no disk."""
TOGETHER_WANTED: Final = 20 / 5
"""A request with twenty messages may cost four times what one with a single message does: five times the messages."""

_CONNECTIONS: Final = (64, 256)
_TOGETHER: Final = 20


def measure_syncs(
    directory: Path, cores: Cores, *, measure: Callable[[Sequence[Case]], list[Result]]
) -> list[Comparison]:
    """Measure posts to a service that syncs and to one that does not, and single posts beside posts of twenty."""
    directory.mkdir()
    with ExitStack() as stack:
        commands = (service_command(directory / "synced"), unsynced_command(directory / "unsynced"))
        synced, unsynced = (
            Target.of(stack.enter_context(Server(command, core=cores.server, log=directory / f"{number}.log")))
            for number, command in enumerate(commands)
        )
        pairs: list[tuple[str, Case, Case, float]] = []
        for connections in _CONNECTIONS:
            fast, safe, together = (
                Case(f"post{count}", connections, target, Posting(f"{name}-{connections}", count))
                for target, name, count in (
                    (unsynced, "alone", 1),
                    (synced, "alone", 1),
                    (synced, "together", _TOGETHER),
                )
            )
            pairs.append((f"post1, {connections} connections: FULL against NORMAL", fast, safe, SYNCED_WANTED))
            if connections == 64:
                label = f"requests with {_TOGETHER} messages against single ones, {connections} connections"
                pairs.append((label, safe, together, TOGETHER_WANTED))
        results = iter(measure([case for _, one, other, _ in pairs for case in (one, other)]))
        return [Comparison(label, next(results), next(results), most) for label, _, _, most in pairs]
