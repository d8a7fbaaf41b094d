"""The house rules that no linter knows. Each has bad examples here, which show that it can fail."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
TEXT_SUFFIXES: Final = frozenset(
    [
        *("", ".cfg", ".css", ".html", ".in", ".ini", ".js", ".json", ".jsonl", ".md", ".py", ".sh", ".sql", ".svg"),
        *(".toml", ".txt", ".yaml", ".yml"),
    ]
)
NOT_OURS: Final = frozenset(["build", "dist", "site", "sukkal-data", "__pycache__"])
OURS_THOUGH_HIDDEN: Final = frozenset([".ci", ".editorconfig", ".github", ".gitignore"])


class Source:
    """A file of the repository, read when it is looked at."""

    def __init__(self, path: str, text: str | None = None) -> None:
        self.path = path
        self.text = (ROOT / path).read_text(encoding="utf-8") if text is None else text

    def within(self, *places: str) -> bool:
        """Tell whether the file is one of the places or in one of them."""
        return any(self.path == place or self.path.startswith(place + "/") for place in places)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of a Python file; none of another file."""
        return list(ast.walk(ast.parse(self.text))) if self.path.endswith(".py") else []

    @cached_property
    def names(self) -> list[tuple[str, int]]:
        """Every imported thing that is used or imported, by its full dotted name, with its line."""
        full: dict[str, str] = {}
        found: list[tuple[str, int]] = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                full |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                full |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
        for node in self.nodes:
            dotted = _dotted(node)
            first, _, rest = dotted.partition(".")
            if first in full:
                found.append((full[first] + ("." + rest if rest else ""), node.lineno))  # type: ignore[attr-defined]
        return found


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Attribute(value=value, attr=attr) if inner := _dotted(value):
            return f"{inner}.{attr}"
        case ast.Name(id=name):
            return name
        case _:
            return ""


Rule = Callable[[Source], Iterator[str]]


def files_are_short(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if source.path.endswith((".py", ".sql", ".js", ".css", ".html")) and lines > FILE_LINES_MAX:
        yield f"{lines} lines, {FILE_LINES_MAX} at most"


def functions_are_short(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"line {node.lineno}: {node.name} has {lines} lines, {FUNCTION_LINES_MAX} at most"


def nothing_swallows_every_exception(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler):
            caught = {_dotted(part) for part in ast.walk(node.type)} if node.type else set()
            again = any(isinstance(part, ast.Raise) for statement in node.body for part in ast.walk(statement))
            if node.type is None or ("BaseException" in caught and not again):
                yield f"line {node.lineno}: catches everything and does not raise it again"


def modules_are_named_for_what_they_do(source: Source) -> Iterator[str]:
    vague = {"common", "helper", "helpers", "misc", "util", "utils"}.intersection(
        Path(source.path).with_suffix("").parts
    )
    if vague and source.path.endswith(".py"):
        yield f"{vague} says nothing"


def only_the_clock_reads_the_time(source: Source) -> Iterator[str]:
    if not source.within("src") or source.within("src/sukkal/clock.py"):
        return
    readers = re.compile(
        r"time\.(time|monotonic|perf_counter|process_time|thread_time|clock_gettime)(_ns)?|time\.(gmtime|localtime)"
        r"|datetime\.(datetime|date)\.(now|utcnow|today)"
    )
    for name, line in source.names:
        if readers.fullmatch(name):
            yield f"line {line}: {name}"
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "time":
            yield f"line {node.lineno}: .time() of an event loop"


def only_the_top_draws_lots(source: Source) -> Iterator[str]:
    tops = ("src/sukkal/app", "src/sukkal/ids.py", "src/sukkal/identity", "src/sukkal/client/chance.py")
    if not source.within("src") or source.within(*tops):
        return
    random = re.compile(r"(random|secrets)\..*|uuid\.uuid[0-9]|os\.(urandom|getrandom)|random|secrets")
    for name, line in source.names:
        if random.fullmatch(name):
            yield f"line {line}: {name}"


def nothing_is_left_for_later(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if re.search(r"\b(TOD[O]|FIXM[E])\b", line):
            yield f"line {number}: {line.strip()}"


def no_file_knows_a_machine(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if found := re.search(r"(?<![\w.}/-])/(home|root|Users|work)/[\w.]+", line):
            yield f"line {number}: {found[0]}"


def only_the_command_line_prints(source: Source) -> Iterator[str]:
    if source.within("src") and not source.within("src/sukkal/cli"):
        for node in source.nodes:
            if isinstance(node, ast.Call) and _dotted(node.func) == "print":
                yield f"line {node.lineno}: print"


def statements_live_in_sql_files(source: Source) -> Iterator[str]:
    statement = re.compile(r"\s*(SELECT|INSERT|REPLACE|UPDATE|DELETE|CREATE|DROP|ALTER|WITH)\s", re.IGNORECASE)
    if not source.within("src/sukkal/engines", "src/sukkal/indexes"):
        return
    docstrings = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}
    for node in source.nodes:
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str) and statement.match(node.value):
            yield f"line {node.lineno}: {node.value.strip()[:40]}"


SQLITE: Final = "src/sukkal/engines/sqlite/reads.py"
SERVICE: Final = "src/sukkal/service/queues.py"

# For each rule: what it must find fault with, and what it must let pass.
EXAMPLES: Final[Mapping[Rule, tuple[list[tuple[str, str]], list[tuple[str, str]]]]] = {
    files_are_short: (
        [
            (SERVICE, "x = 1\n" * 401),
            ("src/sukkal/engines/sqlite/queries.sql", "\n" * 401),
            ("src/sukkal/console/static/app.js", "\n" * 401),
        ],
        [(SERVICE, "x = 1\n" * 400), ("docs/long.md", "text\n" * 500)],
    ),
    functions_are_short: (
        [(SERVICE, "def f():\n" + "    x = 1\n" * 60), (SERVICE, "class C:\n  async def f():\n" + "    x = 1\n" * 60)],
        [(SERVICE, "def f():\n" + "    x = 1\n" * 59)],
    ),
    nothing_swallows_every_exception: (
        [
            (SERVICE, "try: f()\nexcept: pass"),
            (SERVICE, "try: f()\nexcept BaseException: pass"),
            (SERVICE, "try: f()\nexcept (OSError, BaseException) as e: g(e)"),
        ],
        [(SERVICE, "try: f()\nexcept BaseException:\n  g()\n  raise"), (SERVICE, "try: f()\nexcept OSError: pass")],
    ),
    modules_are_named_for_what_they_do: (
        [("src/sukkal/utils.py", ""), ("tests/helpers/x.py", ""), ("src/sukkal/service/common.py", "")],
        [("src/sukkal/service/queues.py", ""), ("docs/utils.md", "")],
    ),
    only_the_clock_reads_the_time: (
        [
            (SERVICE, "import time\nx = time.time()"),
            (SERVICE, "import time as t\nread = t.monotonic_ns"),
            (SERVICE, "from time import perf_counter"),
            (SERVICE, "import datetime as d\nx = d.datetime.now(d.UTC)"),
            (SERVICE, "from datetime import datetime\nx = datetime.utcnow()"),
            (SERVICE, "import asyncio\nx = asyncio.get_running_loop().time()"),
            (SERVICE, "x = self._loop.time()"),
        ],
        [
            ("src/sukkal/clock.py", "import time\nx = time.time()"),
            ("bench/run.py", "import time\nx = time.time()"),
            (SERVICE, "loop.call_later(5, f)"),
            (SERVICE, "from datetime import UTC, datetime\nx = datetime.fromtimestamp(at_s, UTC)"),
        ],
    ),
    only_the_top_draws_lots: (
        [
            (SERVICE, "import uuid\nx = uuid.uuid4()"),
            (SERVICE, "from uuid import uuid4"),
            (SERVICE, "import os\nx = os.urandom(8)"),
            (SERVICE, "import random\nx = random.random()"),
            (SERVICE, "import secrets\nf = secrets"),
            (SERVICE, "from random import Random"),
        ],
        [
            ("src/sukkal/app/process.py", "import random\nx = random.Random()"),
            ("src/sukkal/identity/keys.py", "import secrets\nx = secrets.token_hex()"),
            (SERVICE, "import os, uuid\nx = uuid.UUID(os.fsdecode(text))"),
        ],
    ),
    nothing_is_left_for_later: (
        [(SERVICE, "# TOD\x4f: more"), ("docs/x.md", "FIXM\x45")],
        [(SERVICE, "todos = mastodon")],
    ),
    no_file_knows_a_machine: (
        [
            ("docs/x.md", "see /hom\x65/ada/notes"),
            ("tests/x.json", '"/wor\x6b/main/x"'),
            (SERVICE, "p = '/roo\x74/x'"),
            (".ci/run", "cd /User\x73/ada"),
        ],
        [("docs/x.md", "GET /v2/home/x and https://example.org/home/x, /var/lib/sukkal")],
    ),
    only_the_command_line_prints: (
        [(SERVICE, "def f():\n  print('x')")],
        [("src/sukkal/cli/show.py", "print('x')"), ("bench/run.py", "print(1)"), (SERVICE, "print_it(1)")],
    ),
    statements_live_in_sql_files: (
        [
            (SQLITE, "x = 'SELECT 1'"),
            (SQLITE, "f('''\n  insert into t values (1)''')"),
            (SQLITE, "x = f'DELETE FROM {t}'"),
        ],
        [(SQLITE, '"""Update the rows."""\nx = SQL.select_queue'), (SQLITE, "x = 'PRAGMA user_version'")],
    ),
}


def _paths() -> Iterator[str]:
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if path.name in NOT_OURS or (path.name.startswith(".") and path.name not in OURS_THOUGH_HIDDEN):
                continue
            if path.is_dir():
                folders.append(path)
            elif path.suffix in TEXT_SUFFIXES:
                yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    found = [f"{path}: {fault}" for path in _paths() for fault in rule(Source(path))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "path", "text"), [(rule, *each) for rule, (bad, _) in EXAMPLES.items() for each in bad]
)
def test_the_rule_finds_fault(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"), [(rule, *each) for rule, (_, good) in EXAMPLES.items() for each in good]
)
def test_the_rule_lets_pass(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(Source(path, text)))


def test_the_rules_look_at_all_kinds_of_our_files() -> None:
    paths = set(_paths())
    assert {"pyproject.toml", "Makefile", ".ci/run", "README.md", "LICENSE", "tests/test_tidy.py"} <= paths
    assert {"src/sukkal/store.py", "src/sukkal/engines/sqlite/queries.sql", "docs/README.md"} <= paths
    assert not any(path.startswith((".venv", ".git/")) for path in paths)
