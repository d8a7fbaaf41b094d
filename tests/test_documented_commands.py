"""The commands that the documentation shows are ones that the command line takes, also those that no test runs."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

import pytest

from sukkal.cli.arguments import parse
from sukkal.errors import SettingsError
from tests.pages import PAGES, read

_BLOCK: Final = re.compile(r"^```bash[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WORDS: Final = r"""((?:'[^']*'|"(?:[^"\\]|\\.)*"|(?! \d>)[^'"|<>&;()\n#])*)"""
_COMMAND: Final = re.compile(r"(?:^|[|&;(] ?|bin/|exec )sukkal " + _WORDS, re.MULTILINE)
_FLAGS: Final = re.compile(r'^make run FLAGS="([^"]*)"', re.MULTILINE)

MISTAKES: Final = {"docs/howto/configure.md": "--lisen"}
"""What a page shows because it is wrong."""


def commands(page: str) -> Iterator[list[str]]:
    """Yield what stands behind ``sukkal`` in the blocks of a page, and what `make run` passes on."""
    for block in _BLOCK.findall(page.replace("\\\n", "")):
        for words in _COMMAND.findall(block):
            yield shlex.split(words)
        for flags in _FLAGS.findall(block):
            yield ["serve", *shlex.split(flags)]


@pytest.mark.parametrize("page", [page for page in PAGES if list(commands(read(page)))])
def test_the_command_line_takes_what_a_page_shows(page: str) -> None:
    for words in commands(read(page)):
        if MISTAKES.get(page) in words:
            with pytest.raises(SettingsError):
                parse(words)
        elif "--help" not in words:
            parse(words)


def test_commands_are_found_wherever_they_stand() -> None:
    page = (
        "```bash run\nid=$(sukkal key list --output json | grep x)\necho a | sukkal post q --key 'a | b' > file\n```\n"
        '```bash\n.venv/bin/sukkal demo\nmake run FLAGS="--listen 127.0.0.1:1 \\\n--store memory://"\n'
        "sukkal serve \\\n    --listen 127.0.0.1:1  # a word\n```\n```text\nsukkal nothing\n```\n"
    )
    assert list(commands(page)) == [
        ["key", "list", "--output", "json"],
        ["post", "q", "--key", "a | b"],
        ["demo"],
        ["serve", "--listen", "127.0.0.1:1"],
        ["serve", "--listen", "127.0.0.1:1", "--store", "memory://"],
    ]


@pytest.mark.parametrize("shown", ["sukkal serve --nothing 1", "sukkal queue lists", "sukkal post", "sukkal nothing x"])
def test_a_command_that_there_is_not_is_noticed(shown: str) -> None:
    [words] = commands(f"```bash\n{shown}\n```\n")
    with pytest.raises(SettingsError):
        parse(words)
