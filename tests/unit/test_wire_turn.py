"""Coroutines of which a task makes all steps but the first: they cannot tell."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from sukkal.transports.http.wire.turn import Turn


class Runner:
    """A task that takes what is begun outside it, as a connection does."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.turn: Turn[Any] = Turn(self.loop)
        self.results: asyncio.Queue[Any] = asyncio.Queue()
        self.task = self.loop.create_task(self._work(), context=self.turn.context)

    async def _work(self) -> None:
        while True:
            try:
                self.results.put_nowait(await self.turn)
            except ZeroDivisionError as error:
                self.results.put_nowait(error)

    def begin(self, coroutine: Coroutine[Any, Any, Any], told: Callable[[Any], None] | None = None) -> None:
        def begun() -> None:
            try:
                self.turn.begin(coroutine, self.task, told or self.results.put_nowait)
            except StopIteration as ended:
                self.results.put_nowait(("at once", ended.value))

        self.loop.call_soon(begun)

    async def outcome(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        self.begin(coroutine)
        return await asyncio.wait_for(self.results.get(), 30)


def run(scenario: Callable[[Runner], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario(Runner())

    asyncio.run(main())


async def result(value: Any, *pauses: Awaitable[Any]) -> Any:
    for pause in pauses:
        await pause
    return value


def test_what_does_not_wait_is_done_at_once_and_the_rest_by_the_task() -> None:
    async def scenario(runner: Runner) -> None:
        assert await runner.outcome(result(1)) == ("at once", 1)
        future = runner.loop.create_future()
        runner.loop.call_later(0.001, future.set_result, None)
        assert await runner.outcome(result(2, asyncio.sleep(0), future, asyncio.sleep(0.001))) == 2
        runner.turn.give(3)
        assert await asyncio.wait_for(runner.results.get(), 30) == 3

    run(scenario)


def test_what_is_set_in_the_first_step_is_there_in_the_others_and_nowhere_else() -> None:
    variable = ContextVar("variable", default="nothing")

    async def kept() -> Any:
        variable.set("something")
        await asyncio.sleep(0)
        return variable.get()

    async def scenario(runner: Runner) -> None:
        assert await runner.outcome(kept()) == "something"
        assert variable.get() == "nothing"

    run(scenario)


def test_it_is_the_same_task_from_the_first_step_on() -> None:
    async def who() -> Any:
        first = asyncio.current_task()
        await asyncio.sleep(0)
        return first, asyncio.current_task()

    async def scenario(runner: Runner) -> None:
        assert await runner.outcome(who()) == (runner.task, runner.task)

    run(scenario)


@pytest.mark.parametrize("seconds", [0, 0.001])
def test_a_time_limit_that_is_set_in_the_first_step_holds(seconds: float) -> None:
    async def too_long() -> str:
        try:
            async with asyncio.timeout(seconds):
                await asyncio.Event().wait()
        except TimeoutError:
            await asyncio.sleep(0)
            return "in time"
        return "never"

    async def scenario(runner: Runner) -> None:
        assert [await runner.outcome(too_long()) for _ in range(3)] == ["in time"] * 3
        assert runner.task.cancelling() == 0

    run(scenario)


def test_errors_come_to_whoever_awaits() -> None:
    async def scenario(runner: Runner) -> None:
        for seconds in (0, 0.001):
            failing = runner.loop.create_future()
            runner.loop.call_later(seconds, failing.set_exception, ZeroDivisionError())
            assert isinstance(await runner.outcome(result(1, failing)), ZeroDivisionError)

    run(scenario)


def test_what_waits_for_futures_goes_on_without_the_task() -> None:
    async def scenario(runner: Runner) -> None:
        await asyncio.sleep(0)
        first, second = runner.loop.create_future(), runner.loop.create_future()
        done: list[Any] = []
        runner.begin(result(1, first, second), told=done.append)
        for future in (first, second):
            await asyncio.sleep(0)
            assert done == []
            future.set_result(None)
        await asyncio.sleep(0)
        assert done == [1]
        assert runner.results.empty()

    run(scenario)


def test_a_cancelled_task_cancels_what_is_waited_for_and_takes_the_next_one_if_it_goes_on() -> None:
    async def obstinate(awaited: asyncio.Future[None]) -> str:
        try:
            await awaited
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
        return "went on"

    async def scenario(runner: Runner) -> None:
        await asyncio.sleep(0)
        awaited = runner.loop.create_future()
        runner.begin(obstinate(awaited))
        await asyncio.sleep(0)
        runner.task.cancel()
        assert await asyncio.wait_for(runner.results.get(), 30) == "went on"
        assert awaited.cancelled()
        assert await runner.outcome(result(1, asyncio.sleep(0.001))) == 1

    run(scenario)


@pytest.mark.parametrize("done_first", [True, False])
def test_a_cancellation_counts_that_comes_together_with_what_is_waited_for(*, done_first: bool) -> None:
    async def scenario(runner: Runner) -> None:
        await asyncio.sleep(0)
        awaited = runner.loop.create_future()
        runner.begin(result(1, awaited))
        await asyncio.sleep(0)
        if done_first:
            awaited.set_result(None)
        runner.task.cancel()
        if not done_first:
            awaited.set_result(None)
        await asyncio.wait((runner.task,))
        assert runner.task.cancelled()
        assert runner.results.empty()

    run(scenario)


def test_a_cancelled_task_cancels_what_it_does_even_before_it_has_taken_it() -> None:
    async def scenario(runner: Runner) -> None:
        cancelled = asyncio.Event()

        async def held() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        runner.begin(held())
        runner.loop.call_soon(runner.task.cancel)
        await asyncio.wait((runner.task,))
        assert runner.task.cancelled()
        assert cancelled.is_set()

    run(scenario)


def test_an_idle_task_can_be_cancelled() -> None:
    async def scenario(runner: Runner) -> None:
        await asyncio.sleep(0)
        runner.task.cancel()
        await asyncio.wait((runner.task,))
        assert runner.task.cancelled()

    run(scenario)
