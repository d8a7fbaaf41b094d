"""Who may hold and give up a queue that several try to move, one after another. See ``sukkal.moving``."""

from typing import NamedTuple

from sukkal.errors import QueueMoved

__all__ = ["Marker", "check_give_up", "check_hold", "check_staged", "lets_go", "not_yours"]


class Marker(NamedTuple):
    """A hold with the token that it was made with, or, with a time, that a queue was moved away."""

    until_ms: int | None
    token: int


def check_hold(marker: Marker | None, token: int, *, follower: int) -> None:
    """Refuse to hold what was moved away, or is held or followed with a greater token. Raises ``QueueMoved``."""
    if follower > token or (marker is not None and (marker.until_ms is not None or marker.token > token)):
        raise not_yours()


def lets_go(marker: Marker | None, token: int) -> bool:
    """Tell whether a hold ends when a mover lets go."""
    return marker is not None and marker.until_ms is None and marker.token <= token


def check_give_up(marker: Marker | None, token: int, *, there: bool) -> bool:
    """Tell whether a queue is to be given up. Raises ``QueueMoved`` for one that nobody, or a later mover, holds."""
    if lets_go(marker, token):
        return True
    if there or (marker is not None and marker.until_ms is None):
        raise not_yours()
    return marker is not None


def check_staged(staged: int | None, token: int) -> None:
    """Refuse to add to what another mover has staged, or to open it. Raises ``QueueMoved``."""
    if staged is not None and staged != token:
        raise not_yours()


def not_yours() -> QueueMoved:
    """Return the refusal of what a later mover of the same queue, or nobody, would have to ask."""
    return QueueMoved("Somebody else moves this queue now, or it was moved already.")
