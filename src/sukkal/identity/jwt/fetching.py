"""Getting documents of an issuer. All of this blocks, and is run in a thread."""

import http.client
import ipaddress
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import urlsplit

from sukkal import limits
from sukkal.clock import elapsed_s

__all__ = ["FetchFailed", "fetch", "why_unsafe"]

_ACCEPT: Final = {"Accept": "application/json"}


class FetchFailed(Exception):
    """A document could not be got, or is not what it should be; the message says why and names no token."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: who is asked for keys is what an operator wrote down, not what somebody in between says."""

    def redirect_request(self, *arguments: Any, **options: Any) -> None:
        """Return no request."""


def fetch(url: str) -> bytes:
    """Return the document at a URL. Raises ``FetchFailed``."""
    if why := why_unsafe(url):
        raise FetchFailed(f"{url} is not asked: {why}")
    request = urllib.request.Request(url, headers=_ACCEPT)  # noqa: S310 - the scheme was looked at
    try:
        with _opener(url).open(request, timeout=limits.JWT_KEYS_TIMEOUT_S) as response:
            content = _read(response)
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchFailed(f"{url} answered {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(f"{url} cannot be reached: {error}") from None
    if len(content) > limits.JWT_KEYS_BYTES_MAX:
        raise FetchFailed(f"{url} answered with more than {limits.JWT_KEYS_BYTES_MAX} bytes")
    return content


def _read(response: http.client.HTTPResponse) -> bytes:
    """Return the body, or as much of it as shows that it is too large. Who sends it drop by drop is a ``TimeoutError``.

    The time limit of a connection is for each of its steps alone.
    """
    until_s = elapsed_s() + limits.JWT_KEYS_TIMEOUT_S
    content = b""
    while len(content) <= limits.JWT_KEYS_BYTES_MAX and (piece := response.read1(limits.JWT_KEYS_BYTES_MAX)):
        content += piece
        if elapsed_s() > until_s:
            raise TimeoutError(f"it is still sending after {limits.JWT_KEYS_TIMEOUT_S} seconds")
    return content


def why_unsafe(url: str) -> str:
    """Return why keys from this URL could be anybody's; nothing if they could not."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is no URL"
    if parts.scheme not in ("https", "http") or not host:
        return "it takes a URL that begins with https://"
    if not (url.isascii() and url.isprintable()) or " " in url or "@" in parts.netloc:
        return "it has characters, or a user, that do not belong there"
    if parts.scheme == "http" and not _is_loopback(host):
        return "without https, everybody on the way could put in keys of their own"
    return ""


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if _is_loopback(urlsplit(url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
