"""What a client is told whose connection ends before its request has reached a handler."""

from typing import Final

import msgspec

from sukkal import limits

__all__ = ["HEAD_TOO_LARGE", "NOT_HTTP", "TOO_EARLY", "TOO_MANY", "TOO_SLOW", "Refusal"]


class Refusal(msgspec.Struct, frozen=True):
    """An answer after which the connection is closed, in the error shape of the API."""

    status: int
    title: str
    description: str

    @property
    def wire(self) -> bytes:
        """The bytes to send."""
        body = msgspec.json.encode({"title": self.title, "description": self.description})
        return (
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            % (self.status, self.title.encode("ascii"), len(body), body)
        )


NOT_HTTP: Final = Refusal(400, "Bad request", "The request is not well-formed HTTP.")
TOO_EARLY: Final = Refusal(400, "Bad request", "Frames may be sent once the service has agreed to a WebSocket.")
TOO_SLOW: Final = Refusal(408, "Request timeout", "The request did not arrive in time.")
HEAD_TOO_LARGE: Final = Refusal(
    431,
    "Request header fields too large",
    f"Path and headers may have {limits.REQUEST_HEADER_BYTES_MAX} bytes together.",
)
TOO_MANY: Final = Refusal(503, "Service temporarily unavailable", "There are too many connections. Try again later.")
