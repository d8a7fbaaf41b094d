"""``sukkal doctor``: every check, once well and once with what it is there to find."""

import datetime as dt
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from tests.answering import Answering, Said
from tests.cli.conftest import Commands
from tests.cli.running import environment
from tests.engines.postgresql_server import PASSWORD, USER, PostgreSQL
from tests.serving import ServerProcess
from tests.unit.scripted_keystone import ScriptedKeystone, refusal

from sukkal.cli import main


@pytest.fixture
def doctor(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "Doctor":
    """Return what asks the doctor about a service that is not running, with data in a folder of the test."""
    monkeypatch.setenv("SUKKAL_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("SUKKAL_STORE", f"sqlite:///{tmp_path / 'data'}")
    return Doctor(Commands("", "", capsys), monkeypatch)


class Doctor:
    """Asks, with some settings, and returns the verdicts by check."""

    def __init__(self, run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run = run
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, fails: bool = False, **settings: object) -> dict[str, Any]:
        for name, value in settings.items():
            self._monkeypatch.setenv(f"SUKKAL_{name.upper()}", str(value))
        ran = self._run.ran("doctor", "--output", "json", *arguments)
        assert ran.code == int(fails), ran
        return {each["check"]: each for each in json.loads(ran.out)}


def test_all_is_well_before_the_first_start(doctor: Doctor, tmp_path: Path) -> None:
    found = doctor()
    assert {check: each["state"] for check, each in found.items()} == {
        "settings": "ok",
        "files": "ok",
        "store": "ok",
        "disk space": "ok",
        "port 0": "ok",
        "TLS": "skipped",
        "Keystone": "skipped",
        "open files": found["open files"]["state"],
        "service": "skipped",
        "clock": "skipped",
    }
    assert not (tmp_path / "data").exists()


def test_all_is_well_while_it_is_served(doctor: Doctor, tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path / 'data'}") as server:
        found = doctor("--url", server.url, listen=f"127.0.0.1:{server.port}")
        assert f"served by process {server.pid}" in found["store"]["seen"]
        assert f"process {server.pid}" in found[f"port {server.port}"]["seen"]
        assert {found[each]["state"] for each in ("store", f"port {server.port}", "service", "clock")} == {"ok"}


def test_the_table_says_what_to_do_below_what_is_wrong(
    clean: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUKKAL_STORE", "memory://")
    monkeypatch.setenv("SUKKAL_LISTEN", "127.0.0.1:0")
    assert main(["doctor", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("warn    store"))
    assert "nothing survives" in lines[at]
    assert lines[at + 1].strip().startswith("Set store = sqlite:")
    assert not any(line.startswith(("ok", "skipped")) for line in lines)


def test_wrong_settings_are_told_before_everything_else(doctor: Doctor) -> None:
    found = doctor(fails=True, max_claim_ttl="long")
    assert list(found) == ["settings"]
    assert "SUKKAL_MAX_CLAIM_TTL" in found["settings"]["seen"]


def test_the_settings_may_be_in_a_file(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "sukkal.toml").write_text("lisen = 1\n")
    assert "lisen" in doctor("--config", str(tmp_path / "sukkal.toml"), fails=True)["settings"]["seen"]


def test_a_file_that_cannot_be_read_is_found(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("[")
    assert "policy.yaml" in doctor(fails=True, policy_file=tmp_path / "policy.yaml")["files"]["seen"]


@pytest.mark.parametrize("place", ["/proc/sukkal/data", "{file}/data", "{file}"])
def test_a_place_that_cannot_be_written_is_found(place: str, doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = f"sqlite:///{place.format(file=tmp_path / 'file')}"
    found = doctor(fails=True, store=store)["store"]
    assert found["state"] == "fail"
    assert "`store`" in found["todo"]


def test_data_of_another_version_or_program_are_found(doctor: Doctor, tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path / 'data'}") as server:
        server.stop()
    assert doctor()["store"]["state"] == "ok"
    database = tmp_path / "data" / "messages.sqlite3"
    for pragma, words in (("user_version = 999", "version 999"), ("application_id = 1", "another program")):
        connection = sqlite3.connect(database)
        connection.execute(f"PRAGMA {pragma}")
        connection.close()
        assert words in doctor(fails=True)["store"]["seen"]
    database.write_text("no database, " * 100)
    assert "cannot be read" in doctor(fails=True)["store"]["seen"]


def test_a_database_is_looked_at_before_and_while_it_is_served(doctor: Doctor, postgresql: PostgreSQL) -> None:
    store = postgresql.new_database()
    found = doctor(store=store)
    assert found["store"]["state"] == "warn"  # The server of the tests does not sync.
    assert "does not sync" in found["store"]["seen"]
    assert PASSWORD not in str(found)
    assert found["disk space"]["state"] == "skipped"
    with ServerProcess(store) as server:
        assert "PostgreSQL 18" in doctor("--url", server.url)["store"]["seen"]


def test_a_database_of_a_newer_version_is_found(doctor: Doctor, postgresql: PostgreSQL) -> None:
    store = postgresql.new_store()
    postgresql.execute("INSERT INTO sukkal.versions VALUES (999, 999)", store.rpartition("/")[2])
    assert "knows 999" in doctor(fails=True, store=store)["store"]["seen"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody:wrong@127.0.0.1:{port}/postgres", "does not let this user in"),
        ("postgresql://{user}:{password}@127.0.0.1:{port}/none", "is no database"),
        ("postgresql://{user}:{password}@127.0.0.1:1/postgres", "does not answer"),
    ],
)
def test_a_database_that_cannot_be_used_is_found(url: str, words: str, doctor: Doctor, postgresql: PostgreSQL) -> None:
    found = doctor(fails=True, store=url.format(port=postgresql.port, user=USER, password=PASSWORD))["store"]
    assert words in found["seen"]
    assert found["todo"]
    assert PASSWORD not in str(found)


def test_a_server_that_syncs_is_well_and_a_standby_is_not(doctor: Doctor) -> None:
    with PostgreSQL(durable=True) as primary:
        assert doctor(store=primary.url("postgres"))["store"]["state"] == "ok"
        with PostgreSQL(standby_of=primary) as standby:
            assert "standby" in doctor(fails=True, store=standby.url("postgres"))["store"]["seen"]


class Disk(NamedTuple):
    free: int


@pytest.mark.parametrize(("free", "state"), [(1, "fail"), (500 * 1_048_576, "warn")])
def test_a_disk_that_is_full_is_found(free: int, state: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(free))
    assert doctor(fails=state == "fail")["disk space"]["state"] == state


def test_a_port_that_another_program_has_is_found_and_so_is_the_program(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = doctor(fails=True, websocket_listen=f"127.0.0.1:{port}")[f"port {port}"]
    assert f"(process {os.getpid()})" in found["seen"]
    assert "websocket_listen" in found["todo"]


def test_an_address_that_this_machine_does_not_have_is_found(doctor: Doctor) -> None:
    found = doctor(fails=True, listen="192.0.2.1:1", allow_remote_without_auth="true")["port 1"]
    assert "192.0.2.1" in found["seen"]


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    return trustme.CA()


def files_of(issued: trustme.LeafCert, folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return certificate, key


@pytest.mark.parametrize(
    ("days", "state", "words"), [(100, "ok", "100 more days"), (5, "warn", "5 more days"), (-1, "fail", "expired")]
)
def test_a_certificate_that_ends_is_found(
    days: int, state: str, words: str, doctor: Doctor, authority: trustme.CA, tmp_path: Path
) -> None:
    now = dt.datetime.now(dt.UTC)
    begin = now - dt.timedelta(days=10)
    issued = authority.issue_cert("localhost", not_before=begin, not_after=now + dt.timedelta(days=days, hours=1))
    certificate, key = files_of(issued, tmp_path, "a")
    found = doctor(fails=state == "fail", tls_cert_file=certificate, tls_key_file=key)["TLS"]
    assert found["state"] == state
    assert words in found["seen"]


def test_a_certificate_without_its_key_is_found(doctor: Doctor, authority: trustme.CA, tmp_path: Path) -> None:
    certificate, _ = files_of(authority.issue_cert("a"), tmp_path, "a")
    _, other = files_of(authority.issue_cert("b"), tmp_path, "b")
    for key in (other, tmp_path / "nowhere"):
        found = doctor(fails=True, tls_cert_file=certificate, tls_key_file=key)["TLS"]
        assert "cannot be used" in found["seen"]


@pytest.fixture
def keystone() -> Iterator[ScriptedKeystone]:
    with ScriptedKeystone() as keystone:
        yield keystone


def test_keystone_is_asked_whether_it_knows_the_service(doctor: Doctor, keystone: ScriptedKeystone) -> None:
    known: dict[str, Any] = {"auth": "keystone", "keystone_username": "sukkal", "keystone_password": "secret-of-sukkal"}
    assert doctor(keystone_auth_url=keystone.root, **known)["Keystone"]["state"] == "ok"
    keystone.login_script = lambda asked: refusal(401)
    found = doctor(fails=True)["Keystone"]
    assert "keystone_password" in found["todo"]
    assert "secret-of-sukkal" not in str(found)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        found = doctor(fails=True, keystone_auth_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")["Keystone"]
    assert "keystone_auth_url" in found["todo"]


def test_a_system_that_allows_few_open_files_is_found(tmp_path: Path) -> None:
    env = environment("", "") | {"SUKKAL_LISTEN": "127.0.0.1:0", "SUKKAL_STORE": f"sqlite:///{tmp_path}"}
    del env["SUKKAL_URL"], env["SUKKAL_PROJECT"]
    for allowed, code, state in ((300, 1, "fail"), (2_000, 0, "warn")):
        ask = f'ulimit -n {allowed} && exec "$0" -m sukkal.cli doctor'
        done = subprocess.run(["bash", "-c", ask, sys.executable], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert f"{state:<8}open files  {allowed:,} allowed" in done.stdout
        assert "LimitNOFILE=10200" in done.stdout


def test_a_service_that_should_run_and_does_not_is_found(doctor: Doctor) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        found = doctor("--url", f"http://127.0.0.1:{nobody.getsockname()[1]}", fails=True)["service"]
    assert "sukkal serve" in found["todo"]


@pytest.mark.parametrize(
    ("said", "words"),
    [(Said(503, b'{"status":"stalled","stalled_seconds":9}'), "disk"), (Said(404, b"nothing here"), "not Sukkal")],
)
def test_a_service_that_is_not_well_is_found(said: Said, words: str, doctor: Doctor) -> None:
    with Answering(lambda asked: said) as service:
        assert words in doctor("--url", service.url, fails=True)["service"]["todo"]


@pytest.mark.parametrize(("off", "state"), [(0, "ok"), (10, "warn"), (-3_600, "fail")])
def test_a_clock_that_is_wrong_is_found(off: int, state: str, doctor: Doctor) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            now_s = dt.datetime.now(dt.UTC).timestamp()
            return super().date_time_string(now_s + off)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        found = doctor("--url", f"http://127.0.0.1:{service.server_port}", fails=state == "fail")["clock"]
        service.shutdown()
        thread.join()
    assert found["state"] == state
