"""What goes on beside the requests."""

import asyncio
from collections import Counter

import pytest

from sukkal.app import composition
from sukkal.errors import StoreUnavailable


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), RuntimeError("a defect")])
def test_work_that_fails_is_done_again_and_said_in_the_log(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(composition, "_AFTER_FAILURE_S", 0)
    failures = [error]
    counted: Counter[str] = Counter()

    async def all_steps() -> None:
        done = asyncio.Event()

        async def pause() -> None:
            await asyncio.sleep(0)

        async def step() -> None:
            if failures:
                raise failures.pop()
            done.set()

        work = asyncio.create_task(composition._keep_doing("sweeping", pause, step, counted))
        async with asyncio.timeout(30):
            await done.wait()
        work.cancel()

    asyncio.run(all_steps())
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["sweeping failed"]
    assert counted == {"sweeping": 1}
