"""What came of a call, in a form in which engines can be compared."""

from collections.abc import Awaitable
from typing import Any, TypeVar

from msgspec.structs import replace

from sukkal.errors import SukkalError
from sukkal.model import HeldClaim, Message, Published, Stats

__all__ = ["comparable", "outcome"]

T = TypeVar("T")


async def outcome(call: Awaitable[T]) -> T | type[SukkalError]:
    """Return a result, or the class of an error of ours."""
    try:
        return await call
    except SukkalError as error:
        return type(error)


def comparable(came: Any) -> Any:
    """Return an outcome without the sequences and epochs, whose numbers are each engine's own."""
    if isinstance(came, Message):
        return replace(came, sequence=0)
    if isinstance(came, tuple | list) and not hasattr(came, "_fields"):
        return [comparable(each) for each in came]
    if isinstance(came, HeldClaim):
        return (came.claim, comparable(came.messages))
    if isinstance(came, Published):
        return (came.ids, came.repeated, [[number > 0 for number in each] for each in came.sequences])
    if isinstance(came, Stats):
        ends = (came.oldest, came.newest)
        return (came.claimed, came.delayed, came.free, comparable(ends))
    return came
