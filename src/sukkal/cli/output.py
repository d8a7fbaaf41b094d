"""What a command prints: data on standard output, for people or for programs, and notes on standard error."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TextIO

import yaml

from sukkal.cli.tables import table

__all__ = ["FORMS", "Output", "cell", "one_line"]

FORMS: Final = ("table", "json", "yaml")

Record = Mapping[str, Any]


class Output:
    """Prints records in the form that was asked for: ``table`` for people, ``json`` or ``yaml`` for programs.

    ``width`` is that of the terminal, if it prints to one.
    """

    def __init__(self, form: str = "table", *, quiet: bool = False) -> None:
        self.form = form
        self.quiet = quiet
        self.out: Final[TextIO] = sys.stdout
        self.err: Final[TextIO] = sys.stderr
        self.width: Final = os.get_terminal_size(self.out.fileno()).columns or None if self.out.isatty() else None
        self.coloured = self.out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def rows(self, columns: Mapping[str, str], records: Sequence[Record]) -> None:
        """Print a listing. ``columns`` has the heads of the table and the members that stand below them.

        On a terminal each has one line, and what is too long for that is cut off: nobody could tell the columns apart.
        """
        if self.form == "table":
            cells = [tuple(columns), *(tuple(cell(each.get(c)) for c in columns.values()) for each in records)]
            self._print("\n".join(_cut(line, self.width) for line in table(cells).splitlines()))
        else:
            self._print(self._document(list(records)))

    def record(self, record: Record) -> None:
        """Print one thing: as a table of its members, or as a document."""
        if self.form == "table":
            self._print(table([("FIELD", "VALUE"), *((name, cell(value)) for name, value in record.items())]))
        else:
            self._print(self._document(record))

    def value(self, name: str, value: Any) -> None:
        """Print one value, which a script reads without a table around it."""
        self._print(cell(value) if self.form == "table" else self._document({name: value}))

    def each(self, record: Record, text: Callable[[], str]) -> None:
        """Print one of a stream of records at once: as the line ``text``, a line of JSON, or a document of YAML."""
        match self.form:
            case "table":
                self._print(text())
            case "json":
                self._print(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
            case _:
                self._print(f"---\n{self._document(record)}")
        self.out.flush()

    def note(self, text: str) -> None:
        """Tell the reader something that is no data."""
        if not self.quiet:
            print(text, file=self.err, flush=True)

    def colour(self, code: str, text: str) -> str:
        """Return a text in a colour where that can be seen."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.coloured else text

    def _print(self, text: str) -> None:
        print(text, file=self.out)

    def _document(self, value: Any) -> str:
        if self.form == "json":
            return json.dumps(value, indent=2, ensure_ascii=False)
        return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True)).rstrip("\n")


def _cut(line: str, width: int | None) -> str:
    return line if width is None or len(line) <= width else f"{line[: width - 1]}…"


def cell(value: Any) -> str:
    """Return a value as it stands in a table."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return one_line(value)
        case int() | float():
            return str(value)
        case _:
            return one_line(json.dumps(value, ensure_ascii=False))


def one_line(text: str) -> str:
    """Return a text in one line without anything that a terminal would obey: it may be a stranger's."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
