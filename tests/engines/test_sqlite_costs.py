"""What calls of the SQLite engine cost, counted in steps of the database's own machine: the same on every computer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import pytest

from sukkal import limits
from sukkal.engines.sqlite import records, subscriptions
from sukkal.engines.sqlite.catalogue import Catalogue
from sukkal.engines.sqlite.database import Database
from sukkal.engines.sqlite.engine import SqliteEngine
from sukkal.model import NewMessage, Post, QueueKey, RecordKey, Subscription

PAGE: Final = 10
NOW_MS: Final = 1_000
STEPS_PER_ROW_MAX: Final = 20


class Steps:
    """Counts the steps of a connection's statements."""

    count = 0

    def __call__(self) -> bool:
        """Note one step and let it go on."""
        self.count += 1
        return False


@contextmanager
def reopened(directory: Path) -> Iterator[tuple[apsw.Connection, Steps]]:
    """Open the data and count the steps of what is read."""
    database, steps = Database(directory), Steps()
    database.open()
    database.reader.set_progress_handler(steps, 1)
    yield database.reader, steps
    database.close()


async def put_records(directory: Path, project: str, count: int, *, expires_ms: int | None) -> None:
    engine = SqliteEngine(directory)
    await engine.start()
    keys = [RecordKey("k", project, f"{number:06}") for number in range(count)]
    await asyncio.gather(*(engine.put_record(key, b"{}", now_ms=0, expires_ms=expires_ms) for key in keys))
    await engine.close()


def listing_steps(directory: Path, *, project: str | None, after: tuple[str, str] = ("", "")) -> int:
    with reopened(directory) as (reader, steps):
        records.list_records(reader, "k", project, after=after, limit=PAGE, now_ms=NOW_MS)
        return steps.count


@pytest.mark.parametrize("project", ["p", None])
def test_a_page_of_records_costs_its_limit_wherever_it_begins(tmp_path: Path, project: str | None) -> None:
    asyncio.run(put_records(tmp_path, "p", 3_000, expires_ms=None))
    for after in (("", ""), ("p", "000001"), ("p", "002500")):
        assert listing_steps(tmp_path, project=project, after=after) < STEPS_PER_ROW_MAX * (PAGE + 2)


def test_a_page_of_records_scans_so_many_expired_ones_and_no_more(tmp_path: Path) -> None:
    asyncio.run(put_records(tmp_path, "p", limits.RECORDS_SCAN_ROWS_MAX + 5, expires_ms=1))
    few = listing_steps(tmp_path, project="p")
    asyncio.run(put_records(tmp_path, "p", 5 * limits.RECORDS_SCAN_ROWS_MAX, expires_ms=1))
    assert listing_steps(tmp_path, project="p") == few < STEPS_PER_ROW_MAX * limits.RECORDS_SCAN_ROWS_MAX


def test_a_page_of_one_project_does_not_look_into_the_next(tmp_path: Path) -> None:
    asyncio.run(put_records(tmp_path, "p", 3, expires_ms=None))
    alone = listing_steps(tmp_path, project="p")
    asyncio.run(put_records(tmp_path, "q", 500, expires_ms=1))
    assert listing_steps(tmp_path, project="p") < alone + STEPS_PER_ROW_MAX


def test_counting_one_project_does_not_look_at_the_messages_of_another(tmp_path: Path) -> None:
    async def post(project: str, count: int) -> None:
        engine = SqliteEngine(tmp_path)
        await engine.start()
        messages = tuple(NewMessage(id=f"{project}{number}", body=b"1", ttl_s=60) for number in range(count))
        await engine.publish((Post(QueueKey(project, "q"), messages),), now_ms=0)
        await engine.close()

    def steps_of_counting() -> int:
        with reopened(tmp_path) as (reader, steps):
            assert records.usage(reader, "p", now_ms=NOW_MS).messages == 50
            return steps.count

    asyncio.run(post("p", 50))
    alone = steps_of_counting()
    assert alone < STEPS_PER_ROW_MAX * 60
    asyncio.run(post("other", 2_000))
    assert steps_of_counting() < alone + STEPS_PER_ROW_MAX


def test_who_has_subscribed_is_read_once_for_all_posts(tmp_path: Path) -> None:
    asyncio.run(subscribed(tmp_path, idle=500, waiting=0))
    with reopened(tmp_path) as (reader, steps):
        catalogue = Catalogue(reader, reader)

        def listed(limit: int) -> int:
            steps.count = 0
            key = QueueKey("p", "q")
            found = subscriptions.list_subscriptions(
                reader, catalogue, key, after="", limit=limit, now_ms=NOW_MS, ids=None, subscriber=None
            )
            assert len(found) == min(limit, 503)
            return steps.count

        # A page of few does not pay for all of them, and gains from those who did.
        assert listed(PAGE) < STEPS_PER_ROW_MAX * (PAGE + 2)
        assert listed(1_000) > 503
        assert listed(1_000) == listed(PAGE) == 0


async def subscribed(directory: Path, *, idle: int, waiting: int) -> None:
    """Leave idle subscriptions, and three whose backlogs hold so many messages each."""
    engine = SqliteEngine(directory)
    await engine.start()
    for number in range(idle + 3):
        subscription = Subscription(
            id=f"s{number:05}",
            queue=QueueKey("p", "q"),
            subscriber=f"http://{number}/",
            ttl_s=60,
            options={},
            confirmed=False,
            created_ms=NOW_MS,
            expires_ms=NOW_MS + 60_000,
        )
        await engine.put_subscription(subscription, revision=None, now_ms=NOW_MS)
        if number >= idle:
            messages = tuple(NewMessage(id=str(each), body=b"1", ttl_s=60) for each in range(waiting))
            await engine.publish((Post(subscription.backlog, messages),), now_ms=NOW_MS)
    await engine.close()


def steps_to_find_backlogs(directory: Path) -> int:
    with reopened(directory) as (reader, steps):
        catalogue = Catalogue(reader, reader)
        steps.count = 0
        found = subscriptions.due_backlogs(reader, catalogue, now_ms=NOW_MS, limit=10, after=None)
        assert len(found) == 3
        return steps.count


def test_finding_deliveries_costs_the_same_whatever_is_idle_and_however_much_waits(tmp_path: Path) -> None:
    costs = []
    for idle, waiting in ((0, 1), (2_000, 1), (0, 2_000)):
        directory = tmp_path / f"{idle}-{waiting}"
        asyncio.run(subscribed(directory, idle=idle, waiting=waiting))
        costs.append(steps_to_find_backlogs(directory))
    assert max(costs) <= min(costs) + 3 * STEPS_PER_ROW_MAX
