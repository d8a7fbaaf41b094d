"""Deliveries to ``http`` and ``https`` subscribers: one request each."""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery, Outcome
from sukkal.sinks.guard import Guard
from sukkal.sinks.signing import check_secrets, signature

__all__ = ["WebhookSink", "payload"]

LookUp = Callable[..., list[Any]]
"""What ``socket.getaddrinfo`` does."""

_PLACE: Final = '"$zaqar_message$"'
_METHODS: Final = ("POST", "PUT", "PATCH", "DELETE", "GET")
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS: Final = frozenset(
    {
        *("connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding"),
        *("upgrade", "webhook-id", "webhook-signature", "webhook-timestamp"),
    }
)
_BUSY: Final = frozenset({429, 502, 503, 504})
_GONE: Final = 410
_NOT_ALLOWED: Final = "The receiver's address is not one that deliveries may go to."


class _Refused(OSError):
    """The guard lets nobody through to this host."""


class _GuardedResolver(AbstractResolver):
    """Resolves names to addresses that the guard lets through; those are what is connected to.

    It has threads of its own: names that take long to resolve must not keep others of the service waiting.
    """

    def __init__(self, guard: Guard, look_up: LookUp) -> None:
        self._guard = guard
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(limits.WEBHOOK_RESOLVER_THREADS, thread_name_prefix="sukkal-resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._look_up, host, port, family, socket.SOCK_STREAM)
        results = []
        for kind, _, protocol, _, place in found:
            if self._guard.lets_through(host, str(place[0])):
                flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
                results.append(
                    ResolveResult(
                        hostname=host, host=str(place[0]), port=int(place[1]), family=kind, proto=protocol, flags=flags
                    )
                )
        if not results:
            raise _Refused(_NOT_ALLOWED)
        return results

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class WebhookSink:
    """Sends each delivery as an HTTP request."""

    schemes = ("http", "https")

    def __init__(self, guard: Guard, look_up: LookUp = socket.getaddrinfo) -> None:
        self._guard = guard
        self._look_up = look_up
        self._resolver: _GuardedResolver | None = None
        self._client: aiohttp.ClientSession | None = None

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse a URL, a method or headers that could not be sent. Raises ``InvalidRequest``."""
        try:
            parts = urlsplit(subscriber)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise InvalidRequest("The subscriber is no URL.") from None
        if not host or not subscriber.isprintable() or " " in subscriber:
            raise InvalidRequest("The subscriber must be a URL with a host, without spaces.")
        if "@" in parts.netloc:
            raise InvalidRequest("The subscriber's URL must not have a user or a password; use options.post_headers.")
        if options.get("method", "POST") not in _METHODS:
            raise InvalidRequest(f"options.method must be one of {', '.join(_METHODS)}.")
        if not isinstance(options.get("post_data", ""), str):
            raise InvalidRequest("options.post_data must be a text.")
        _check_headers(options.get("post_headers", {}))
        if "_signing_secrets" in options:
            check_secrets(options["_signing_secrets"])

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Send one request."""
        body = payload(delivery)
        method = str(delivery.options.get("method", "POST"))
        timeout = aiohttp.ClientTimeout(total=delivery.timeout_s, sock_connect=limits.WEBHOOK_CONNECT_TIMEOUT_S)
        host = urlsplit(delivery.subscriber).hostname or ""
        if _is_literal(host) and not self._guard.lets_through(host, host):
            return Outcome(delivered=False, error=_NOT_ALLOWED)
        try:
            async with self._session().request(
                method,
                delivery.subscriber,
                data=body,
                headers=_headers(delivery, body),
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                answer = await response.content.read(limits.WEBHOOK_ANSWER_BYTES_MAX)
                if not response.content.at_eof():
                    response.close()
                return _outcome(response.status, response.headers.get("Retry-After"), answer, delivery.now_ms)
        except TimeoutError:
            return Outcome(delivered=False, error="The receiver did not answer in time.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(delivered=False, error=_reason(error))

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()
        if self._resolver is not None:
            await self._resolver.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._resolver = _GuardedResolver(self._guard, self._look_up)
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                limit=limits.WEBHOOK_CONNECTIONS_MAX,
                limit_per_host=limits.WEBHOOK_CONNECTIONS_PER_HOST_MAX,
                # Addresses are looked at for each connection.
                use_dns_cache=False,
            )
            self._client = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_line_size=limits.WEBHOOK_LINE_BYTES_MAX,
                max_field_size=limits.WEBHOOK_LINE_BYTES_MAX,
            )
        return self._client


def payload(delivery: Delivery) -> bytes:
    """Return the body of a request: Zaqar's, unless the subscription says otherwise."""
    if delivery.notice:
        return delivery.body
    queue = msgspec.json.encode(delivery.queue_name)
    message = b'{"ttl":%d,"body":%s,"Message_Type":"Notification","queue_name":%s}' % (
        delivery.ttl_s,
        delivery.body,
        queue,
    )
    template = delivery.options.get("post_data")
    return message if not template else str(template).encode().replace(_PLACE.encode(), message)


def _headers(delivery: Delivery, body: bytes) -> dict[str, str]:
    timestamp_s = delivery.now_ms // limits.SECOND_MS
    headers = {"Content-Type": "application/json", "User-Agent": "sukkal"}
    own = {str(name).lower() for name in delivery.options.get("post_headers", {})}
    headers = {name: value for name, value in headers.items() if name.lower() not in own}
    headers |= {str(name): str(value) for name, value in delivery.options.get("post_headers", {}).items()}
    headers |= {"webhook-id": delivery.id, "webhook-timestamp": str(timestamp_s)}
    if secrets := delivery.options.get("_signing_secrets"):
        headers["webhook-signature"] = signature(secrets, delivery.id, timestamp_s, body)
    return headers


def _check_headers(headers: Any) -> None:
    if not isinstance(headers, dict):
        raise InvalidRequest("options.post_headers must be an object.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise InvalidRequest(
                f"options.post_headers has {name[:100]!r}, which is no header with a text for its value."
            )
        if name.lower() in _OURS or name.lower().startswith("proxy-"):
            raise InvalidRequest(f"options.post_headers must not have {name}: it is the service's to set.")


def _outcome(status: int, retry_after: str | None, answer: bytes, now_ms: int) -> Outcome:
    shown = answer[: limits.WEBHOOK_SHOWN_BYTES_MAX].decode("utf-8", "replace")
    if 200 <= status < 300:
        return Outcome(delivered=True, status=status, answer=shown)
    error = f"The receiver answered {status}."
    if 300 <= status < 400:
        error = f"The receiver answered {status}; redirects are not followed."
    return Outcome(
        delivered=False,
        status=status,
        error=error,
        retry_after_s=_seconds(retry_after, now_ms) if status in _BUSY else None,
        gone=status == _GONE,
        answer=shown,
    )


def _seconds(retry_after: str | None, now_ms: int) -> int | None:
    if retry_after is None:
        return None
    if retry_after.isdecimal() and len(retry_after) < 10:
        return int(retry_after)
    try:
        until_ms = parsedate_to_datetime(retry_after).timestamp() * limits.SECOND_MS
    except (ValueError, OverflowError):
        return None
    return max(round((until_ms - now_ms) / limits.SECOND_MS), 0)


def _reason(error: Exception) -> str:
    # Which address it was, and what is there, is nothing for a tenant to know.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _Refused):
            return _NOT_ALLOWED
        cause = cause.__cause__
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "The receiver's TLS certificate is not one to trust."
    if isinstance(error, aiohttp.ClientConnectorError):
        return "The receiver cannot be reached."
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError):
        return "The receiver broke off its answer."
    return "The receiver did not answer in HTTP."


def _is_literal(host: str) -> bool:
    """Tell whether a host may be taken for an address, and so not be resolved: also short forms such as 127.1."""
    return ":" in host or host.replace(".", "").isdigit()
