"""What the server can hold of what comes."""

__all__ = ["storable"]


def storable(text: str) -> str:
    """Return a text as the server takes it, which knows no NUL."""
    return text.replace("\0", "\ufffd")
