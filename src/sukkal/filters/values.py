"""What filters look at: the context attributes of an event, and how their values are written as text."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from sukkal import limits

__all__ = ["Attributes", "Value", "as_text", "shown"]

Value = str | int | bool | bytes
"""What an attribute can be. URIs and timestamps are texts; integers have 64 bits at most."""

Attributes = Mapping[str, Value]
"""The context attributes that an event has, by their names. The data of an event is not among them."""

_TRUTHS: Final = {True: "true", False: "false"}


def as_text(value: Value) -> str:
    """Return the value in the canonical text form of CloudEvents."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _TRUTHS[value]
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


def shown(value: Value) -> str:
    """Return the value as a message or an explanation shows it: texts in quotes, and long ones cut."""
    if isinstance(value, bool | int):
        return as_text(value)
    text = repr(as_text(value[: limits.FILTER_SHOWN_CHARS_MAX]))
    return f"{text}..." if len(value) > limits.FILTER_SHOWN_CHARS_MAX else text
