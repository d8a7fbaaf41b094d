"""What a client is told when a request did not succeed."""

__all__ = [
    "ClientError",
    "CredentialsRefused",
    "LeaseLost",
    "MessagesMissed",
    "NotConnected",
    "Refused",
    "Unexpected",
    "Unreachable",
]


class ClientError(Exception):
    """A request did not succeed."""


class Unreachable(ClientError):
    """No answer came, so what was asked for may or may not have been done."""


class NotConnected(Unreachable):
    """No connection came about, so nothing was asked for."""


class LeaseLost(ClientError):
    """The message is not ours any more: its claim has ended, and another consumer may have it."""


class MessagesMissed(ClientError):
    """Some of what was posted to a queue since the position ``since`` can be told to no listener any more."""

    def __init__(self, queue: str, since: str | None) -> None:
        super().__init__(f"Messages of queue {queue} were missed: some that were posted since {since} are gone.")
        self.queue, self.since = queue, since


class CredentialsRefused(ClientError):
    """Who we are is not known any more, so that every request would end like this one."""


class Unexpected(ClientError):
    """Something answered as the service never does, so it was probably something else, such as a proxy."""


class Refused(ClientError):
    """The answer was that what was asked for is not done, or to ask elsewhere.

    ``status`` is that of HTTP, ``code`` the name of the error in the service's table, empty where something else
    answered, ``retry_after_s`` how long the service asks to wait, or ``None``, and ``request_id`` finds the request in
    its log. The classes below this one are in ``sukkal.client.refusals``.
    """

    def __init__(
        self,
        status: int,
        description: str,
        *,
        retry_after_s: float | None = None,
        title: str = "",
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(f"{description} ({status})")
        self.status = status
        self.description = description
        self.retry_after_s = retry_after_s
        self.title = title
        self.code = code
        self.request_id = request_id

    @property
    def may_succeed_later(self) -> bool:
        """Tell whether the same request may succeed later without anybody changing anything."""
        return self.status in _PASSING

    @property
    def did_nothing(self) -> bool:
        """Tell whether it is certain that nothing of what was asked for was done."""
        return self.status == _TOO_MANY or (self.status == _UNAVAILABLE and self.code not in _UNKNOWN)

    @property
    def is_about_the_request(self) -> bool:
        """Tell whether it is for what was sent, and not for who sent it or where."""
        return self.status in _ABOUT_THE_REQUEST


_ABOUT_THE_REQUEST = frozenset({400, 413, 422})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOO_MANY = 429
_UNAVAILABLE = 503
# Of a 503 without a code it is not known who said it, a proxy perhaps that had passed the request on.
_UNKNOWN = frozenset({"", "store_unavailable"})
