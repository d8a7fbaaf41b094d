"""Reading documents that may hold anything, for attributes that may not."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from sukkal.format import AttributeValue, Received
from sukkal.formats.attributes import is_string

__all__ = ["JSON", "first_text", "path_of", "place_of_posts", "present", "queue_source", "severity", "text_at"]

JSON: Final = "application/json"
# The numbers of the severity extension, as OpenTelemetry has them.
_SEVERITY_NUMBERS: Final = {
    "debug": 5,
    "audit": 9,
    "info": 9,
    "low": 9,
    "sample": 9,
    "moderate": 13,
    "warn": 13,
    "warning": 13,
    "error": 17,
    "critical": 21,
}
_SEVERITY_UNKNOWN: Final = 0


def text_at(document: Any, *names: str) -> str | None:
    """Return the text at a path of members if an attribute can have it, else ``None``."""
    for name in names:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document if is_string(document) else None


def first_text(document: Any, paths: Iterable[tuple[str, ...]]) -> str | None:
    """Return the text at the first of the paths that leads to one."""
    return next((found for path in paths if (found := text_at(document, *path))), None)


def path_of(*segments: str) -> str:
    """Return a path, which is a URI-reference, of segments with any characters."""
    return "".join("/" + quote(segment, safe="") for segment in segments)


def queue_source(received: Received) -> str:
    """Return the source of an event that does not know a better one."""
    return place_of_posts(received.queue_name, is_topic=received.is_topic)


def place_of_posts(name: str, *, is_topic: bool) -> str:
    """Return the path of a queue or a topic."""
    return path_of("v2", "topics" if is_topic else "queues", name)


def present(extensions: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    """Return those extension attributes that there are."""
    return {name: value for name, value in extensions.items() if value is not None}


def severity(word: str | None) -> dict[str, AttributeValue]:
    """Return the attributes of the severity extension for a service's own word."""
    if word is None:
        return {}
    return {"severitytext": word, "severitynumber": _SEVERITY_NUMBERS.get(word.lower(), _SEVERITY_UNKNOWN)}
