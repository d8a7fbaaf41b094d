"""The headers that a subscription adds to its deliveries."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidRequest

__all__ = ["extra_headers"]

_OPTION: Final = "options.post_headers"
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
# They belong to the connection, or to the service, which says in them where a request ends and what it is.
_RESERVED: Final = frozenset(
    [
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_RESERVED_PREFIX: Final = "webhook-"


def extra_headers(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of ``post_headers``, their names in lower case. Raises ``InvalidRequest`` naming the header.

    A value is never part of a message: it may be a secret.
    """
    given = options.get("post_headers")
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > limits.WEBHOOK_HEADERS_MAX:
        raise InvalidRequest(f"{_OPTION} must be an object of at most {limits.WEBHOOK_HEADERS_MAX} headers.")
    headers: dict[str, str] = {}
    for name, value in given.items():
        if not isinstance(name, str) or len(name) > limits.WEBHOOK_HEADER_CHARS_MAX or not _NAME.fullmatch(name):
            raise InvalidRequest(f"{_OPTION} has a name that no header can have.")
        lower = name.lower()
        if lower in _RESERVED or lower.startswith(_RESERVED_PREFIX):
            raise InvalidRequest(f"{_OPTION}: {name} is the service's to set.")
        if lower in headers:
            raise InvalidRequest(f"{_OPTION}: {name} is given twice.")
        if not isinstance(value, str) or len(value) > limits.WEBHOOK_HEADER_CHARS_MAX or not _VALUE.fullmatch(value):
            raise InvalidRequest(
                f"{_OPTION}: the value of {name} must be a text of at most {limits.WEBHOOK_HEADER_CHARS_MAX} printable "
                "ASCII characters."
            )
        headers[lower] = value.strip(" \t")
    return headers
