"""Looking again whether somebody may still have what comes by itself."""

import asyncio
from collections.abc import Awaitable, Callable

from sukkal.errors import Unavailable

__all__ = ["Recheck", "until_refused"]

Recheck = Callable[[], Awaitable[None]]
"""Asks again who somebody is and whether he may do this. Raises as for a new request."""


async def until_refused(recheck: Recheck | None, *, every_s: float, ended: Callable[[], bool] = lambda: False) -> None:
    """Ask from time to time, until it has ``ended`` or is refused; without ``recheck`` all may. Raises the refusal."""
    while recheck is not None and not ended():
        await asyncio.sleep(every_s)
        try:
            await recheck()
        except Unavailable:
            continue  # As long as nobody can be asked, it is as good as it was.
