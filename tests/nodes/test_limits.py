"""Limits that are set through one node hold at all of them."""

import asyncio
import time

from tests.nodes.asking import ask, post
from tests.serving import ServerProcess

LOOK_S_MAX = 30
MESSAGE = {"messages": [{"body": 1, "ttl": 300}]}


def test_a_limit_that_is_set_through_one_node_is_kept_by_another(pair: tuple[ServerProcess, ServerProcess]) -> None:
    async def scenario() -> None:
        here, there = pair
        await post(there, "q", 1)
        assert (await ask(here, "PUT", "/v2/limits/faults", {"messages": 1}, roles="admin")).status == 200
        ends_s = time.monotonic() + LOOK_S_MAX
        while (await ask(there, "POST", "/v2/queues/q/messages", MESSAGE)).status == 201:
            assert time.monotonic() < ends_s, "the limit is not known there"
            await asyncio.sleep(0.1)

    asyncio.run(scenario())
