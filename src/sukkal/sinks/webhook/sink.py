"""Makes the requests, over one pool of connections."""

import asyncio
import ssl
from collections.abc import Mapping
from socket import AI_NUMERICHOST, AddressFamily
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery, Outcome
from sukkal.sinks import answers
from sukkal.sinks.guard import Denied, Guard, is_name
from sukkal.sinks.webhook.answer import outcome
from sukkal.sinks.webhook.request import SCHEMES, Target, request, target
from sukkal.sinks.webhook.targets import Targets

__all__ = ["WebhookSink"]

# The same for a host that is unknown, so that nobody finds out by it which names exist in the service's network.
_DENIED: Final = "The subscriber's host has no address that this service may deliver to."
_FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError, EOFError)


class WebhookSink:
    """Delivers to ``http`` and ``https`` subscribers that the guard permits.

    Redirects are never followed, proxies of the environment not used, cookies not kept. ``tls`` says whose
    certificates are trusted, by default those that the system trusts.
    """

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._targets = Targets(self._may_be_called)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    @property
    def schemes(self) -> tuple[str, ...]:
        """The URI schemes, in lower case."""
        return SCHEMES

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse a subscriber or options that could never be delivered to. Raises ``InvalidRequest``."""
        wanted = target(subscriber, options)
        if not self._may_be_called(wanted):
            host = wanted.url.raw_host
            raise InvalidRequest(f"subscriber: {host} is an address that this service does not deliver to.")

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Make one request and return what became of it."""
        try:
            wanted = self._targets.of(delivery)
        except InvalidRequest as error:
            return Outcome(delivered=False, error=str(error), permanent=True)
        if wanted is None:
            return Outcome(delivered=False, error=_DENIED, permanent=True)
        return await self._attempt(delivery, wanted)

    async def close(self) -> None:
        """Let go of all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _may_be_called(self, wanted: Target) -> bool:
        # An address is connected to without being looked up, so it is judged before.
        host = wanted.url.raw_host or ""
        return is_name(host) or self._guard.permits(host, host)

    async def _attempt(self, delivery: Delivery, wanted: Target) -> Outcome:
        heard: Outcome | None = None
        try:
            async with asyncio.timeout(delivery.timeout_s), self._open(delivery, wanted) as response:
                heard = outcome(response.status, response.headers.get("Retry-After"), now_ms=delivery.now_ms)
                answer = answers.shown(await _beginning(response), wanted.secrets)
                return msgspec.structs.replace(heard, answer=answer)
        except TimeoutError:
            error = f"The subscriber did not answer within {delivery.timeout_s:g} seconds."
        except Denied:
            error = _DENIED
        except _FAILURES as failure:
            error = _sentence(failure)
        # Its status was its answer, whatever happened to the rest.
        return heard or Outcome(delivered=False, error=error)

    def _open(self, delivery: Delivery, wanted: Target) -> Any:
        made = request(wanted, delivery)
        if self._session is None:
            self._session = self._new_session()
        return self._session.request(made.method, made.url, headers=made.headers, data=made.body, allow_redirects=False)

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._guard),
            ssl=self._tls or True,
            limit=limits.WEBHOOK_CONNECTIONS_MAX,
            limit_per_host=limits.WEBHOOK_CONNECTIONS_PER_HOST_MAX,
            keepalive_timeout=limits.WEBHOOK_KEEPALIVE_S,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None,
                sock_connect=limits.WEBHOOK_CONNECT_TIMEOUT_S,
                sock_read=limits.WEBHOOK_READ_TIMEOUT_S,
            ),
            trust_env=False,
            # What is packed could unpack to anything.
            auto_decompress=False,
            skip_auto_headers=["Accept-Encoding"],
        )


class _Resolver(AbstractResolver):
    """Gives aiohttp only addresses that the guard permits; it connects to these and no others."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host. Raises ``Denied``."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=AddressFamily.AF_INET6 if ":" in address else AddressFamily.AF_INET,
                proto=0,
                flags=AI_NUMERICHOST,
            )
            for address in await self._guard.addresses(host, port)
        ]

    async def close(self) -> None:
        """Nothing is kept."""


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the answer, or as much of it as is read at all. The connection goes on only after a whole one."""
    content = b""
    while piece := await response.content.read(limits.WEBHOOK_ANSWER_BYTES_MAX + 1 - len(content)):
        content += piece
        if len(content) > limits.WEBHOOK_ANSWER_BYTES_MAX:
            response.close()
            break
    return content


def _sentence(failure: Exception) -> str:
    if isinstance(failure, aiohttp.ClientSSLError):
        return "The subscriber's TLS certificate is not trusted, or it speaks no TLS."
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "The subscriber does not take connections."
    if isinstance(failure, aiohttp.ClientResponseError | HttpProcessingError | ValueError):
        return "The subscriber's answer is not HTTP."
    return "The subscriber closed the connection before it had answered."
