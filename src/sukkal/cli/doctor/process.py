"""Checks of what the system lets the process have."""

import resource
from typing import Final

from sukkal.cli.doctor.verdict import Verdict, fail, ok, warn
from sukkal.settings import Settings

__all__ = ["check_open_files"]

_OPEN_FILES: Final = "open files"
_OTHERS: Final = 200
_LEAST: Final = 512


def check_open_files(settings: Settings) -> Verdict:
    """Check that the process may have as many connections open as the settings allow."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + _OTHERS
    if allowed == resource.RLIM_INFINITY or allowed >= wanted:
        return ok(_OPEN_FILES, "as many as are wanted" if allowed == resource.RLIM_INFINITY else f"{allowed:,} allowed")
    seen = f"{allowed:,} allowed, {wanted:,} wanted for max_connections = {settings.max_connections:,}"
    todo = f"Raise it (ulimit -n {wanted}, or LimitNOFILE={wanted} in the unit), or lower max_connections."
    return fail(_OPEN_FILES, seen, todo) if allowed < _LEAST else warn(_OPEN_FILES, seen, todo)
