"""A service that cannot start says why, and harms nothing."""

import ctypes
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.serving import FailedToStart, ServerProcess

PR_CAPBSET_DROP: Final = 24
CAP_DAC_OVERRIDE: Final = 1


def fails(store: str, prepare: Callable[[], None] | None = None) -> str:
    """Start a service that must fail, and return what it said."""
    with pytest.raises(FailedToStart) as failure, ServerProcess(store, prepare=prepare):
        pass
    assert failure.value.code == 1
    said = failure.value.stderr
    assert said.startswith("sukkal: ")
    assert "Traceback" not in said
    return said


def test_a_second_process_on_the_same_data_is_refused_and_the_first_unharmed(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/data"
    with ServerProcess(store) as first:
        said = fails(store)
        assert f"process {first.pid}" in said
        assert "`store`" in said
        headers = {"Client-ID": str(uuid.uuid4()), "X-Project-Id": "p"}
        response = httpx.post(f"{first.url}/v2/queues/q/messages", headers=headers, json={"messages": [{"body": 1}]})
        assert response.status_code == 201
        assert first.stop() == 0
    with ServerProcess(store) as second:
        shown = httpx.get(f"{second.url}/v2/queues/q/messages?echo=true", headers=headers).json()
        assert [message["body"] for message in shown["messages"]] == [1]
        assert second.stop() == 0


def test_data_of_a_newer_version_are_refused_untouched(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/data"
    with ServerProcess(store) as server:
        server.stop()
    file = tmp_path / "data" / "messages.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = file.read_bytes()
    said = fails(store)
    assert "schema version 99" in said
    assert "newer" in said
    assert file.read_bytes() == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "messages.sqlite3") as database:
        database.execute("PRAGMA application_id = 7")
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    assert "another program" in fails(f"sqlite:///{tmp_path}/data")


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "messages.sqlite3"
    file.write_bytes(b"garbage" * 1_000)
    assert "cannot be opened" in fails(f"sqlite:///{tmp_path}/data")
    assert file.read_bytes() == b"garbage" * 1_000


def test_a_place_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        assert "cannot be opened" in fails(f"sqlite:///{tmp_path}/{place}")


def respect_permissions() -> None:
    """Give up the privilege of root to write where nobody may; who is not root has none to give up."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


def test_a_directory_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    said = fails(f"sqlite:///{tmp_path}/data", prepare=respect_permissions)
    assert "Permission denied" in said
    assert "`store`" in said
    assert list((tmp_path / "data").iterdir()) == []


def test_an_address_in_use_is_refused(tmp_path: Path) -> None:
    with ServerProcess("memory://") as first, pytest.raises(FailedToStart) as failure:
        ServerProcess("memory://", "--listen", f"127.0.0.1:{first.port}")
    assert "Cannot listen on" in failure.value.stderr
    assert "`listen`" in failure.value.stderr
