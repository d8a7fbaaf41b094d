"""``sukkal settings``: what would be used, where it came from, what it means."""

import os
from collections.abc import Mapping

from sukkal.cli.arguments import Command
from sukkal.cli.files import read_text
from sukkal.settings import FIELDS, Field, Origin, Resolved, Settings, resolve
from sukkal.settings.passwords import without_password

__all__ = ["effective", "reference", "run"]

_TOML = Origin("file")


def run(command: Command) -> int:
    """Print the effective settings, or the reference of all settings."""
    print(reference() if command.reference else effective(resolve(command.flags, os.environ, read_text)))
    return 0


def effective(resolved: Resolved) -> str:
    """Return the settings as a TOML file that would give the same ones, each with its origin as a comment.

    A secret that is set is not shown: its line is a comment.
    """
    lines = [_line(field, getattr(resolved.settings, field.name)) for field in FIELDS]
    width = max(len(line) for line in lines)
    origins: Mapping[str, Origin] = resolved.origins
    return "\n".join(f"{line:<{width}}  # {origins[field.name]}" for line, field in zip(lines, FIELDS, strict=True))


def _line(field: Field, value: str | int | bool) -> str:
    if field.secret and value:
        return f"# {field.name} is set and not shown"
    shown = without_password(value) if isinstance(value, str) else value
    # With stars in it, it is not what was set.
    return ("" if shown == value else "# ") + _TOML.assignment(field.name, shown)


def reference() -> str:
    """Return a Markdown table of all settings: name, meaning, values and default."""
    head = ["| Setting | Meaning | Takes | Default |", "|---|---|---|---|"]
    return "\n".join(head + [_row(field) for field in FIELDS])


def _row(field: Field) -> str:
    default = getattr(Settings(), field.name)
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return f"| `{field.name}` | {field.description} | {field.wants} | `{shown}` |"
