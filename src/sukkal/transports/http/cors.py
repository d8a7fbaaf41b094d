"""Letting pages of other origins call the service from a browser: off unless origins are named."""

from typing import Final

from sukkal.transports.http.exchange import Header, Request, Response

__all__ = ["Cors"]

_MAX_AGE_S: Final = 600
_HEADERS: Final = (
    "Authorization, Client-ID, Content-Type, Idempotency-Key, URL-Expires, URL-Methods, URL-Paths, URL-Signature, "
    "Traceparent, Tracestate, X-Auth-Token, X-Project-Id"
)
_EXPOSED: Final = "Error-Code, Idempotency-Replayed, Location, Retry-After, X-OpenStack-Request-ID"
_VARY: Final[Header] = (b"vary", b"Origin")


class Cors:
    """The rule for the origins of the setting ``cors_origins``. Credentials are headers, never cookies."""

    def __init__(self, setting: str) -> None:
        self._origins = frozenset(origin.strip().rstrip("/") for origin in setting.split(",") if origin.strip())

    @property
    def active(self) -> bool:
        """Whether any origin is let in."""
        return bool(self._origins)

    def headers(self, request: Request) -> tuple[Header, ...]:
        """Return what allows the page that made the request to read the answer."""
        origin = self._allowed(request)
        if origin is None:
            return (_VARY,)
        return (
            _VARY,
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED.encode("ascii")),
        )

    def preflight(self, request: Request, methods: tuple[str, ...]) -> Response | None:
        """Return the answer to a browser that asks before it sends a request, ``None`` for anything else."""
        if self._allowed(request) is None or b"access-control-request-method" not in request.headers:
            return None
        headers = (
            (b"access-control-allow-methods", ", ".join(methods).encode("ascii")),
            (b"access-control-allow-headers", _HEADERS.encode("ascii")),
            (b"access-control-max-age", str(_MAX_AGE_S).encode("ascii")),
        )
        return Response(204, b"", headers)

    def _allowed(self, request: Request) -> str | None:
        origin = request.header(b"origin")
        return origin if origin is not None and ("*" in self._origins or origin in self._origins) else None
