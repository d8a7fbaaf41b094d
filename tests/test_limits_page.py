"""The page of limits has every limit that a user can meet, with the value that it has."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from sukkal import limits
from tests.pages import rows

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "src" / "sukkal"
ROWS: Final = rows("docs/reference/limits.md")
LIMITS: Final = {name: value for name, value in vars(limits).items() if name.isupper()}


def named(node: ast.AST) -> Iterator[str]:
    """Yield the limits that are named below a node."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "limits":
            yield each.attr


def told() -> set[str]:
    """Return the limits that stand in what is refused or in what the API says of itself, but not those of settings."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if "schemas" in path.as_posix():
            found |= set(named(tree))
        found |= {name for node in ast.walk(tree) if isinstance(node, ast.Raise) for name in named(node)}
    return found


def defaults() -> set[str]:
    """Return the limits that are defaults of settings, which the page of settings has."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (SOURCE / "settings").glob("*.py")]
    assigned = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)]
    return {name for value in assigned if value is not None for name in named(value)}


def test_every_limit_that_is_told_is_on_the_page() -> None:
    assert told() - defaults() - ROWS.keys() == set()


@pytest.mark.parametrize("name", ROWS)
def test_a_limit_is_on_the_page_with_its_value(name: str) -> None:
    shown, meaning = ROWS[name]
    assert shown == f"{LIMITS[name]:,}"
    assert meaning


def test_limits_that_are_told_are_found() -> None:
    assert {"QUEUE_NAME_CHARS_MAX", "FILTERS_MAX", "QUEUE_HOPS_MAX"} <= told()
    assert {"WAIT_S_MAX", "MESSAGE_TTL_S_MAX"} <= defaults()
