"""The Redis of the tests is the one that was unpacked, else the system's; without any the tests fail."""

import re
from pathlib import Path

import pytest

from tests.clients import redis


def test_what_was_unpacked_comes_before_what_the_system_has(tmp_path: Path) -> None:
    ours = tmp_path / "usr/bin/redis-server"
    ours.parent.mkdir(parents=True)
    ours.touch()
    libraries = tmp_path / "usr/lib/x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    found = redis.program(tmp_path)
    assert found is not None
    assert found.path == str(ours)
    assert found.environment["LD_LIBRARY_PATH"] == str(libraries)


def test_a_system_without_it_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis.program(tmp_path) is None


def test_a_missing_redis_fails_the_test_and_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(redis, "program", lambda: None)
    with pytest.raises(pytest.fail.Exception, match=re.escape("python -m tests.clients.redis")):
        redis.Redis(tmp_path)
