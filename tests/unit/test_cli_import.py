"""What ``sukkal import`` understands, and what it says."""

import pytest

from sukkal.cli import main

ZAQAR = ["import", "--from-zaqar", "http://127.0.0.1:9"]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUKKAL_TOKEN", "OS_TOKEN", "ZAQAR_TOKEN", "OS_AUTH_URL", "SUKKAL_PROJECT", "SUKKAL_URL"):
        monkeypatch.delenv(name, raising=False)


def _complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    return capsys.readouterr().err


def test_it_has_to_be_told_where_zaqar_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--from-zaqar" in _complaint(capsys, "import")


@pytest.mark.parametrize("url", ["zaqar.example.org:8888", "ftp://zaqar.example.org", "http://", "http://[x"])
def test_what_is_no_url_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--from-zaqar takes a URL" in _complaint(capsys, "import", "--from-zaqar", url)


def test_it_has_to_know_who_asks(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("import"))
    assert "--project" in _complaint(capsys, *ZAQAR)


@pytest.mark.parametrize("name", ["SUKKAL_TOKEN", "OS_TOKEN", "ZAQAR_TOKEN"])
def test_a_token_cannot_be_of_several_projects(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "secret-token")
    said = _complaint(capsys, *ZAQAR, "--project", "a", "--project", "b")
    assert f"{name} is a token of one project" in said
    assert "secret-token" not in said


def test_what_it_does_not_understand_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "one argument too many" in _complaint(capsys, *ZAQAR, "orders")
    assert "See: sukkal import --help" in _complaint(capsys, *ZAQAR, "--skip", "queues")
