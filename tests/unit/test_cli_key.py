"""``sukkal key``: a key is printed once and alone, listed without its secret, and gone when revoked."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.cli import key as command
from sukkal.cli import main
from sukkal.cli.moments import moment, shown
from sukkal.errors import SettingsError
from sukkal.identity.keys import KeyFile, Keys, split_key
from sukkal.testing import FakeClock

KEY: Final = re.compile(r"sukkal_[0-9a-z]{8}_[0-9a-z]{52}\n")
A_KEY: Final = f"sukkal_{'a' * 8}_{'b' * 52}"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(command, "Clock", lambda: clock)
    return clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def run(clock: FakeClock, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``sukkal key`` on a file of its own; returns the exit code, standard output and standard error."""
    monkeypatch.setenv("SUKKAL_KEYS_FILE", str(file))

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["key", *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def listed(run: Run) -> list[dict[str, Any]]:
    code, out, _ = run("list", "--output", "json")
    assert code == 0
    found: list[dict[str, Any]] = json.loads(out)
    return found


# -- create -------------------------------------------------------------------------------------------------------


def test_a_key_is_printed_alone_and_opens(run: Run, file: Path, clock: FakeClock) -> None:
    argv = ["--project", "demo", "--name", "ci", "--role", "member", "--role", "admin", "--expires", "30d"]
    code, out, err = run("create", *argv)
    assert code == 0
    assert KEY.fullmatch(out)
    keys = Keys(KeyFile(file).read, clock, path=str(file))
    identity = asyncio.run(keys.identify(out.strip()))
    assert (identity.project, identity.user_name, sorted(identity.roles)) == ("demo", "ci", ["admin", "member"])
    assert identity.expires_ms == clock() + 30 * 86_400_000
    parts = split_key(out.strip())
    assert parts is not None
    assert parts.secret not in err + file.read_text()
    assert f"This is the key {identity.user} of project demo (ci) with the roles member, admin." in err
    assert f"It expires: 2023-12-14T22:13:20Z. Revoke it with: sukkal key revoke {identity.user}" in err


def test_a_key_needs_only_a_project(run: Run) -> None:
    assert run("create", "--project", "demo")[0] == 0
    (entry,) = listed(run)
    assert (entry["name"], entry["roles"], entry["expires"], entry["expired"]) == ("", [], None, False)


def test_the_flag_beats_the_variable(run: Run, tmp_path: Path, file: Path) -> None:
    assert run("create", "--project", "demo", "--keys-file", str(tmp_path / "other.json"))[0] == 0
    assert (tmp_path / "other.json").exists()
    assert not file.exists()


def test_a_key_that_cannot_be_printed_is_named_so_that_it_can_be_revoked(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as full:
        full.setattr(sys.stdout, "flush", fail)
        assert main(["key", "create", "--project", "demo"]) == 1
    err = capsys.readouterr().err
    (entry,) = listed(run)
    assert err == f"sukkal: The key {entry['id']} was made, but not printed: No space left on device. Revoke it.\n"


# -- list ---------------------------------------------------------------------------------------------------------


def test_the_table_shows_all_but_secrets_and_what_has_expired(run: Run, clock: FakeClock) -> None:
    run("create", "--project", "demo", "--role", "a", "--role", "b")
    run("create", "--project", "other", "--name", "ci", "--expires", "12h")
    clock.advance(12 * 3_600_000)
    code, out, err = run("list")
    first, second = (entry["id"] for entry in listed(run))
    assert (code, err) == (0, "")
    assert out == (
        "ID        PROJECT  NAME  ROLES  CREATED               EXPIRES\n"
        f"{first}  demo           a,b    2023-11-14T22:13:20Z  never\n"
        f"{second}  other    ci           2023-11-14T22:13:20Z  2023-11-15T10:13:20Z (expired)\n"
    )


def test_the_json_has_all_but_secrets(run: Run, file: Path, clock: FakeClock) -> None:
    run("create", "--project", "demo", "--name", "é", "--role", "a", "--expires", "1m")
    clock.advance(59_999)
    (kept,) = json.loads(file.read_text())
    del kept["secret_hash"]
    assert listed(run) == [kept | {"expired": False}]
    clock.advance(1)
    assert listed(run) == [kept | {"expired": True}]


def test_an_empty_list_is_an_empty_table(run: Run, file: Path) -> None:
    file.write_text("[]")
    assert run("list") == (0, "ID  PROJECT  NAME  ROLES  CREATED  EXPIRES\n", "")
    assert listed(run) == []


# -- revoke -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [False, True], ids=["by its id", "by the whole key"])
def test_a_revoked_key_is_gone_and_the_others_stay(run: Run, whole: bool) -> None:
    texts = [run("create", "--project", f"p{number}")[1].strip() for number in range(3)]
    gone = listed(run)[1]["id"]
    code, out, err = run("revoke", texts[1] if whole else gone)
    assert (code, out, err) == (0, "", f"Revoked the key {gone} of project p1.\n")
    assert [entry["project"] for entry in listed(run)] == ["p0", "p2"]


def test_a_key_that_is_not_there_cannot_be_revoked(run: Run, file: Path) -> None:
    file.write_text("[]")
    code, out, err = run("revoke", A_KEY)
    assert (code, out) == (1, "")
    assert err == f"sukkal: The key file {file} has no key aaaaaaaa. See: sukkal key list\n"


# -- what goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "the following arguments are required: ACTION. See: sukkal key --help"),
        (["make"], "argument ACTION: invalid choice: 'make'"),
        (["create"], "the following arguments are required: --project. See: sukkal key create --help"),
        (["create", "--project", ""], "The new key is wrong: Expected `str` of length >= 1 - at `$.project`."),
        (["create", "--project", "p", "--expire", "1d"], "--expire is not one of its options. See: sukkal key create"),
        (["create", "--project", "p", "--expires", "soon"], "--expires is 'soon', which is no time. It takes 30d, 12h"),
        (["create", "--project", "p", "--name", "a\x1bb"], "The new key is wrong: `name`, `project` and `roles` take"),
        (["list", "all"], "There is one argument too many. See: sukkal key list --help"),
        (["list", "--output", "xml"], "argument --output: invalid choice: 'xml'"),
        (["revoke"], "the following arguments are required: ID"),
        (["revoke", "ci"], "ID is not the id of a key"),
    ],
)
def test_what_is_not_understood_is_one_line_and_code_2(run: Run, file: Path, argv: list[str], said: str) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith(f"sukkal: {said}")
    assert err.count("\n") == 1
    assert not file.exists()


@pytest.mark.parametrize(
    "argv",
    [
        [A_KEY],
        ["list", A_KEY],
        ["revoke", A_KEY, A_KEY],
        ["revoke", A_KEY[:-1]],
        ["list", "--output", A_KEY],
        ["list", f"--{A_KEY}"],
        ["create", "--project", "p", "--expires", A_KEY],
        ["list", "--keys-file", A_KEY],
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(run: Run, argv: list[str]) -> None:
    code, out, err = run(*argv)
    assert code in (1, 2)
    assert "b" * 16 not in out + err
    assert err.count("\n") == 1


def test_without_a_file_it_says_how_to_name_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUKKAL_KEYS_FILE")
    code, out, err = run("list")
    assert (code, out) == (2, "")
    assert err == "sukkal: Which file has the keys? Name it with --keys-file FILE or SUKKAL_KEYS_FILE=FILE.\n"


@pytest.mark.parametrize("argv", [["list"], ["revoke", "aaaaaaaa"]])
def test_a_file_that_is_not_there_is_code_1(run: Run, file: Path, argv: list[str]) -> None:
    code, _, err = run(*argv)
    assert code == 1
    assert err.startswith(f"sukkal: The key file {file} cannot be read or written: [Errno 2]")
    assert not file.exists()


@pytest.mark.parametrize("argv", [["list"], ["revoke", "aaaaaaaa"], ["create", "--project", "p"]])
def test_a_file_that_is_wrong_is_code_2_and_stays_as_it_is(run: Run, file: Path, argv: list[str]) -> None:
    file.write_text("{}")
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith(f"sukkal: The key file {file} is not a JSON list of keys")
    assert file.read_text() == "{}"


@pytest.mark.parametrize("action", ["create", "list", "revoke"])
def test_help_tells_of_the_file(run: Run, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["key", action, "--help"])
    assert left.value.code == 0
    assert "The environment variable SUKKAL_KEYS_FILE names one too." in " ".join(capsys.readouterr().out.split())


# -- times --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("never", "never"),
        ("90m", "2023-11-14T23:43:20Z"),
        ("12h", "2023-11-15T10:13:20Z"),
        ("30d", "2023-12-14T22:13:20Z"),
        ("2w", "2023-11-28T22:13:20Z"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2027-01-01T00:00:00+02:00", "2026-12-31T22:00:00Z"),
    ],
)
def test_a_time_is_a_span_from_now_or_a_point_or_never(text: str, meant: str) -> None:
    assert shown(moment(text, FakeClock()())) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no time"),
        ("30", "no time"),
        ("30 d", "no time"),
        ("-1d", "no time"),
        ("1y", "no time"),
        ("999999d", "no time"),
        ("2027-01-01T00:00:00", "says no time zone"),
        ("2027-01-01", "says no time zone"),
        ("0d", "is over already"),
        ("2023-11-14T22:13:20Z", "is over already"),
        ("0001-01-01T00:00:00+23:00", "no time"),
    ],
)
def test_any_other_time_is_refused(text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=f"{why}. It takes 30d, 12h, 2w or 90m, a time with its zone"):
        moment(text, FakeClock()())


def test_what_is_shown_can_be_given_again() -> None:
    at = moment("5d", FakeClock()())
    assert isinstance(at, datetime)
    assert moment(shown(at), FakeClock()()) == at


def test_the_command_runs_by_the_real_clock(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "create", "--project", "p", "--expires", "1d", "--keys-file", os.fspath(file)]) == 0
    assert main(["key", "list", "--keys-file", os.fspath(file)]) == 0
    assert "(expired)" not in capsys.readouterr().out
