"""Whose a notification is."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from sukkal import limits
from sukkal.forwarder.paths import Path, parse, values

__all__ = ["DEFAULT_PATHS", "Tenants", "matches"]

DEFAULT_PATHS: Final = (
    "/payload/*_object.data/tenant_id",
    "/payload/*_object.data/project_id",
    "/payload/*_object.data/owner",
    "/payload/tenant_id",
    "/payload/project_id",
    "/payload/owner",
    "/payload/*/tenant_id",
    "/payload/*/project_id",
    "/osprojectid",
    "/_context_project_id",
    "/_context_tenant",
    "/ctxt/project_id",
    "/ctxt/tenant",
)
"""Where services say whose a thing is; after these, who asked for it, who may be an administrator."""

_PROJECT: Final = re.compile(r"[^\x00-\x20\x7f]+")


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether the type of an event is one of the patterns, in which ``*`` stands for any characters."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class Tenants:
    """Decides which project a notification belongs to.

    The first of ``paths`` that leads to a name in the document counts. ``by_type`` has other paths for types of events;
    of these the first pattern counts. Who is found nowhere has ``default``.
    """

    def __init__(
        self,
        paths: Sequence[str] = DEFAULT_PATHS,
        by_type: Mapping[str, Sequence[str]] | None = None,
        default: str = "",
    ) -> None:
        self._paths = [parse(path) for path in paths]
        self._by_type = {pattern: [parse(path) for path in found] for pattern, found in (by_type or {}).items()}
        self._default = default or None

    def of(self, event_type: str, document: Any) -> str | None:
        """Return the project, or ``None`` if there is none."""
        return next(
            (
                value
                for path in self._of_type(event_type)
                for value in values(document, path)
                if isinstance(value, str) and _is_project(value)
            ),
            self._default,
        )

    def _of_type(self, event_type: str) -> list[Path]:
        return next(
            (paths for pattern, paths in self._by_type.items() if fnmatchcase(event_type, pattern)), self._paths
        )


def _is_project(text: str) -> bool:
    return len(text) <= limits.PROJECT_CHARS_MAX and _PROJECT.fullmatch(text) is not None
