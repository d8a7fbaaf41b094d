"""Code blocks of documentation pages: finding those marked ``run``, and running them.

A block that begins with ```` ```bash run ```` or ```` ```python run ```` is run. The bash blocks of a page are one
session; so are its Python blocks. ```` ```python run-with NAME ```` runs in the environment of that foreign program. A
block ```` ```text output ```` after one gives lines that must stand in what it printed, in that order, ``...`` for
anything.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.clients import environments

__all__ = ["ADDRESS", "Block", "blocks", "missing_lines", "run_page", "unrun"]

ADDRESS: Final = "http://127.0.0.1:8888"
"""Where a reader's service listens; replaced by the address of the one that the test has started."""

_SECONDS_MAX: Final = 60
_BLOCK: Final = re.compile(r"^```(\S*) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK: Final = "---- end of block ----"
_SHELLS: Final[Mapping[str, tuple[str, ...]]] = {
    "bash run": ("bash", "-eu", "-o", "pipefail"),
    "python run": (sys.executable,),
    **{f"python run-with {name}": (str(environments.python_of(name)),) for name in environments.ENVIRONMENTS},
}
_SAY_MARK: Final = {"bash": f"echo; echo '{_MARK}'", "python": f"print('\\n{_MARK}', flush=True)"}


class Block(NamedTuple):
    """A block that is to be run, and the lines that it must print. ``shell`` is its language and mark."""

    shell: str
    line: int
    text: str
    output: tuple[str, ...] = ()


def blocks(page: str) -> Iterator[Block]:
    """Yield the runnable blocks of a Markdown page. Raises ``ValueError`` for marks that would have no effect."""
    last: Block | None = None
    for match in _BLOCK.finditer(page):
        language, mark, text = match.groups()
        line = page.count("\n", 0, match.start()) + 1
        if mark == "output" and last:
            yield last._replace(output=tuple(text.splitlines()))
            last = None
            continue
        if mark and f"{language} {mark}" not in _SHELLS:
            raise ValueError(f"line {line}: {match[0].splitlines()[0]} is not something that can be run or compared")
        if last:
            yield last
        last = Block(f"{language} {mark}", line, text) if mark else None
    if last:
        yield last


def unrun(page: str) -> Iterator[tuple[str, str]]:
    """Yield the language and the text of each block that is neither run nor compared."""
    for match in _BLOCK.finditer(page):
        language, mark, text = match.groups()
        if not mark:
            yield language, text


def run_page(page: str, directory: Path, url: str) -> list[str]:
    """Run the blocks of a page against the service at ``url``, and return what went wrong."""
    found = list(blocks(page))
    faults = []
    for shell in _SHELLS:
        session = [block for block in found if block.shell == shell]
        if session:
            faults += _run_session(shell, session, directory, url)
    return faults


def _run_session(shell: str, session: list[Block], directory: Path, url: str) -> list[str]:
    say_mark = _SAY_MARK[shell.partition(" ")[0]]
    script = "".join(f"{block.text}\n{say_mark}\n" for block in session).replace(ADDRESS, url)
    done = subprocess.run(
        [*_SHELLS[shell], "-c", script],
        cwd=directory,
        env=_environment(directory, foreign=" run-with " in shell),
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    printed = done.stdout.split(f"\n{_MARK}\n")
    faults = [
        f"line {block.line}: {line!r} is not in what it printed:\n{text}"
        for block, text in zip(session, printed, strict=False)
        for line in missing_lines(block.output, text)
    ]
    if done.returncode or len(printed) != len(session) + 1:
        last = session[min(len(printed), len(session)) - 1]
        faults.append(f"line {last.line}: failed with {done.returncode}:\n{printed[-1]}\n{done.stderr}")
    return faults


def missing_lines(wanted: tuple[str, ...], printed: str) -> list[str]:
    """Return the lines that are wanted and not printed in this order; ``...`` stands for anything."""
    lines = iter(printed.splitlines())
    return [want for want in wanted if not any(_matches(want, line) for line in lines)]


def _matches(want: str, line: str) -> bool:
    # Spaces around `...` are for the reader.
    pattern = ".*".join(re.escape(part.strip()) for part in want.split("..."))
    return re.fullmatch(pattern, line.strip()) is not None


def _environment(directory: Path, *, foreign: bool) -> dict[str, str]:
    """Return an environment without settings; in it ``sukkal`` is the command of this checkout and ``python`` runs it.

    A ``foreign`` program finds nothing of this checkout's.
    """
    binaries = directory / "bin"
    binaries.mkdir(exist_ok=True)
    for name, arguments in (("sukkal", " -m sukkal.cli"), ("python", "")):
        command = binaries / name
        command.write_text(f'#!/bin/sh\nexec {sys.executable}{arguments} "$@"\n')
        command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUKKAL_")}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    found = {"PATH": f"{binaries}{os.pathsep}{kept['PATH']}", "PYTHONPATH": "" if foreign else path}
    return kept | found
