"""Whether a queue that was found idle still is."""

import apsw

from sukkal.engines.sqlite.catalogue import Catalogue, Entry
from sukkal.engines.sqlite.rows import fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import Idle

__all__ = ["is_idle"]


def is_idle(writer: apsw.Connection, catalogue: Catalogue, entry: Entry, idle: Idle, now_ms: int) -> bool:
    """Tell whether nothing has happened to a queue since."""
    if entry.queue.revision != idle.revision or entry.queue.subscriptions:
        return False
    ((last,),) = fetch(writer, SQL.last_message, (entry.number,))
    if max(entry.number, last or 0, catalogue.last_removed(entry.number)) > idle.last:
        return False
    return not fetch(writer, SQL.is_claimed, (entry.number, now_ms))
