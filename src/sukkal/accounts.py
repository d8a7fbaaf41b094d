"""The contract for accounts: how much a project keeps. The laws are those of ``sukkal.store``."""

from typing import Protocol

from sukkal.model import QueueKey, Usage

__all__ = ["Accounts"]


class Accounts(Protocol):
    """What can be counted of a project."""

    async def usage(self, project: str, *, now_ms: int) -> Usage:
        """Count the project's queues and topics, their live messages, and the bytes of their bodies.

        What histories keep counts as well, since it takes as much room; what backlogs hold does not. It is linear in
        the messages of this project, and looks at those of no other.
        """

    async def usage_of(self, key: QueueKey, *, now_ms: int) -> Usage:
        """Count the live messages of one queue, also a hidden one, and the bytes of their bodies."""
