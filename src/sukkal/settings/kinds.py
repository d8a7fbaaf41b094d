"""Kinds of settings: how one is described, and what may be given for it."""

import msgspec

__all__ = ["about", "line", "number", "path", "seconds", "text"]


def text(description: str, *, wants: str, pattern: str, example: str, secret: bool = False) -> msgspec.Meta:
    """Return what describes a text of a certain form; ``wants`` says in words which."""
    extra = {"wants": wants, "example": example, "secret": secret}
    return msgspec.Meta(description=description, pattern=pattern, extra=extra)


def line(description: str, *, wants: str, example: str, secret: bool = False) -> msgspec.Meta:
    """Return what describes a text of one line, or none."""
    return text(description, wants=f"{wants}, or nothing", pattern=r"^[^\0\r\n]*\Z", example=example, secret=secret)


def path(description: str, example: str) -> msgspec.Meta:
    """Return what describes the name of a file, or none."""
    return line(description, wants="a path", example=example)


def number(description: str, unit: str, low: int, high: int) -> msgspec.Meta:
    """Return what describes a whole number within limits."""
    return msgspec.Meta(ge=low, le=high, description=description, extra={"unit": unit})


def seconds(description: str, low: int, high: int) -> msgspec.Meta:
    """Return what describes a length of time."""
    return number(description, "seconds", low, high)


def about(description: str) -> msgspec.Meta:
    """Return what describes a choice or a switch."""
    return msgspec.Meta(description=description)
