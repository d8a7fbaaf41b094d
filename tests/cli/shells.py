"""The shells that complete our commands, as Debian's packages have them: ``python -m tests.cli.shells`` gets them."""

import os
import pty
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from tests.clients import debian
from tests.clients.environments import FOLDER

__all__ = ["OFFERS", "Shell", "found", "main"]

_COMMAND: Final = ".venv/bin/python -m tests.cli.shells"
_PACKAGES: Final[Mapping[str, Sequence[str]]] = {
    "zsh": ("zsh", "zsh-common", "libcap2"),
    "fish": ("fish", "fish-common", "libpcre2-32-0"),
}
_TIME_S_MAX: Final = 60

_BASH: Final = """\
source "$0"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_shtab_sukkal sukkal "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf "%s\\n" "${COMPREPLY[@]}"
"""

# What stands in .zshrc when the help is followed, and then a first line that completes itself and ends the shell. zsh
# tells what it offers only while it offers it, so all that is added to its list is written down.
_ZSH: Final = """\
if [[ -n $UNPACKED ]]; then
    module_path=($UNPACKED/usr/lib/*-linux-gnu/zsh/*(/))
    fpath=($UNPACKED/usr/share/zsh/functions/**/*(/))
fi
autoload -Uz compinit && compinit -u -D
eval "$(<$SCRIPT)"
compadd() {
    local -a offered
    if (( ${argv[(I)-[OAD]*]} == 0 )); then
        builtin compadd -O offered "$@"
        print -rl -- $offered >> offered.txt
    fi
    builtin compadd "$@"
}
zle -C offer list-choices _main_complete
zle-line-init() { BUFFER=$LINE CURSOR=$#LINE; zle offer; exit 0 }
zle -N zle-line-init
"""


class Shell(NamedTuple):
    """The program, where it was unpacked unless it is the system's, and the variables that it needs."""

    path: str
    root: Path | None
    environment: Mapping[str, str]


def found(name: str, folder: Path = FOLDER) -> Shell | None:
    """Return the shell that was unpacked, else that of the system, if there is one."""
    root = folder / name
    for unpacked in (root / "usr/bin" / name, root / "bin" / name):
        if unpacked.exists():
            return Shell(str(unpacked), root, {**os.environ, **debian.libraries(root)})
    system = shutil.which(name)
    return Shell(system, None, os.environ) if system else None


def _shell(name: str) -> Shell:
    shell = found(name)
    if shell is None:
        pytest.fail(f"{name} is missing. Get it with: {_COMMAND}")
    return shell


def _by_bash(script: Path, words: Sequence[str]) -> list[str]:
    command = ["bash", "--norc", "-c", _BASH, str(script), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=script.parent, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def _by_zsh(script: Path, words: Sequence[str]) -> list[str]:
    shell, folder = _shell("zsh"), script.parent
    (folder / ".zshrc").write_text(_ZSH)
    (folder / "offered.txt").write_text("")
    given = {
        "ZDOTDIR": str(folder),
        "SCRIPT": str(script),
        "LINE": " ".join(words),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
    }
    ours, its = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [shell.path, "-d", "-i"],
            cwd=folder,
            env={**shell.environment, **given, "UNPACKED": str(shell.root or "")},
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        shown = _all_of(screen.read)
        assert process.wait(_TIME_S_MAX) == 0, shown
    return (folder / "offered.txt").read_text().splitlines()


def _by_fish(script: Path, words: Sequence[str]) -> list[str]:
    shell = _shell("fish")
    command = [shell.path, "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', str(script), " ".join(words)]
    env = {**shell.environment, "HOME": str(script.parent), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=script.parent, check=True, env=env)
    assert done.stderr == ""
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def _all_of(read: Callable[[int], bytes | None]) -> str:
    """Return what a terminal is shown until nobody has it open any more, which Linux tells as an error."""
    shown = b""
    try:
        while more := read(65_536):
            shown += more
    except OSError:
        pass
    return shown.decode(errors="replace")


OFFERS: Final[Mapping[str, Callable[[Path, Sequence[str]], list[str]]]] = {
    "bash": _by_bash,
    "zsh": _by_zsh,
    "fish": _by_fish,
}
"""For each shell: what it offers for the last of the words when it has read a script for completion."""


def main() -> None:
    """Get the shells that are missing."""
    for name, packages in _PACKAGES.items():
        if found(name) is None:
            debian.update(name)
            debian.unpack(packages, FOLDER / name)


if __name__ == "__main__":
    main()
