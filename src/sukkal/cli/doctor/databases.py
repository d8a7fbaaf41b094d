"""Checks of a database in which the data are."""

from collections.abc import Callable

from sukkal import limits
from sukkal.carrying.leaving import UNFINISHED
from sukkal.cli.doctor.arriving import half_filled
from sukkal.cli.doctor.verdict import Verdict, fail, ok, warn
from sukkal.errors import StartupError
from sukkal.extras import needs_extra

__all__ = ["check_database"]

_STORE = "store"
_WITHIN_S = 10.0
_APART_S_MAX = 1.0
_CONNECTIONS = 16
"""As many as two nodes use: one that is replaced by another needs so many for a while."""


async def check_database(url: str, now_ms: Callable[[], int]) -> Verdict:
    """Check that a node with this store would start, keep what it acknowledges, and find the right time."""
    try:
        with needs_extra("postgresql", "To keep messages in PostgreSQL"):
            from sukkal.engines.postgresql.inspecting import kept
            from sukkal.engines.postgresql.statements import SCHEMA
            from sukkal.postgresql.inspecting import inspect
        found = await inspect(url, SCHEMA, within_s=_WITHIN_S)
        current = found.version == found.newest
        unfinished = await kept(url, UNFINISHED, now_ms=now_ms(), within_s=_WITHIN_S) if current else None
    except StartupError as error:
        seen, _, todo = str(error).partition(". ")
        return fail(_STORE, seen.rstrip("."), todo or "See: docs/howto/keep-messages-in-postgresql.md")
    at = f"PostgreSQL {found.server} at {found.place}, schema version {found.version or found.newest}"
    if 0 < found.version < found.newest:
        at += f", which becomes {found.newest} at the next start"
    if found.works_with > found.newest:
        seen = f"{at}, needs a version of Sukkal that knows {found.works_with}; this one knows up to {found.newest}"
        return fail(_STORE, seen, "Run a newer version.")
    if found.standby:
        return fail(_STORE, f"{at} is a standby, which takes no writes", "Name all servers, separated by commas.")
    if unfinished is not None:
        return half_filled(at, unfinished)
    if not found.version and not found.may_create:
        return fail(_STORE, f"{at}: the user may make no schemas", "Let it own the database, or grant it CREATE there.")
    return _warned(at, found.safe, found.free, (found.clock_ms - now_ms()) / limits.SECOND_MS)


def _warned(at: str, safe: bool, free: int, apart_s: float) -> Verdict:
    if not safe:
        todo = "Set fsync, full_page_writes and synchronous_commit to on: else a power cut takes messages."
        return warn(_STORE, f"{at} does not sync what it acknowledges", todo)
    if free < _CONNECTIONS:
        todo = "Raise max_connections of the server: a node needs eight connections."
        return warn(_STORE, f"{at} takes only {free} more connections", todo)
    if abs(apart_s) > _APART_S_MAX:
        todo = f"Set the clocks, best by NTP: with {limits.CLOCK_APART_S_MAX} seconds a node does not start."
        return warn(_STORE, f"{at} has a clock that differs by {apart_s:+.1f} s", todo)
    return ok(_STORE, at)
