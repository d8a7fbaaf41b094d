"""Requests that are tried again where that is safe, and pages that follow each other."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple, Self, TypeVar
from urllib.parse import quote

import msgspec

from sukkal.client.chance import Chance
from sukkal.client.connection import Connection
from sukkal.client.errors import ClientError, NotConnected, Refused, Unreachable
from sukkal.client.exchange import Answer

__all__ = ["Asking", "Retries", "read", "segment"]

_NO_CONTENT: Final = 204
_Noun = TypeVar("_Noun")
_DOUBLINGS_MAX: Final = 16


def segment(name: str) -> str:
    """Return a name as it stands in a path."""
    return quote(name, safe="")


class Retries(NamedTuple):
    """How long to wait before what failed is tried again: twice as long each time, up to ``longest_s``."""

    first_s: float = 0.1
    longest_s: float = 10.0

    def pause_s(self, attempt: int, share: float, asked_s: float | None = None) -> float:
        """Return the pause after an attempt, counted from 0: half of it is left to chance.

        It is never shorter than the service has asked for.
        """
        most_s = min(self.first_s * (1 << min(attempt, _DOUBLINGS_MAX)), self.longest_s)
        return max(most_s * (1 + share) / 2, asked_s or 0.0)


class Asking:
    """Makes requests, each with all its attempts in ``timeout_s`` seconds."""

    def __init__(self, connection: Connection, chance: Chance, retries: Retries, timeout_s: float) -> None:
        self.connection = connection
        self.chance = chance
        self.retries = retries
        self.timeout_s = timeout_s

    def over(self, connection: Connection) -> Self:
        """Return the same over another connection."""
        return type(self)(connection, self.chance, self.retries, self.timeout_s)

    def within(self, timeout_s: float | None) -> Self:
        """Return the same with another time for each request, or itself for ``None``."""
        return self if timeout_s is None else type(self)(self.connection, self.chance, self.retries, timeout_s)

    async def ask(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
        wait_s: float = 0,
    ) -> Answer:
        """Return the answer to a request, trying again what may succeed later.

        What is not ``repeatable`` is tried again only if it is certain that nothing was done. ``wait_s`` is how long
        the service may take because it was asked to wait. Raises ``ClientError``: that of the last attempt when the
        time is over.
        """
        last: ClientError | None = None
        time_s = self.timeout_s + wait_s
        try:
            async with asyncio.timeout(time_s) as limit:
                for attempt in itertools.count():
                    try:
                        return await self.connection.request(
                            method, path, document, query=query, headers=headers, timeout_s=time_s
                        )
                    except ClientError as error:
                        if limit.expired():  # An attempt that ends at that moment hides it from the context.
                            raise last or error from None
                        if not _worth_another(error, repeatable=repeatable):
                            raise
                        last = error
                    await asyncio.sleep(self.pause_s(attempt, last))
        except TimeoutError:
            raise last or Unreachable(f"There was no answer within {time_s:g} seconds.") from None
        raise AssertionError("unreachable")

    def pause_s(self, attempt: int, error: ClientError | None = None) -> float:
        """Return how long to wait after an attempt, counted from 0."""
        asked_s = error.retry_after_s if isinstance(error, Refused) else None
        return self.retries.pause_s(attempt, self.chance.share(), asked_s)

    async def do(self, method: str, path: str, document: Any = None, *, query: Mapping[str, str] | None = None) -> None:
        """Have something done whose answer says no more than that it is. Raises ``ClientError``."""
        answer = await self.ask(method, path, document, query=query)
        if answer.status != _NO_CONTENT:
            raise answer.unexpected()

    async def noun(self, kind: type[_Noun], path: str, **query: str) -> _Noun:
        """Return what stands at a path."""
        return read(kind, await self.ask("GET", path, query=query))

    async def pages(
        self, kind: type[_Noun], member: str, path: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[_Noun]:
        """Yield the members of a listing, page by page."""
        answer = await self.ask("GET", path, query=query)
        while found := answer.member(member, list):
            for each in found:
                yield _converted(kind, each, answer)
            links = answer.member("links", list)
            if not links:
                return
            try:
                path = str(links[0]["href"])
            except (KeyError, TypeError):
                raise answer.unexpected() from None
            answer = await self.ask("GET", path)


def read(kind: type[_Noun], answer: Answer) -> _Noun:
    """Return what an answer tells of. Raises ``Unexpected``."""
    return _converted(kind, answer.document, answer)


def _converted(kind: type[_Noun], document: Any, answer: Answer) -> _Noun:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError:
        raise answer.unexpected() from None


def _worth_another(error: ClientError, *, repeatable: bool) -> bool:
    match error:
        case NotConnected():
            return True
        case Unreachable():
            return repeatable
        case Refused():
            return error.did_nothing or (repeatable and error.may_succeed_later)
        case _:
            return False
