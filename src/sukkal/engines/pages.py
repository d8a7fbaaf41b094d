"""Pages of messages that end before they are too large."""

from collections.abc import Iterable, Iterator

from sukkal.moving import Stored

__all__ = ["until_full"]


def until_full(found: Iterable[Stored], bytes_max: int | None) -> Iterator[Stored]:
    """Yield messages until their bodies are so many bytes, and read no further."""
    size = 0
    for each in found:
        yield each
        size += len(each.message.body)
        if bytes_max is not None and size >= bytes_max:
            return
