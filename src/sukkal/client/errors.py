"""What a client is told when a request did not succeed."""

__all__ = ["ClientError", "CredentialsRefused", "Refused", "Unexpected", "Unreachable"]


class ClientError(Exception):
    """A request did not succeed."""


class Unreachable(ClientError):
    """No answer came, so what was asked for may or may not have been done."""


class CredentialsRefused(ClientError):
    """Who we are is not known any more, so that every request would end like this one."""


class Unexpected(ClientError):
    """Something answered as the service never does, so it was probably something else, such as a proxy."""


class Refused(ClientError):
    """The answer was that what was asked for is not done, or to ask elsewhere.

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

    @property
    def is_about_the_request(self) -> bool:
        """Tell whether it is for what was sent, and not for who sent it or where."""
        return self.status in _ABOUT_THE_REQUEST


_ABOUT_THE_REQUEST = frozenset({400, 413, 422})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
