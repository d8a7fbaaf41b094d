"""Requests to a service and their answers."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from sukkal.client.credentials import Credentials
from sukkal.client.errors import Refused, Unreachable
from sukkal.client.exchange import Answer, outgoing, read_answer, without_password

__all__ = ["Connection"]

_UNAUTHORIZED: Final = 401


class Connection:
    """A service, and who we are there. Used as a context: ``async with Connection(...) as sukkal``.

    ``url`` is the root of the service, for example ``http://127.0.0.1:8888``; ``client_id`` a UUID that stays the same
    for this program. A request takes at most ``timeout_s`` seconds.
    """

    def __init__(self, url: str, credentials: Credentials, *, client_id: str, timeout_s: float = 30.0) -> None:
        self._root = URL(url.rstrip("/"))
        self._shown = str(self._root.with_user(None))
        self._credentials = credentials
        self._client_id = client_id
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request. Raises ``Refused`` for any that says no, ``Unreachable`` if there is none.

        ``path`` begins with a slash and is percent-encoded; ``document`` is sent as JSON, but ``bytes`` as they are.
        Nothing is repeated, but for a token that has ended, which is renewed once.
        """
        try:
            return await self._once(method, path, document, query, headers)
        except Refused as refused:
            if refused.status != _UNAUTHORIZED or not await self._credentials.renew():
                raise
            return await self._once(method, path, document, query, headers)

    async def _once(
        self,
        method: str,
        path: str,
        document: Any,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        if self._session is None:
            raise RuntimeError("The connection is used before or after its context.")
        identity = await self._credentials.headers()
        request = outgoing(
            method, path, document, client_id=self._client_id, query=query, headers={**identity, **(headers or {})}
        )
        url = URL(f"{self._root}{request.target}", encoded=True)
        try:
            async with self._session.request(
                method, url, data=request.body, headers=request.headers, allow_redirects=False
            ) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"No answer from {self._shown}: {self._told(error)}") from None
        return read_answer(answer.status, answer.headers, text)

    def _told(self, error: Exception) -> str:
        return without_password(str(error), self._root.raw_authority) or type(error).__name__
