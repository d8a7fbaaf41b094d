"""What is measured of each peer: the same work, in the terms that it has for it."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

__all__ = ["BODY", "LISTED", "QUEUES", "TAKEN_AT_ONCE", "Peer", "Surroundings", "queue_of"]

QUEUES: Final = 16
TAKEN_AT_ONCE: Final = 10
LISTED: Final = 20

BODY: Final = '{"event":"compute.instance.create.end","data":"' + "x" * 950 + '"}'
"""A message of a kilobyte."""


def queue_of(case: str, number: int) -> str:
    """Return the queue that the connection with this number uses in a case."""
    return f"{case}-{number % QUEUES}"


class Surroundings:
    """Where a peer keeps its data, and what its processes do before they begin."""

    def __init__(self, folder: Path, core: int) -> None:
        self.folder = folder
        self.core = core

    def pin(self) -> None:
        """Move the process to the core; those that it starts stay there."""
        os.sched_setaffinity(0, {self.core})


class Peer(ABC):
    """A server that runs, with as many connections as are asked for.

    ``name`` and ``durability`` are shown; ``absent`` names the cases that it has nothing for. Everything awaited here
    is acknowledged when it returns: a message that was posted is there, one that was taken is gone.
    """

    name: str
    durability: str
    absent: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.opened = AsyncExitStack()

    @property
    @abstractmethod
    def roots(self) -> Sequence[int]:
        """The ids of its processes, whose children count as well."""

    @abstractmethod
    async def start(self, around: Surroundings, connections: int) -> None:
        """Start it and connect to it."""

    @abstractmethod
    async def make(self, case: str) -> None:
        """Make the queues of a case."""

    @abstractmethod
    async def post(self, case: str, number: int) -> None:
        """Post one message over the connection with this number."""

    @abstractmethod
    async def fill(self, case: str, number: int, messages: int) -> None:
        """Post many messages to the queue of a number, however that is best done."""

    @abstractmethod
    async def take(self, case: str, number: int) -> None:
        """Take ten messages and delete them. They are there."""

    async def list(self, case: str, number: int) -> None:
        """Read twenty messages without taking them. They are there."""
        raise NotImplementedError(self.name)

    @abstractmethod
    async def listen(self, case: str, heard: Callable[[], None]) -> None:
        """Have ``heard`` called for each message that is posted to the first queue of a case."""

    async def stop(self) -> None:
        """End the connections and the server."""
        await self.opened.aclose()
