"""What an event carries besides its attributes and data, so that the native document can be made from it again.

Two extension attributes: the name of the format, and, only where the format's translation would not give back the
document exactly, the remainder: JSON that says which members the document has otherwise, and which it lacks.
"""

from typing import Any, Final

from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidEvent
from sukkal.format import Event
from sukkal.formats import documents

__all__ = ["FORMAT", "REMAINDER", "complete", "mark", "mark_whole", "unmarked"]

FORMAT: Final = "sukkalformat"
REMAINDER: Final = "sukkalremainder"

# What is kept has a member around it.
_LEVELS: Final = limits.EVENT_NESTING_MAX + 1


def mark(event: Event, name: str, restored: Any, document: Any) -> Event:
    """Return the event with the format's name, and with what makes the document out of the restored one."""
    extensions = {**event.extensions, FORMAT: name}
    if rest := _difference(restored, document):
        extensions[REMAINDER] = documents.encode_printable(rest)
    return replace(event, extensions=extensions)


def mark_whole(event: Event, name: str, document: Any) -> Event:
    """Return the event with the format's name and the whole document."""
    rest = documents.encode_printable({"is": document})
    return replace(event, extensions={**event.extensions, FORMAT: name, REMAINDER: rest})


def unmarked(event: Event) -> Event:
    """Return the event without the two attributes."""
    kept = {name: value for name, value in event.extensions.items() if name not in (FORMAT, REMAINDER)}
    return replace(event, extensions=kept)


def complete(restored: Any, event: Event) -> Any:
    """Return the document: the restored one with the event's remainder. Raises ``InvalidEvent``."""
    text = event.extensions.get(REMAINDER)
    if text is None:
        return restored
    try:
        rest = documents.decode(text.encode(), levels=_LEVELS) if isinstance(text, str) else None
    except InvalidBody:
        rest = None
    match rest:
        case {"is": document}:
            return document
        case {"has": dict(has), "lacks": list(lacks)} if isinstance(restored, dict) and _are_names(lacks):
            # Anybody can send a remainder, also one with very many names.
            absent = frozenset(lacks)
            return {name: value for name, value in restored.items() if name not in absent} | has
        case _:
            raise InvalidEvent(f"{REMAINDER} is not what the service wrote.")


def _are_names(lacks: list[Any]) -> bool:
    return all(isinstance(name, str) for name in lacks)


def _difference(restored: Any, document: Any) -> dict[str, Any] | None:
    if not (isinstance(restored, dict) and isinstance(document, dict)):
        return None if documents.is_same(restored, document) else {"is": document}
    has = {
        name: value
        for name, value in document.items()
        if name not in restored or not documents.is_same(restored[name], value)
    }
    lacks = [name for name in restored if name not in document]
    return {"has": has, "lacks": lacks} if has or lacks else None
