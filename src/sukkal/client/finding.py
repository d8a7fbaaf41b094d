"""Searching what was posted."""

from collections.abc import AsyncIterator

from sukkal.client.asking import Asking, read, segment
from sukkal.client.nouns import EventType, Found, SavedSearch

__all__ = ["Finding"]


class Finding:
    """What can be found in the queues with ``_search``.

    The conditions are the parameters of the HTTP API: ``q``, ``type``, ``source``, ``subject``, ``queue`` and so on.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def events(self, /, **conditions: str) -> AsyncIterator[Found]:
        """Yield the events that meet all conditions, the newest first."""
        return self._asking.pages(Found, "events", "/v2/events", conditions)

    def resources(self, /, **conditions: str) -> AsyncIterator[Found]:
        """Yield the latest event of each resource that meets all conditions."""
        return self._asking.pages(Found, "resources", "/v2/resources", conditions)

    def types(self) -> AsyncIterator[EventType]:
        """Yield the types of events that were posted."""
        return self._asking.pages(EventType, "types", "/v2/events/types")

    def saved(self) -> AsyncIterator[SavedSearch]:
        """Yield the saved searches."""
        return self._asking.pages(SavedSearch, "searches", "/v2/searches")

    async def save(self, /, name: str, *, queue: str, **conditions: str) -> SavedSearch:
        """Have what meets all conditions posted to a queue, from now on."""
        document = {"queue": queue, **conditions}
        return read(SavedSearch, await self._asking.ask("PUT", f"/v2/searches/{segment(name)}", document))

    async def forget(self, name: str) -> None:
        """End a saved search; one that is not there is no error."""
        await self._asking.do("DELETE", f"/v2/searches/{segment(name)}")
