"""Requests to a service and their answers."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar

import aiohttp
from yarl import URL

from sukkal.client.credentials import Credentials
from sukkal.client.errors import Refused, Unexpected, Unreachable

__all__ = ["Answer", "Connection"]

_UNAUTHORIZED: Final = 401
_SUCCEEDED: Final = range(200, 300)
_ELSEWHERE: Final = range(300, 400)

_Member = TypeVar("_Member")


class Answer(NamedTuple):
    """What the service answered. ``document`` is ``None`` if there was no JSON."""

    status: int
    headers: Mapping[str, str]
    document: Any

    def member(self, name: str, kind: type[_Member]) -> _Member:
        """Return a member of the document. Raises ``Unexpected`` if there is none of this kind."""
        found = self.document.get(name) if isinstance(self.document, dict) else None
        if not isinstance(found, kind):
            raise self.unexpected()
        return found

    def unexpected(self) -> Unexpected:
        """Return the error for an answer that the service does not give."""
        return Unexpected(f"What answered is not the service: it said {self.status}, but not what the service says.")


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
        sent = {"Client-ID": self._client_id, "Accept": "application/json"}
        sent |= await self._credentials.headers()
        if document is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        url = URL(f"{self._root}{path}", encoded=True).update_query(query or {})
        body = document if document is None or isinstance(document, bytes) else _text(document)
        try:
            async with self._session.request(method, url, data=body, headers=sent, allow_redirects=False) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"No answer from {self._shown}: {self._told(error)}") from None
        if answer.status not in _SUCCEEDED:
            raise _refused(answer.status, answer.headers, _document(text))
        return Answer(answer.status, answer.headers, _document(text))

    def _told(self, error: Exception) -> str:
        """Return what an error says, without what the URL may have of a password."""
        user, at, _ = self._root.raw_authority.rpartition("@")
        told = str(error).replace(user + at, "") if at else str(error)
        return told or type(error).__name__


def _text(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _document(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _refused(status: int, headers: Mapping[str, str], document: Any) -> Refused:
    said = document if isinstance(document, dict) else {}
    description = said.get("description") or said.get("title")
    if status in _ELSEWHERE:
        description = f"The service is not here, but perhaps at {_without_secrets(headers.get('Location', ''))}."
    after = headers.get("Retry-After", "")
    return Refused(
        status,
        str(description or "The service gave no reason."),
        retry_after_s=float(after) if after.isascii() and after.isdigit() else None,
    )


def _without_secrets(location: str) -> str:
    try:
        url = URL(location)
        url = (url.with_user(None) if url.absolute else url).with_query(None).with_fragment(None)
    except ValueError:
        return "a place that is not named"
    return str(url) or "a place that is not named"
