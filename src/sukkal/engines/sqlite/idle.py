"""Whether a queue that was found idle still is."""

from typing import Final

import apsw

from sukkal.engines.sqlite.catalogue import Catalogue, Entry
from sukkal.engines.sqlite.rows import fetch
from sukkal.engines.sqlite.statements import SQL
from sukkal.model import Idle

__all__ = ["is_idle"]

_CLAIMS_MAX: Final = 100
"""Where so many claims live, even if each has been emptied, somebody was there a moment ago."""


def is_idle(writer: apsw.Connection, catalogue: Catalogue, entry: Entry, idle: Idle, now_ms: int) -> bool:
    """Tell whether nothing has happened to a queue since."""
    if entry.queue.revision != idle.revision or entry.queue.subscriptions:
        return False
    ((last,),) = fetch(writer, SQL.last_message, (entry.number,))
    if max(entry.number, last or 0, catalogue.last_removed(entry.number)) > idle.last:
        return False
    holding = [holds for (holds,) in fetch(writer, SQL.which_claims_hold, (entry.number, now_ms, _CLAIMS_MAX))]
    return len(holding) < _CLAIMS_MAX and not any(holding)
