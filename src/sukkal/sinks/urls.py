"""The URLs of subscribers that are reached over a network."""

import re
from ipaddress import IPv6Address, ip_address
from typing import Final

from yarl import URL

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sinks.guard import is_name

__all__ = ["parse"]

_CHARACTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_PORT_MAX: Final = 65_535


def parse(subscriber: str, schemes: tuple[str, ...]) -> URL:
    """Return a subscriber's URL, exactly as it is written. Raises ``InvalidRequest``.

    Its host is a name or an address in its usual form, so that nobody who reads it takes it for another.
    """
    if len(subscriber) > limits.SUBSCRIBER_CHARS_MAX:
        raise InvalidRequest(f"subscriber is longer than {limits.SUBSCRIBER_CHARS_MAX} characters.")
    if not _CHARACTERS.fullmatch(subscriber):
        raise InvalidRequest("subscriber has characters that a URL cannot have; write them percent-encoded.")
    try:
        url = URL(subscriber, encoded=True)
        host, port = url.raw_host or "", url.explicit_port
    except ValueError:
        raise InvalidRequest("subscriber is not a URL.") from None
    if url.scheme not in schemes:
        raise InvalidRequest(f"subscriber must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    if port is not None and not 0 < port <= _PORT_MAX:
        raise InvalidRequest(f"subscriber has a port that is not between 1 and {_PORT_MAX}.")
    in_brackets = "[" in url.raw_authority
    if not (_is_address(host) if in_brackets else is_name(host) or _is_address(host)):
        raise InvalidRequest("subscriber must have a host: a name in ASCII, or an address in its usual form.")
    return url


def _is_address(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (isinstance(address, IPv6Address) and address.scope_id)
