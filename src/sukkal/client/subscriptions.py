"""The subscriptions of a queue."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sukkal.client.asking import Asking, read, segment
from sukkal.client.nouns import Subscription

__all__ = ["Subscriptions"]


class Subscriptions:
    """The standing orders to deliver what is posted to a queue."""

    def __init__(self, asking: Asking, queue: str) -> None:
        self._asking = asking
        self._queue = f"/v2/queues/{segment(queue)}"
        self._path = f"{self._queue}/subscriptions"

    async def create(self, subscriber: str, *, ttl: int | None = None, options: Mapping[str, Any] | None = None) -> str:
        """Have what is posted delivered to a URI, for ``ttl`` seconds; return the id of the subscription.

        One of the same subscriber begins anew with what is given.
        """
        document: dict[str, Any] = {"subscriber": subscriber, "options": dict(options or {})}
        document |= {} if ttl is None else {"ttl": ttl}
        return (await self._asking.ask("POST", self._path, document)).member("subscription_id", str)

    def all(self) -> AsyncIterator[Subscription]:
        """Yield the subscriptions."""
        return self._asking.pages(Subscription, "subscriptions", self._path)

    async def get(self, subscription_id: str) -> Subscription:
        """Return a subscription."""
        return await self._asking.noun(Subscription, self._of(subscription_id))

    async def update(
        self,
        subscription_id: str,
        *,
        subscriber: str | None = None,
        ttl: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Change what is given of a subscription."""
        given = {"subscriber": subscriber, "ttl": ttl, "options": None if options is None else dict(options)}
        changes = {name: value for name, value in given.items() if value is not None}
        await self._asking.do("PATCH", self._of(subscription_id), changes)

    async def delete(self, subscription_id: str) -> None:
        """End a subscription; one that is not there is no error."""
        await self._asking.do("DELETE", self._of(subscription_id))

    async def deliveries(self, subscription_id: str, *, limit: int | None = None) -> dict[str, Any]:
        """Return what waits to be delivered, and what was given up, with the reasons."""
        query = {} if limit is None else {"limit": str(limit)}
        return await self._asking.noun(dict[str, Any], f"{self._of(subscription_id)}/deliveries", **query)

    async def redrive(self, subscription_id: str, ids: list[str] | None = None) -> int:
        """Have what was given up delivered again, all or those with the given ids; return how many."""
        document = {} if ids is None else {"ids": ids}
        answer = await self._asking.ask("POST", f"{self._of(subscription_id)}/redrive", document, repeatable=False)
        return answer.member("redriven", int)

    async def test(self, subscription_id: str) -> dict[str, Any]:
        """Make a delivery on trial, and return what came of it."""
        answer = await self._asking.ask("POST", f"{self._of(subscription_id)}/test", repeatable=False)
        return read(dict[str, Any], answer)

    async def explain(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return why messages pass filters or not; the reference of events says what can be asked."""
        return read(dict[str, Any], await self._asking.ask("POST", f"{self._queue}/explain", dict(question)))

    def _of(self, subscription_id: str) -> str:
        return f"{self._path}/{segment(subscription_id)}"
