"""The key file is replaced in one step, by one process at a time, and is as open as it was."""

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.identity.keys import Key, KeyFile, Keys
from sukkal.testing import FakeClock
from tests.unit.making_keys import make


def add(file: KeyFile, key: Key) -> None:
    file.change(lambda keys: keys.update({key.id: key}), create=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    before = os.umask(0)
    try:
        add(KeyFile(path), make()[0])
        assert mode(path) == 0o600
    finally:
        os.umask(before)
    add(KeyFile(path), make(2)[0])
    assert mode(path) == 0o600


@pytest.mark.parametrize(("old", "new"), [(0o640, 0o640), (0o666, 0o640), (0o644, 0o640)])
def test_a_replaced_file_keeps_its_group_and_shuts_out_the_others(tmp_path: Path, old: int, new: int) -> None:
    path = tmp_path / "keys.json"
    add(KeyFile(path), make(1)[0])
    path.chmod(old)
    add(KeyFile(path), make(2)[0])
    assert mode(path) == new


def test_a_replaced_file_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.json"
    add(KeyFile(path), make(1)[0])
    given: list[tuple[int, int]] = []
    real = os.stat

    def by_another(path: Any, **options: Any) -> os.stat_result:
        found = list(real(path, **options))
        found[4], found[5] = 4_711, 4_712
        return os.stat_result(found)

    monkeypatch.setattr(os, "stat", by_another)
    monkeypatch.setattr(os, "fchown", lambda handle, owner, group: given.append((owner, group)))
    file = KeyFile(path)
    monkeypatch.setattr(file, "_look", lambda: None)
    add(file, make(2)[0])
    assert given == [(4_711, 4_712)]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "keys.json"
    link.symlink_to("real/keys.json")
    key, _ = make()
    add(KeyFile(link), key)
    assert link.is_symlink()
    assert KeyFile(tmp_path / "real" / "keys.json").keys() == {key.id: key}


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    add(KeyFile(tmp_path / "keys.json"), make()[0])
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = make(1)
    file = KeyFile(tmp_path / "keys.json")
    add(file, key)

    def fail(handle: int) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            add(file, make(2)[0])
    assert file.keys() == {key.id: key}
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    add(file, make(2)[0])


def test_a_wrong_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("what an operator wrote\n")
    with pytest.raises(SettingsError):
        add(KeyFile(path), make()[0])
    assert path.read_text() == "what an operator wrote\n"


def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    add(file, make()[0])
    file.read()
    add(file, make()[0])
    assert not file.changed()


def test_a_file_is_changed_when_it_was_replaced_since_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    writer, reader = KeyFile(path), KeyFile(path)
    assert not reader.changed()
    add(writer, make(1)[0])
    assert reader.changed()
    reader.read()
    assert not reader.changed()
    add(writer, make(2)[0])
    assert reader.changed()
    reader.read()
    path.unlink()
    assert reader.changed()
    with pytest.raises(FileNotFoundError):
        reader.read()
    assert not reader.changed(), "a file that is gone is reported once"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = KeyFile(tmp_path / "keys.json")
    add(file, make()[0])
    monkeypatch.setattr(limits, "KEY_FILE_BYTES_MAX", 10)
    with pytest.raises(SettingsError, match="more than 10 bytes"):
        Keys(file.read, FakeClock(), path=file.path)


def test_while_one_changes_the_file_nobody_else_can(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    folder = os.open(tmp_path, os.O_RDONLY)

    def change(keys: dict[str, Key]) -> None:
        with pytest.raises(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise ZeroDivisionError

    try:
        with pytest.raises(ZeroDivisionError):
            file.change(change, create=True)
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(folder)


ADDING: Final = """
import sys
from sukkal.identity.keys import KeyFile, create_key
for number in range(5):
    def add(keys):
        key, _ = create_key(project=sys.argv[2], name="", roles=[], expires=None, now_ms=0, taken=keys)
        keys[key.id] = key
    KeyFile(sys.argv[1]).change(add, create=True)
"""


def test_processes_that_change_the_file_at_once_lose_no_entry(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    command = [sys.executable, "-c", ADDING, str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen([*command, f"p{number}"], env=environment) for number in range(4)]
    assert [process.wait(timeout=60) for process in running] == [0] * 4
    projects = [key.project for key in KeyFile(path).keys().values()]
    assert sorted(projects) == sorted(f"p{number}" for number in range(4) for _ in range(5))
