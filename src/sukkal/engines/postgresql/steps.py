"""Rare writes, which are a transaction each."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sukkal.engines.postgresql.database import Connection
from sukkal.errors import SukkalError

__all__ = ["Step", "run_step"]

Step = Callable[[Connection], Awaitable[Any]]


async def run_step(step: Step, connection: Connection, calls: Sequence[None]) -> list[Any]:
    """Do a step for the one call that there is; if it raises one of our errors it has changed nothing."""
    try:
        async with connection.transaction():
            return [await step(connection)]
    except SukkalError as error:
        return [error]
