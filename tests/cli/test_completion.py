"""``sukkal completion``: the scripts, and the one for bash in a real bash."""

import subprocess
from pathlib import Path

import pytest

from sukkal.cli import main


def completed(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> set[str]:
    """Return what bash offers for the last of the words."""
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    ask = (
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; '
        '_shtab_sukkal sukkal "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-c", ask, str(script), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stderr == ""
    return {line.strip() for line in done.stdout.splitlines()}


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
def test_bash_completes(
    words: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offered <= completed(tmp_path, capsys, words)


def test_bash_completes_files_where_a_file_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "orders.ndjson").write_text("")
    assert "orders.ndjson" in completed(tmp_path, capsys, ["sukkal", "post", "q", "ord"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_help_says_where_the_script_of_each_shell_goes(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "--help"])
    goes = [line for line in capsys.readouterr().out.splitlines() if f"sukkal completion {shell}" in line]
    assert len(goes) == 1
    assert goes[0].startswith("in ~/.")


@pytest.mark.parametrize(("shell", "begins"), [("zsh", "#compdef sukkal"), ("fish", "#")])
def test_the_other_shells_have_a_script_too(shell: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert script.startswith(begins)
    for command in ("queue", "tail", "doctor"):
        assert command in script
