"""The console's files as they are served, from the source and from an installed wheel."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sukkal.console import console_files
from tests.serving import ROOT, ServerProcess

STATIC = ROOT / "src" / "sukkal" / "console" / "static"


@pytest.fixture
def http(service: ServerProcess) -> Iterator[httpx.Client]:
    """Return a client of the service."""
    with httpx.Client(base_url=service.url, trust_env=False) as client:
        yield client


def test_every_file_is_served_with_its_type_and_a_strict_policy(http: httpx.Client) -> None:
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    paths = [path for path in STATIC.rglob("*") if path.is_file()]
    assert len(paths) > 30
    for path in paths:
        answer = http.get(f"/console/{path.relative_to(STATIC)}")
        assert (answer.status_code, answer.content) == (200, path.read_bytes())
        assert answer.headers["content-type"].startswith(types[path.suffix])
        assert answer.headers["x-content-type-options"] == "nosniff"
        [policy] = answer.headers.get_list("content-security-policy")
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy


def test_the_folder_shows_the_console_and_its_name_leads_there(http: httpx.Client) -> None:
    moved = http.get("/console")
    assert (moved.status_code, moved.headers["location"]) == (308, "console/")
    assert http.get("/console/").content == (STATIC / "index.html").read_bytes()
    assert http.head("/console/").headers["content-length"] == str((STATIC / "index.html").stat().st_size)


def test_a_browser_asks_again_and_is_told_that_nothing_changed(http: httpx.Client) -> None:
    first = http.get("/console/app.js")
    assert first.headers["cache-control"] == "no-cache"
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = http.get("/console/app.js", headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert http.get("/console/app.js", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/console/none.js", "/console/../app.py", "/console/%2e%2e/files.py", "/console/views", "/console/views/"]
)
def test_nothing_else_is_served(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_the_files_are_only_read(http: httpx.Client) -> None:
    assert http.post("/console/").status_code == 405


def test_the_console_can_be_switched_off() -> None:
    with ServerProcess("memory://", "--console", "false") as server:
        for path in ("/console", "/console/", "/console/app.js"):
            assert httpx.get(server.url + path, trust_env=False).status_code == 404


def test_no_file_loads_anything_from_elsewhere_or_writes_markup() -> None:
    for file in console_files():
        text = file.content.decode("utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            " style=",
            "cdn.",
        ):
            assert word not in text, f"{file.path}: {word}"
        assert text.count("\n") <= 400, file.path


def test_an_installed_wheel_serves_the_same_console(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    with ServerProcess("memory://", env={"PYTHONPATH": str(tmp_path / "installed")}) as server:
        for file in console_files():
            answer = httpx.get(f"{server.url}/console/{file.path}", trust_env=False)
            assert (answer.content, answer.headers["etag"]) == (file.content, file.tag)
