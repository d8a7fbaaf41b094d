"""Server-sent events, out of the bytes that bring them."""

from typing import NamedTuple

__all__ = ["Event", "EventReader"]


class Event(NamedTuple):
    """An event of a stream. ``id`` is the last position told; ``name`` is empty for an ordinary one."""

    id: str
    name: str
    data: str


class EventReader:
    """Puts events together. Comments bring none."""

    def __init__(self) -> None:
        self._rest = b""
        self._id = ""
        self._fields: dict[str, list[str]] = {}

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that have become complete."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        events = []
        for line in lines:
            text = line.rstrip(b"\r").decode(errors="replace")
            if text:
                name, _, value = text.partition(":")
                self._fields.setdefault(name, []).append(value.removeprefix(" "))
            elif event := self._complete():
                events.append(event)
        return events

    def _complete(self) -> Event | None:
        fields, self._fields = self._fields, {}
        if "id" in fields:
            self._id = fields["id"][-1]
        if "data" not in fields:
            return None
        return Event(self._id, fields.get("event", [""])[-1], "\n".join(fields["data"]))
