"""What calls of the index in PostgreSQL cost, counted in blocks of the database that they look at."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from tests.engines.postgresql_server import PostgreSQL

from sukkal.indexes.postgresql import PostgresqlIndex
from sukkal.indexes.postgresql.questions import question
from sukkal.indexes.postgresql.statements import SCHEMA, SQL
from sukkal.limits import INT64_MAX, INT64_MIN
from sukkal.model import QueueKey
from sukkal.postgresql import Connection, Database
from sukkal.search import Asked, Change, Document, Term
from sukkal.testing.contract_search import NOW_MS, document

FEW: Final = 100
MANY: Final = 4_000
AT_ONCE: Final = 500
BLOCKS_MORE_MAX: Final = 250
"""A search looks at one block of numbers, and more entries make the indexes higher, by one block for each look."""

Fill = Callable[[PostgresqlIndex], Awaitable[None]]


def entry(number: int, *, queue: str = "q", **more: Any) -> Document:
    change = Change("OS::Nova::Server", f"s{number}", deleted=more.pop("deleted", False))
    text = f"common n{number} {more.pop('text', '')}"
    return document(number, text, resource=change, queue=QueueKey("p", queue), event=b"{}" + b" " * 400, **more)


async def put(index: PostgresqlIndex, count: int, *, first: int, project: str = "p", **more: Any) -> None:
    for start in range(first, first + count, AT_ONCE):
        documents = [entry(number, **more) for number in range(start, min(start + AT_ONCE, first + count))]
        await index.put(project, documents, now_ms=NOW_MS)


async def nothing(index: PostgresqlIndex) -> None:
    """Leave the project as it is."""


async def elsewhere(index: PostgresqlIndex) -> None:
    """Leave the same words in another project."""
    await put(index, MANY, first=0, project="other", text="rare")


async def older(index: PostgresqlIndex) -> None:
    """Leave many older entries."""
    await put(index, MANY, first=10_000)


async def swept(index: PostgresqlIndex) -> None:
    """Leave nothing of many that were swept."""
    await put(index, MANY, first=10_000, text="rare", deleted=True)
    while await index.sweep(before_ms=NOW_MS + 1, limit=AT_ONCE):
        pass


async def cost(connection: Connection, sql: str, *arguments: Any) -> int:
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
    top = json.loads(plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def searching(shelf: int, *terms: Term, limit: int = 20) -> tuple[Any, ...]:
    asked = question(Asked(terms=terms))
    assert asked is not None
    bounds = (INT64_MAX, INT64_MIN, None, None, False)
    return ("p", shelf, asked.query, asked.needed, asked.unwanted, *bounds, limit)


async def cost_of_a_rare_word(connection: Connection) -> int:
    return await cost(connection, SQL.find, *searching(0, Term("rare")))


async def cost_of_the_newest(connection: Connection) -> int:
    return await cost(connection, SQL.find, *searching(0, Term("common"), limit=20))


async def cost_of_resources(connection: Connection) -> int:
    return await cost(connection, SQL.find, *searching(1, Term("com", prefix=True), limit=20))


async def cost_of_words_side_by_side(connection: Connection) -> int:
    return await cost(connection, SQL.find, *searching(0, Term("n7 rare")))


async def cost_of_a_sweep(connection: Connection) -> int:
    return await cost(connection, SQL.to_sweep, "", 0, INT64_MAX, 10)


async def measured(url: str, fill: Fill, measure: Callable[[Connection], Awaitable[int]]) -> int:
    """Return what the first call costs that comes after all that."""
    index = PostgresqlIndex(url, bytes_max=10**9)
    await fill(index)
    await put(index, FEW, first=0)
    await index.put("p", [entry(7_000, text="rare"), entry(7_001, text="n7 rare")], now_ms=NOW_MS)
    await index.close()
    database = Database(url, SCHEMA, connect_s=10, statement_s=60)
    connection = await database.connect(plan_cache_mode="force_custom_plan")
    # What is read of the catalogue the first time is not the call's.
    await measure(connection)
    looked = await measure(connection)
    await connection.close()
    return looked


@pytest.mark.parametrize("fill", [elsewhere, older, swept])
@pytest.mark.parametrize(
    "measure",
    [cost_of_a_rare_word, cost_of_the_newest, cost_of_resources, cost_of_words_side_by_side, cost_of_a_sweep],
)
def test_what_is_found_costs_the_same_whatever_else_is_there(
    postgresql: PostgreSQL, fill: Fill, measure: Callable[[Connection], Awaitable[int]]
) -> None:
    costs = []
    for each in (nothing, fill):
        url = postgresql.new_database()
        costs.append(asyncio.run(measured(url, each, measure)))
        postgresql.drop_database(url)
    assert costs[1] <= costs[0] + BLOCKS_MORE_MAX
