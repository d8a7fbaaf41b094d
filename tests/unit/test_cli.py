"""The command line: what is printed, what is refused, and the exit codes."""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import sukkal
from sukkal import app
from sukkal.cli import main, welcome
from sukkal.errors import DataInUse
from sukkal.settings import FIELDS, Field, Settings, load


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SUKKAL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Replace the service; collects the settings that it was started with."""
    calls: list[Settings] = []

    def serve(settings: Settings, *, ready: Callable[[str], None]) -> int:
        calls.append(settings)
        ready("http://127.0.0.1:4711")
        return 0

    monkeypatch.setattr(app, "serve", serve)
    return calls


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"sukkal {sukkal.__version__}\n"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_help_of_serve_describes_every_setting(field: Field, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["serve", "--help"])
    assert left.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--" + field.name.replace("_", "-") in text
    assert field.description in text
    assert f"Takes {field.wants}. Default: {str(field.default).lower()}" in text


def test_serve_hands_the_settings_to_the_service(served: list[Settings]) -> None:
    assert main(["serve", "--listen", "127.0.0.1:0", "--store=memory://", "--enable-checksum"]) == 0
    assert served == [Settings(listen="127.0.0.1:0", store="memory://", enable_checksum=True)]


def test_serve_reads_variables_and_a_file(
    served: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "sukkal.toml"
    file.write_text('store = "memory://"\nbacklog = 5\n')
    monkeypatch.setenv("SUKKAL_BACKLOG", "6")
    assert main(["serve", "--config", str(file)]) == 0
    assert served == [Settings(store="memory://", backlog=6)]


def test_serve_greets_when_the_service_is_ready(served: list[Settings], capsys: pytest.CaptureFixture[str]) -> None:
    main(["serve", "--store", "memory://"])
    assert capsys.readouterr().out == welcome.text("http://127.0.0.1:4711", served[0]) + "\n"


def test_the_exit_code_of_the_service_is_that_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "serve", lambda settings, *, ready: 3)
    assert main(["serve"]) == 3


def test_a_service_that_cannot_start_is_one_line_and_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def serve(settings: Settings, *, ready: Callable[[str], None]) -> int:
        raise DataInUse("Another process has ./data open.")

    monkeypatch.setattr(app, "serve", serve)
    assert main(["serve"]) == 1
    assert capsys.readouterr() == ("", "sukkal: Another process has ./data open.\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["serve", "--lisen", "127.0.0.1:1"], "--lisen (flag) is not a setting; the nearest is --listen."),
        (["serve", "--lisen=127.0.0.1:1"], "--lisen (flag) is not a setting; the nearest is --listen."),
        (["serve", "--max_claim_ttl", "60"], "--max_claim_ttl (flag) is not a setting; the nearest is --max-claim-ttl"),
        (["serve", "--backlog", "0"], "--backlog (flag) is '0'; it takes a whole number of connections"),
        (["serve", "--back", "1"], "--back (flag) is not a setting; the nearest is --backlog."),
        (["serve", "--listen"], "argument --listen: expected one argument. See: sukkal serve --help"),
        (["serve", "now"], "'now' is one argument too many. See: sukkal --help"),
        (["server"], "argument COMMAND: invalid choice: 'server'"),
        ([], "the following arguments are required: COMMAND. See: sukkal --help"),
        (["serve", "--config", "/nowhere.toml"], "The configuration file /nowhere.toml cannot be read:"),
    ],
)
def test_what_is_not_understood_is_one_line_and_code_2(
    argv: list[str], message: str, served: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"sukkal: {message}")
    assert err.count("\n") == 1
    assert served == []


def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SUKKAL_LISEN", "127.0.0.1:1")
    assert main(["settings"]) == 2
    assert "SUKKAL_LISEN (environment) is not a setting; the nearest is SUKKAL_LISTEN." in capsys.readouterr().err


def test_settings_prints_a_file_that_gives_the_same_settings(capsys: pytest.CaptureFixture[str]) -> None:
    flags = {"store": 'sqlite:///odd"name\\', "backlog": "9", "metrics": "false"}
    assert main(["settings", *(f"--{name}={value}" for name, value in flags.items())]) == 0
    printed = capsys.readouterr().out
    assert tomllib.loads(printed).keys() == {field.name for field in FIELDS}
    assert load({"config": "f"}, {}, lambda path: printed) == load(flags, {}, lambda path: "")


def test_settings_prints_where_each_came_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUKKAL_LOG_LEVEL", "debug")
    main(["settings", "--backlog", "9"])
    origins = dict(line.split("  # ") for line in capsys.readouterr().out.splitlines())
    origins = {assignment.rstrip(): origin for assignment, origin in origins.items()}
    assert origins['log_level = "debug"'] == "environment"
    assert origins["backlog = 9"] == "flag"
    assert origins['listen = "127.0.0.1:8888"'] == "default"


def test_the_reference_has_a_row_for_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--reference"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [field.name for field in FIELDS]
    assert all(row.count("|") == 5 for row in rows)


def test_the_welcome_says_where_the_service_and_its_data_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = welcome.text("http://127.0.0.1:8888", Settings()).splitlines()
    assert lines[:2] == ["Sukkal listens on http://127.0.0.1:8888", f"Data is in {tmp_path}/sukkal-data"]
    assert lines[2].startswith("Whoever can connect may read and write every project")


def test_the_welcome_of_a_guarded_service_asks_for_tokens() -> None:
    text = welcome.text("http://127.0.0.1:8888", Settings(auth="keystone,keys"))
    assert "Callers need a token (keystone, keys)" in text
    assert "Whoever" not in text
    assert "curl" not in text


def test_the_welcome_says_how_to_sign_in_to_the_console_where_no_token_is_asked_for() -> None:
    console = "Look at it in a browser: http://127.0.0.1:8888/console"
    assert f"{console} (no token; project: demo)" in welcome.text("http://127.0.0.1:8888", Settings()).splitlines()
    assert console in welcome.text("http://127.0.0.1:8888", Settings(auth="keys")).splitlines()


def test_the_welcome_says_that_memory_forgets() -> None:
    assert "gone when the process ends" in welcome.text("http://127.0.0.1:8888", Settings(store="memory://"))


def test_the_welcome_shows_three_commands_each_on_a_line() -> None:
    lines = welcome.text("http://127.0.0.1:1", Settings()).splitlines()
    assert [line for line in lines if "curl" in line] == list(welcome.commands("http://127.0.0.1:1"))
