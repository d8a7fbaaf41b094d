"""``sukkal completion``: the scripts, each in its real shell."""

from pathlib import Path

import pytest
from tests.cli.shells import OFFERS

from sukkal.cli import main


def offered_by(shell: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Return what a shell offers for the last of the words."""
    assert main(["completion", shell]) == 0
    script = tmp_path / f"completion.{shell}"
    script.write_text(capsys.readouterr().out)
    return {each.strip() for each in OFFERS[shell](script, words)}


@pytest.mark.parametrize("shell", OFFERS)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sukkal", "do"], {"doctor"}),
        (["sukkal", "queue", "st"], {"stats"}),
        (["sukkal", "queue", "list", "--out"], {"--output"}),
        (["sukkal", "queue", "list", "--output", ""], {"table", "json", "yaml"}),
        (["sukkal", "completion", ""], {"bash", "zsh", "fish"}),
        (["sukkal", "serve", "--listen"], {"--listen"}),
    ],
)
def test_a_shell_completes(
    shell: str, words: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = offered_by(shell, words, tmp_path, capsys)
    assert offered <= found
    assert all(each.startswith(words[-1]) for each in found)


@pytest.mark.parametrize("shell", OFFERS)
def test_a_shell_completes_files_where_a_file_is_wanted(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orders.ndjson").write_text("")
    assert "orders.ndjson" in offered_by(shell, ["sukkal", "post", "q", "ord"], tmp_path, capsys)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_help_says_where_the_script_of_each_shell_goes(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "--help"])
    goes = [line for line in capsys.readouterr().out.splitlines() if f"sukkal completion {shell}" in line]
    assert len(goes) == 1
    assert goes[0].startswith("in ~/.")
