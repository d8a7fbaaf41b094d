"""Environments of foreign programs are made once, and anew when the table changes."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.clients import environments
from tests.clients.foreign import script_runner


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Any]]:
    """Replace running programs; collects their command lines."""
    commands: list[Sequence[Any]] = []

    def run(command: Sequence[Any], *, check: bool) -> None:
        assert check
        commands.append(command)
        folder = Path(command[-1])
        if "venv" in command:
            folder.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"example": ("a==1", "b==2")})
    return commands


def test_an_environment_is_made_without_ensurepip_and_filled_from_outside(
    ran: list[Sequence[Any]], tmp_path: Path
) -> None:
    assert environments.missing("example", tmp_path)
    environments.make("example", tmp_path)
    made, filled = ran
    assert "--without-pip" in made
    assert filled[filled.index("--python") + 1] == str(tmp_path / "example" / "bin" / "python")
    assert list(filled[-2:]) == ["a==1", "b==2"]
    assert not environments.missing("example", tmp_path)


def test_a_changed_table_makes_it_anew(
    ran: list[Sequence[Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environments.make("example", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"example": ("a==2",)})
    assert environments.missing("example", tmp_path)


def test_an_environment_that_was_not_finished_is_missing(
    ran: list[Sequence[Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environments.make("example", tmp_path)

    def fail(command: Sequence[Any], *, check: bool) -> None:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(subprocess.CalledProcessError):
        environments.make("example", tmp_path)
    assert environments.missing("example", tmp_path)


def test_a_missing_environment_fails_the_test_and_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "missing", lambda name: True)
    with pytest.raises(pytest.fail.Exception, match=re.escape(environments.COMMAND)):
        script_runner("zaqarclient", "")
