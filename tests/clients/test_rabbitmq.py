"""The broker of the tests is the one that was unpacked, else the system's; without any the tests fail."""

import re
from pathlib import Path

import pytest

from tests.clients import rabbitmq


def put(root: Path, version: str) -> Path:
    """Put the files by which a broker is known into a folder."""
    script = root / f"usr/lib/rabbitmq/lib/rabbitmq_server-{version}/sbin/rabbitmq-server"
    erlang = root / "usr/lib/erlang/bin/erl"
    for file in (script, erlang):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return script


def test_what_was_unpacked_comes_before_what_the_system_has(tmp_path: Path) -> None:
    roots = (tmp_path / "ours", tmp_path / "system")
    assert rabbitmq.program(roots) is None
    system = put(roots[1], "3.9.0")
    found = rabbitmq.program(roots)
    assert found is not None
    assert found.script == system
    ours = put(roots[0], "3.10.8")
    found = rabbitmq.program(roots)
    assert found is not None
    assert found.script == ours
    assert found.path.startswith(f"{roots[0]}/usr/bin:")


def test_a_broker_without_its_language_is_none(tmp_path: Path) -> None:
    put(tmp_path, "3.10.8")
    (tmp_path / "usr/lib/erlang/bin/erl").unlink()
    assert rabbitmq.program((tmp_path,)) is None


def test_a_missing_broker_fails_the_test_and_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq, "program", lambda: None)
    with pytest.raises(pytest.fail.Exception, match=re.escape("python -m tests.clients.rabbitmq")):
        rabbitmq.RabbitMQ(tmp_path)
