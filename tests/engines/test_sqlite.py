"""The SQLite engine passes the contract."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from sukkal.engines.sqlite import SqliteEngine
from sukkal.store import Engine
from sukkal.testing import DurableStoreContract, store_machine
from sukkal.testing.subject import QUEUE, Subject


class TestSqlite(DurableStoreContract):
    def make_engine(self, directory: Path) -> Engine:
        return SqliteEngine(directory)


TestSqliteHistories = store_machine(SqliteEngine, durable=True).TestCase


@pytest.mark.parametrize("contents_only", [False, True])
def test_nothing_is_left_of_contents_that_were_given_up(tmp_path: Path, *, contents_only: bool) -> None:
    subject = Subject(lambda: SqliteEngine(tmp_path))
    subject.post(3, ttl_s=60)
    subject.claim(1, settle=True)
    subject.run(subject.engine.delete_queue(QUEUE, contents_only=contents_only))
    subject.pass_s(60)
    subject.sweep()
    subject.close()
    with closing(apsw.Connection(str(tmp_path / "messages.sqlite3"))) as database:
        for table in ("messages", "claims", "removed", "dropped"):
            # Of a queue that is gone there is a mark, of which there are only so many.
            where = "WHERE queue > 0" if table == "removed" else ""
            assert list(database.execute(f"SELECT * FROM {table} {where}")) == [], table
