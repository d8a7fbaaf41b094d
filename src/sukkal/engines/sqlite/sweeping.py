"""Removing what can no longer be seen, a slice at a time."""

import apsw

from sukkal.engines.sqlite.catalogue import Catalogue
from sukkal.engines.sqlite.rows import fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.engines.sqlite.subscriptions import sweep_subscriptions
from sukkal.model import Swept

__all__ = ["sweep"]


def sweep(writer: apsw.Connection, catalogue: Catalogue, *, now_ms: int, limit: int) -> Swept:
    """Remove about ``limit`` rows."""
    removed = sweep_subscriptions(writer, catalogue, now_ms=now_ms, limit=limit)
    if removed < limit:
        for number, sequence in fetch(writer, SQL.sweep_last, (now_ms, limit - removed)):
            catalogue.removed(number, sequence)
    for sql in (SQL.sweep_messages, SQL.sweep_claims, SQL.sweep_once, SQL.sweep_records):
        if removed < limit:
            writer.execute(sql, (now_ms, limit - removed))
            removed += writer.changes()
    if removed < limit:
        removed += _sweep_dropped(writer, catalogue, limit - removed)
    return Swept(removed, more=removed >= limit)


def _sweep_dropped(writer: apsw.Connection, catalogue: Catalogue, limit: int) -> int:
    removed = 0
    while removed < limit and (row := fetch(writer, SQL.dropped, ())):
        ((number,),) = row
        before = removed
        for sql in (SQL.sweep_dropped_messages, SQL.sweep_dropped_claims, SQL.sweep_dropped_once):
            writer.execute(sql, (number, limit - removed))
            removed += writer.changes()
        if removed == before:
            writer.execute(SQL.forget_dropped, (number,))
            catalogue.forget_removed(number)
            removed += 1
    return removed
