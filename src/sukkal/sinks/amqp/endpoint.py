"""What an AMQP subscriber's URI says: which broker, as whom, and where to in it."""

from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from yarl import URL

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sinks import urls

__all__ = ["SCHEMES", "Endpoint", "Route", "parse"]

SCHEMES: Final = ("amqp", "amqps")
_PORTS: Final = {"amqp": 5_672, "amqps": 5_671}
_GUEST: Final = "guest"
_ROUTE: Final = frozenset(["exchange", "routing_key"])


class Endpoint(NamedTuple):
    """A virtual host of a broker, and who we are there. Deliveries to the same one share a connection."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    vhost: str

    def __repr__(self) -> str:
        """Show nothing that opens anything."""
        return f"{type(self).__name__}(host={self.host!r}, port={self.port})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same in tracebacks."""
        return [("host", self.host), ("port", self.port)]

    @property
    def url(self) -> URL:
        """The URL for the client library: made anew, as a subscriber's could switch its checks of certificates off."""
        return URL.build(
            scheme=self.scheme,
            user=self.user,
            password=self.password,
            host=self.host,
            port=self.port,
            path="/" + quote(self.vhost, safe=""),
            query={"heartbeat": str(limits.AMQP_HEARTBEAT_S), "name": "sukkal"},
        )


class Route(NamedTuple):
    """Where a message goes within the broker."""

    exchange: str
    routing_key: str


def parse(subscriber: str) -> tuple[Endpoint, Route]:
    """Return what a subscriber's URI says. Raises ``InvalidRequest``."""
    url = urls.parse(subscriber, SCHEMES)
    vhost = url.raw_path.removeprefix("/")
    if "/" in vhost:
        raise InvalidRequest("subscriber: write a slash in the name of a virtual host as %2F.")
    given = [part.partition("=")[::2] for part in url.raw_query_string.split("&") if part]
    route = {name: _name(value, name) for name, value in given}
    if len(route) != len(given) or not route.keys() <= _ROUTE or not any(route.values()) or url.raw_fragment:
        raise InvalidRequest("subscriber must end with ?exchange=..., &routing_key=... or both, and nothing else.")
    endpoint = Endpoint(
        scheme=url.scheme,
        host=(url.raw_host or "").lower(),
        port=url.explicit_port or _PORTS[url.scheme],
        user=_name(url.raw_user or _GUEST, "the user"),
        password=_name(_GUEST if url.raw_password is None else url.raw_password, "the password"),
        vhost=_name(vhost, "the virtual host") or "/",
    )
    return endpoint, Route(route.get("exchange", ""), route.get("routing_key", ""))


def _name(quoted: str, what: str) -> str:
    try:
        name = unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest(f"subscriber: {what} is not UTF-8.") from None
    if len(name.encode()) > limits.AMQP_NAME_BYTES_MAX or not name.isprintable():
        raise InvalidRequest(
            f"subscriber: {what} must be at most {limits.AMQP_NAME_BYTES_MAX} bytes of printable characters."
        )
    return name
