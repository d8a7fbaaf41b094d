"""Carrying one store into another one."""

from collections.abc import Callable

from sukkal.carrying.arriving import Arriving, Progress
from sukkal.carrying.comparing import Comparing
from sukkal.carrying.leaving import leaving
from sukkal.errors import StartupError
from sukkal.whole import Source, Target

__all__ = ["migrate"]


async def migrate(
    source: Source, target: Target, origin: str, *, now_ms: int, tell: Callable[[Progress, bool], None]
) -> Progress:
    """Carry all that is in a store into another one, or what is missing of it, and compare the two.

    ``tell`` hears how far it is, and whether it compares already. Raises ``StartupError``; the same call goes on.
    """
    arriving = Arriving(target, origin, now_ms=now_ms, tell=lambda progress: tell(progress, False))
    if not await arriving.open():
        return arriving.progress
    async for parcel in leaving(source, arriving.as_of_ms, behind=arriving.whole):
        await arriving.take(parcel)
    await arriving.finish()
    tell(arriving.progress, True)
    comparing = Comparing(target, arriving.as_of_ms)
    async for parcel in leaving(source, arriving.as_of_ms):
        await comparing.parcel(parcel)
    await comparing.finish()
    if comparing.differences:
        raise StartupError(
            "What has arrived differs from what there is: " + "; ".join(comparing.differences) + ". Was the source "
            "served meanwhile? Empty the target, and begin anew."
        )
    await arriving.close()
    return arriving.progress
