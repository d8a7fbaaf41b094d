"""What a client is told when a request did not succeed."""

__all__ = ["ClientError", "Refused", "Unreachable"]


class ClientError(Exception):
    """A request did not succeed."""


class Unreachable(ClientError):
    """No answer came, so what was asked for may or may not have been done."""


class Refused(ClientError):
    """The service answered that it did not do what was asked for.

    ``status`` is that of HTTP, ``retry_after_s`` how long the service asks to wait, or ``None``.
    """

    def __init__(self, status: int, description: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{description} ({status})")
        self.status = status
        self.description = description
        self.retry_after_s = retry_after_s

    @property
    def may_succeed_later(self) -> bool:
        """Tell whether the same request may succeed later without anybody changing anything."""
        return self.status in _PASSING


_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
