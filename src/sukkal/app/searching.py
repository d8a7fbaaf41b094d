"""The parts that make what is posted searchable, made together."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from sukkal.app.access import Entrance
from sukkal.app.engines import index_of
from sukkal.model import QueueKey
from sukkal.search import SearchIndex
from sukkal.service.fan_out import INDEX
from sukkal.service.indexing import Indexing
from sukkal.service.recognising import Recogniser
from sukkal.service.removal import Removal
from sukkal.service.saved_searches import Post, SavedSearches
from sukkal.service.searching import Search
from sukkal.settings import Settings
from sukkal.store import Engine

__all__ = ["Searching", "searching"]


class Searching(msgspec.Struct, frozen=True):
    """The index, what puts events into it and takes them out of it, and what finds them."""

    index: SearchIndex
    indexing: Indexing
    saved: SavedSearches
    search: Search
    removal: Removal

    @property
    def consumers(self) -> Mapping[str, Callable[[QueueKey], Awaitable[bool]]]:
        """What works off the backlogs of the index, by their name."""
        return {INDEX: self.indexing.index_some}


def searching(
    settings: Settings,
    engine: Engine,
    door: Entrance,
    recogniser: Recogniser,
    post: Post,
    now_ms: Callable[[], int],
    new_id: Callable[[], str],
) -> Searching:
    """Make them; whoever does has to close the index. ``post`` is how what saved searches find is posted."""
    index = index_of(settings)
    saved = SavedSearches(engine, index, door.gate, post, now_ms)
    indexing = Indexing(engine, index, recogniser, saved, now_ms, new_id)
    return Searching(index, indexing, saved, Search(index), Removal(engine, indexing))
