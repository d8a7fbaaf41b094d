"""The index: each call is one transaction on what one project has, or one statement that reads it."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, TypeVar

from sukkal import limits
from sukkal.indexes.postgresql import catalogue, finding, removing, writing
from sukkal.indexes.postgresql.connections import Connections, Tables
from sukkal.indexes.postgresql.failures import our_errors
from sukkal.indexes.postgresql.matching import Matching
from sukkal.indexes.postgresql.questions import findable
from sukkal.indexes.postgresql.statements import SCHEMA, SQL
from sukkal.indexes.postgresql.turns import Turns
from sukkal.indexes.postgresql.writers import Step, Writers
from sukkal.model import QueueKey
from sukkal.postgresql import Connection, Database
from sukkal.search import Asked, Document, Facets, Hits, SearchIndex, Shelf, TypeSeen

__all__ = ["PostgresqlIndex"]

T = TypeVar("T")

_CONNECT_S_MAX: Final = 10.0
_STATEMENT_S_MAX: Final = 30.0
_SETTINGS: Final = {"plan_cache_mode": "force_custom_plan"}
"""There are few statements and much in each, so a plan for each costs little, and none is of a time of small tables."""


class PostgresqlIndex(SearchIndex):
    """Keeps all in one database, with as many others as there are. See ``sukkal.search.SearchIndex``.

    Nothing is opened before it is needed: an index that cannot be opened keeps nobody from starting. ``connect_s`` and
    ``statement_s`` bound how long the server may take, for a connection and for a statement that writes.
    """

    def __init__(
        self, url: str, *, bytes_max: int, connect_s: float = _CONNECT_S_MAX, statement_s: float = _STATEMENT_S_MAX
    ) -> None:
        self._bytes_max = bytes_max
        self._tables = Tables(Database(url, SCHEMA, connect_s=connect_s, statement_s=statement_s))
        read_ms = str(round(limits.SEARCH_S_MAX * limits.SECOND_MS))
        self._readers = Connections(self._tables, limits.SEARCH_THREADS, **_SETTINGS, statement_timeout=read_ms)
        self._writers = Writers(self._tables, self._readers, limits.SEARCH_WRITING_THREADS, **_SETTINGS)
        self._writing = Turns()
        self._reading = Turns()
        self._swept = ""

    async def put(self, project: str, documents: Sequence[Document], *, now_ms: int) -> int:
        """Keep documents with the resources that they tell of."""
        found = []
        for document in documents:
            found.append((document, findable(document)))
            await asyncio.sleep(0)  # Others get their turn: there may be many words.
        step = partial(writing.put, name=project, documents=found, now_ms=now_ms, bytes_max=self._bytes_max)
        return await self._write(project, step) if documents else 0

    async def find(
        self, shelf: Shelf, project: str, asked: Asked, *, before: int | None, limit: int, deleted: bool = False
    ) -> Hits:
        """Return a page of matches."""
        step = partial(
            finding.find, project=project, shelf=shelf, asked=asked, before=before, limit=limit, deleted=deleted
        )
        return await self._read(project, step)

    async def facets(
        self, shelf: Shelf, project: str, asked: Asked, names: Sequence[str], *, deleted: bool = False
    ) -> Facets:
        """Count the matches by some of their values."""
        step = partial(finding.facets, project=project, shelf=shelf, asked=asked, names=names, deleted=deleted)
        return await self._read(project, step)

    async def types(self, project: str, *, after: str, limit: int) -> tuple[TypeSeen, ...]:
        """Return a page of types."""
        return await self._read(project, partial(catalogue.list_types, project=project, after=after, limit=limit))

    async def matches(self, documents: Sequence[Document], asked: Sequence[Asked]) -> list[list[int] | None]:
        """Return which documents each question finds. None takes long: it looks into each text once for each term."""
        matching = Matching()
        for document in documents:
            matching.add(document)
            await asyncio.sleep(0)
        found: list[list[int] | None] = []
        for each in asked:
            found.append(matching.found(each))
            await asyncio.sleep(0)
        return found

    async def drop_queue(self, key: QueueKey, *, now_ms: int) -> None:
        """Let nothing be found any more that was posted to a queue before now."""
        await self._write(key.project, partial(writing.drop_queue, key=key, now_ms=now_ms))

    async def drop_project(self, project: str) -> None:
        """Forget all of a project: nothing is found at once, and the sweep removes it."""

        async def step(connection: Connection) -> None:
            await connection.execute(SQL.drop_project, project)

        await self._write(project, step)

    async def sweep(self, *, before_ms: int, limit: int) -> int:
        """Remove what is no longer wanted, of some projects in each round, and wait in no project's line for it."""
        removed = await self._write("", partial(removing.sweep_gone, limit=limit))
        step = partial(removing.sweep, before_ms=before_ms, bytes_max=self._bytes_max, limit=limit)
        for project in await self._to_sweep(before_ms):
            removed += await self._write("", partial(step, name=project))
        return removed

    async def close(self) -> None:
        """Finish what was begun and close all connections."""
        await self._tables.close()
        await self._writers.close()
        await self._readers.close()

    async def _to_sweep(self, before_ms: int) -> list[str]:
        """Return some projects in which there is something to do, each in its turn."""
        arguments = (before_ms, self._bytes_max, limits.SEARCH_PROJECTS_LOOKED_AT_ONCE)

        async def step(connection: Connection) -> Sequence[tuple[str, bool]]:
            rows = await connection.fetch(SQL.to_sweep, self._swept, *arguments)
            return [tuple(row) for row in rows or await connection.fetch(SQL.to_sweep, "", *arguments)]

        rows = await self._write("", step)
        found: list[str] = []
        for project, has_something in rows:
            self._swept = project
            if has_something:
                found.append(project)
            if len(found) == limits.SEARCH_BOOKS_SWEPT_AT_ONCE:
                break
        return found

    async def _write(self, project: str, step: Step[T]) -> T:
        with our_errors():
            async with self._writing.of(project):
                return await self._writers.run(step)

    async def _read(self, project: str, step: Step[T]) -> T:
        with our_errors(searching=True):
            async with self._reading.soon(project, self._readers) as connection:
                return await step(connection)
