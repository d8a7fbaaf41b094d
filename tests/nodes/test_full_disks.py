"""A database without room: what needs some is refused, nothing acknowledged is lost, and room heals it.

As in the test of the embedded store a limit on the size of files stands for the full disk, so it needs no rights.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from tests.engines.postgresql_server import PostgreSQL
from tests.faults.exchange import Answer
from tests.faults.history import Kind
from tests.nodes.asking import ask, healed
from tests.nodes.load import Nodes
from tests.nodes.trial import Trial
from tests.serving import ServerProcess

SEED: Final = 20_261_122
ANSWERS: Final = 200
FLAGS: Final = ("--max-messages-per-page", "1000", "--log-level", "error")
ROOM: Final = 1_200_000
LOG_ROOM: Final = 15_000_000
FILL_LOG: Final = "SELECT count(pg_logical_emit_message(false, '', repeat('x', 1000))) FROM generate_series(1, 16000)"
PATH: Final = "/v2/queues/own/messages"
EVERYTHING: Final = f"{PATH}?limit=1000&echo=true&include_claimed=true"
POSTS_MAX: Final = 200


class Own:
    """Somebody who posts to a queue of its own, and knows what was acknowledged and what was not."""

    def __init__(self, node: ServerProcess) -> None:
        self.node = node
        self.acknowledged: list[str] = []

    async def post(self) -> Answer:
        """Post a few messages of some size."""
        messages = [{"body": "x" * 1_500, "ttl": 3_600}] * 5
        answer = await ask(self.node, "POST", PATH, {"messages": messages})
        if answer.status == 201:
            self.acknowledged += answer.document["resources"]
        return answer

    async def post_until_refused(self) -> Answer:
        """Post until there is no room, and return the refusal."""
        for _ in range(POSTS_MAX):
            if (answer := await self.post()).status != 201:
                return answer
        raise AssertionError("the disk was not full")


async def listed(node: ServerProcess) -> list[str]:
    """Return all that is in that queue."""
    answer = await ask(node, "GET", EVERYTHING)
    assert answer.status == 200, answer
    return [each["href"].partition("?")[0] for each in answer.document["messages"]]


def refused(answer: Answer, code: str) -> None:
    assert answer.status == 503, answer
    assert answer.headers["error-code"] == code, answer
    assert int(answer.headers["retry-after"]) > 0
    assert set(answer.document) == {"title", "description"}, answer


def under_load(store: str, scenario: Callable[[Nodes], Awaitable[None]]) -> None:
    """Let something happen to a database whose two nodes are under load, and see that it kept its promises."""
    trial = Trial(SEED, connections=6)

    async def run(nodes: Nodes) -> None:
        async def happen() -> None:
            await nodes.answered(ANSWERS)
            await scenario(nodes)
            for node in nodes.servers:
                await healed(node)
            await nodes.answered(ANSWERS)

        async with asyncio.timeout(120):
            await trial.during(nodes, happen)
        await trial.finish(nodes)

    with contextlib.ExitStack() as stack:
        nodes = Nodes([stack.enter_context(ServerProcess(store, *FLAGS)) for _ in range(2)])
        asyncio.run(run(nodes))
    trial.check()
    # The load was what it is meant to be: much was done, and much refused.
    assert trial.done(Kind.POST) > ANSWERS / 4
    assert nodes.unavailable > 0


def test_a_database_without_room_refuses_posts_gives_what_it_has_and_heals() -> None:
    with PostgreSQL(wal_segment_mb=1) as server:

        async def fill(nodes: Nodes) -> None:
            own, other = Own(nodes.servers[0]), nodes.servers[1]
            server.limit_files(ROOM)
            refused(await own.post_until_refused(), "store_full")
            for _ in range(20):
                answer = await own.post()
                if answer.status != 201:
                    refused(answer, "store_full")
            await nodes.answered(ANSWERS)
            # What needs no room goes on, at both nodes; nothing that was refused is there.
            assert await listed(own.node) == await listed(other) == own.acknowledged
            first = own.acknowledged.pop(0)
            assert (await ask(other, "GET", first)).status == 200
            assert (await ask(other, "DELETE", first)).status == 204
            assert (await ask(own.node, "GET", first)).status == 404
            assert (await ask(own.node, "GET", "/healthz")).status == 200
            claimed = await ask(own.node, "POST", "/v2/queues/own/claims?limit=1", {"ttl": 300, "grace": 60})
            if claimed.status != 201:
                refused(claimed, "store_full")
            server.limit_files()
            await healed(own.node)
            assert (await own.post()).status == 201
            assert await listed(own.node) == own.acknowledged

        under_load(server.new_database(), fill)


def test_a_database_that_ended_for_want_of_room_is_found_again_with_all_that_was_acknowledged() -> None:
    with PostgreSQL(durable=True) as server:

        async def fill(nodes: Nodes) -> None:
            own = Own(nodes.servers[0])
            for _ in range(20):
                assert (await own.post()).status == 201
            server.limit_files(LOG_ROOM)
            # Without room for its log a server can keep no promise. It ends, and cannot even recover.
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                await asyncio.to_thread(server.execute, FILL_LOG)
            await asyncio.to_thread(server.wait)
            for _ in range(3):
                refused(await own.post(), "store_unavailable")
            assert (await ask(own.node, "GET", "/v2/ping")).status in (200, 204)
            # Somebody makes room and starts it again.
            await asyncio.to_thread(server.start)
            await healed(own.node)
            assert await listed(own.node) == own.acknowledged

        under_load(server.new_database(), fill)
