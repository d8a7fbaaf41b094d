"""Listeners: URLs that are called when something happens to a resource."""

from collections.abc import AsyncIterator
from typing import Any

from sukkal.client.asking import Asking, read, segment
from sukkal.client.nouns import Listener

__all__ = ["Listeners"]


class Listeners:
    """The listeners of the project."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def create(self, /, url: str, **terms: Any) -> Listener:
        """Have a URL called; ``terms`` are the members of a listener, such as ``workflow`` or ``task``."""
        answer = await self._asking.ask("POST", "/v2/listeners", {"url": url, **terms}, repeatable=False)
        return read(Listener, answer)

    def all(self) -> AsyncIterator[Listener]:
        """Yield the listeners."""
        return self._asking.pages(Listener, "listeners", "/v2/listeners")

    async def get(self, listener_id: str) -> Listener:
        """Return a listener."""
        return await self._asking.noun(Listener, f"/v2/listeners/{segment(listener_id)}")

    async def delete(self, listener_id: str) -> None:
        """End a listener."""
        await self._asking.do("DELETE", f"/v2/listeners/{segment(listener_id)}")
