"""How many may listen at once for one project, so that no project takes the room of the others."""

from collections import Counter

from sukkal import limits
from sukkal.errors import QuotaExceeded

__all__ = ["Audience"]


class Audience:
    """Those who hold a connection open to hear what comes, by project: at most ``most`` each, any number if it is 0."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._present: Counter[str] = Counter()

    def of(self, project: str) -> int:
        """Return how many there are of a project."""
        return self._present[project]

    def enter(self, project: str) -> None:
        """Count one more. Raises ``QuotaExceeded``. Whoever enters leaves."""
        if self._most and self._present[project] >= self._most:
            raise QuotaExceeded(
                f"The project may have {self._most} WebSocket connections and streams at once. Close some first, or "
                "ask an operator for a higher `max_listeners_per_project`.",
                retry_after_s=limits.QUOTA_RETRY_S,
            )
        self._present[project] += 1

    def leave(self, project: str) -> None:
        """Count one less."""
        self._present[project] -= 1
        if not self._present[project]:
            del self._present[project]
