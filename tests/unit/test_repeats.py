"""Posts under a name wait for each other, and nothing else does."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.errors import InvalidRequest
from sukkal.model import QueueKey
from sukkal.service.repeats import Repeats, check_key, own_name
from sukkal.settings import Settings

QUEUE = QueueKey("p", "q")


@pytest.fixture
def repeats() -> Repeats:
    return Repeats(MemoryEngine(), Settings(), lambda: 0)


def under(repeats: Repeats, *names: str, key: QueueKey = QUEUE) -> AbstractAsyncContextManager[object]:
    """Return what a post under the names goes on in."""
    return repeats.known(key, [repeats.act(name) for name in names])


async def settled() -> None:
    """Let everything go on until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_posts_that_share_a_name_come_one_after_another(repeats: Repeats) -> None:
    async def check() -> None:
        order: list[str] = []

        async def post(label: str, *names: str) -> None:
            async with under(repeats, *names):
                order.append(f"{label} begins")
                await may_end[label].wait()
                order.append(f"{label} ends")

        may_end = {label: asyncio.Event() for label in "abcd"}
        async with asyncio.TaskGroup() as posts:
            for label, names in (("a", "12"), ("b", "23"), ("c", "31"), ("d", "4")):
                posts.create_task(post(label, *names))
            await settled()
            assert order == ["a begins", "d begins"]
            for event in reversed(may_end.values()):
                event.set()
        assert order[:2] == ["a begins", "d begins"]
        assert order.index("a ends") < order.index("b begins")
        assert abs(order.index("b begins") - order.index("b ends")) == 1
        assert abs(order.index("c begins") - order.index("c ends")) == 1

    asyncio.run(check())


def test_the_same_name_in_another_queue_is_another_one(repeats: Repeats) -> None:
    async def check() -> None:
        async with AsyncExitStack() as stack, asyncio.timeout(30):
            for key in (QUEUE, QUEUE._replace(project="other"), QUEUE._replace(kind="topic")):
                await stack.enter_async_context(under(repeats, "1", key=key))

    asyncio.run(check())


def test_who_goes_away_or_fails_keeps_nobody_waiting(repeats: Repeats) -> None:
    async def hold() -> None:
        async with under(repeats, "1", "2"):
            await asyncio.Event().wait()

    async def check() -> None:
        holding, waiting = asyncio.create_task(hold()), asyncio.create_task(hold())
        await settled()
        waiting.cancel()
        await settled()
        holding.cancel()
        async with asyncio.timeout(30):
            with pytest.raises(ValueError, match="on purpose"):
                async with under(repeats, "1"):
                    raise ValueError("on purpose")
            async with under(repeats, "2", "1"):
                pass

    asyncio.run(check())


def test_no_client_can_choose_a_name_of_the_service() -> None:
    check_key("forwarded:a:b")
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        check_key(own_name("forwarded", "a", "b"))
