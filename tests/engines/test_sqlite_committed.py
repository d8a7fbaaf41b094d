"""What the SQLite engine keeps at hand of what is committed: never anything else, and never too much."""

from collections.abc import Callable, Iterator

import apsw
import pytest

from sukkal.engines.sqlite.committed import Committed

WEIGHT_MAX = 10


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    yield connection
    connection.close()


@pytest.fixture
def rows() -> dict[str, str]:
    return {}


@pytest.fixture
def committed(connection: apsw.Connection, rows: dict[str, str]) -> Committed[str, str]:
    def load(_: apsw.Connection, name: str) -> str | None:
        return rows.get(name)

    return Committed(load, writer=connection, reader=connection, weight_max=WEIGHT_MAX, weight=len)


def at_hand(committed: Committed[str, str], names: str) -> str:
    return "".join(name for name in names if committed.known(name) is not None)


def test_no_more_is_kept_than_fits_and_the_first_read_goes_first(
    committed: Committed[str, str], rows: dict[str, str]
) -> None:
    rows.update(a="aaaa", b="bbbb", c="cc", d="d", e="e" * (WEIGHT_MAX + 1))
    for name in "abc":
        assert committed.find(name) == rows[name]
    assert at_hand(committed, "abcde") == "abc"
    committed.find("d")
    assert at_hand(committed, "abcde") == "bcd"
    assert committed.find("e") == rows["e"]
    assert at_hand(committed, "abcde") == "bcd"


@pytest.mark.parametrize("read", [Committed.find, Committed.present], ids=["reader", "writer"])
def test_a_change_is_the_transactions_own_until_it_is_committed(
    committed: Committed[str, str], rows: dict[str, str], read: Callable[[Committed[str, str], str], str | None]
) -> None:
    rows["a"] = "old"
    read(committed, "a")
    committed.change("a", "new")
    assert (committed.find("a"), committed.present("a")) == ("old", "new")
    committed.commit()
    assert (committed.find("a"), committed.present("a")) == ("new", "new")


def test_what_was_read_while_it_was_changed_is_not_kept(committed: Committed[str, str], rows: dict[str, str]) -> None:
    rows["a"] = "old"
    committed.change("a", None)
    assert committed.find("a") == "old"
    assert committed.present("a") is None
    rows["a"] = "new"
    committed.commit()
    assert committed.find("a") == "new"


def test_a_transaction_that_fails_leaves_nothing_of_it(committed: Committed[str, str], rows: dict[str, str]) -> None:
    rows["a"] = "old"
    committed.find("a")
    committed.change("a", "new")
    committed.roll_back()
    assert committed.present("a") == "old"
    committed.commit()
    assert committed.find("a") == "old"
