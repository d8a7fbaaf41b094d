"""A running Zaqar as the source of an import. It is only read.

What it keeps its messages in shows through its listings. With Redis a page is a stretch of places in the queue, from
which claimed, delayed and expired messages are then left out: it can be empty though more follows. A marker that is not
found, and that of the very first message, begin anew. So a queue is walked over with nothing left out, from its first
place and from where Zaqar itself would begin, until there is nothing new; and each page is asked for once more without
what is claimed or delayed, because only the difference tells which messages are.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from sukkal.client import Answer, Client, Refused
from sukkal.importing.attributes import NO_QUEUE, given
from sukkal.importing.nouns import Message, Subscription, Unreadable, Window

__all__ = ["Zaqar"]

_PAGE: Final = 20
_FIRST_PLACE: Final = "0"
"""No message's marker, so that a listing begins with the first place, and may be asked for claimed messages as well."""

_EVERYTHING: Final = {"include_claimed": "true", "include_delayed": "true"}
_AT_THE_BEGINNING: Final = {"include_delayed": "true"}
_Read = TypeVar("_Read")


class Zaqar:
    """The queues of one project in a Zaqar. Raises ``Unreadable`` for what it cannot list, and ``ClientError``.

    ``project`` is named in every request: a Zaqar without Keystone believes that, and one with Keystone does not care.
    """

    def __init__(self, service: Client, project: str = "") -> None:
        self._service = service
        self._headers = {"X-Project-Id": project} if project else {}

    async def queues(self) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Yield each queue's name and the metadata that it was given."""
        defaults = (await self._get(_path(NO_QUEUE))).document
        async for page in self._pages("/v2/queues", "queues", {"detailed": "true"}, of=_queue):
            for name, metadata in page:
                yield name, given(metadata, defaults)

    async def subscriptions(self, queue: str) -> AsyncIterator[Subscription]:
        """Yield the subscriptions of a queue."""
        path = f"{_path(queue)}/subscriptions"
        async for page in self._pages(path, "subscriptions", {}, of=_subscription):
            for _, subscription in page:
                yield subscription

    async def messages(self, queue: str) -> AsyncIterator[Window]:
        """Yield the messages of a queue that are free."""
        path = f"{_path(queue)}/messages"
        seen: set[str] = set()
        for start in (_FIRST_PLACE, ""):
            marker = start
            idle: set[str] = set()
            while True:
                page = await self._page(path, marker, _EVERYTHING if marker else _AT_THE_BEGINNING)
                found = self._read(page, "messages", _message)
                new = {id_ for id_, _ in found} - seen
                if new:
                    free = await self._free(path, marker)
                    kept = [message for id_, message in found if id_ in new & free]
                    seen |= new
                    yield Window(kept, len(new - free))
                    idle.clear()
                marker = _next_marker(page)
                # A listing that began anew, since its marker was consumed, goes over what was seen before it goes on.
                if not marker or marker in idle:
                    break
                idle.add(marker)

    async def count(self, queue: str) -> int | None:
        """Return how many messages it says a queue has, expired ones among them, if it can say that."""
        try:
            # It has no answer for good once a claim has run out.
            counts = (await self._get(f"{_path(queue)}/stats", repeatable=False)).member("messages", dict)
        except Refused:
            return None
        return total if isinstance(total := counts.get("total"), int) else None

    async def _free(self, path: str, marker: str) -> set[str]:
        page = await self._page(path, marker, {})
        return {id_ for id_, _ in self._read(page, "messages", _message)}

    async def _page(self, path: str, marker: str, more: Mapping[str, str]) -> Answer:
        query = {"limit": str(_PAGE), "echo": "true", **more, **({"marker": marker} if marker else {})}
        return await self._ask(path, query)

    async def _pages(
        self, path: str, noun: str, query: Mapping[str, str], *, of: Callable[[Any], tuple[str, _Read]]
    ) -> AsyncIterator[list[tuple[str, _Read]]]:
        """Yield the pages of a listing, each with what no page before it had."""
        seen: set[str] = set()
        marker = ""
        while True:
            asked = {"limit": str(_PAGE), **query, **({"marker": marker} if marker else {})}
            page = await self._ask(path, asked)
            new = [(name, read) for name, read in self._read(page, noun, of) if name not in seen]
            if new:
                yield new
            seen |= {name for name, _ in new}
            marker = _next_marker(page)
            if not new or not marker:
                return

    async def _ask(self, path: str, query: Mapping[str, str]) -> Answer:
        try:
            return await self._get(path, query)
        except Refused as refused:
            if refused.may_succeed_later:
                raise Unreadable(str(refused)) from refused
            raise

    async def _get(self, path: str, query: Mapping[str, str] | None = None, *, repeatable: bool = True) -> Answer:
        return await self._service.request("GET", path, query=query, headers=self._headers, repeatable=repeatable)

    def _read(self, page: Answer, noun: str, of: Callable[[Any], _Read]) -> list[_Read]:
        try:
            return [of(each) for each in page.member(noun, list)]
        except (KeyError, TypeError, ValueError):
            raise page.unexpected() from None


def _path(queue: str) -> str:
    return f"/v2/queues/{quote(queue, safe='')}"


def _next_marker(page: Answer) -> str:
    links: Sequence[Any] = page.member("links", list)
    try:
        return parse_qs(urlsplit(links[0]["href"]).query)["marker"][0] if links else ""
    except (KeyError, TypeError, ValueError):
        raise page.unexpected() from None


def _queue(each: Any) -> tuple[str, Mapping[str, Any]]:
    return str(each["name"]), dict(each["metadata"])


def _message(each: Any) -> tuple[str, Message]:
    id_ = str(each["id"])
    return id_, Message(id_, each["body"], int(each["ttl"]) - int(each["age"]))


def _subscription(each: Any) -> tuple[str, Subscription]:
    lives_s = int(each["ttl"]) - int(each["age"])
    # The trust was given to Zaqar; whoever brings the subscription gives another.
    options = {name: value for name, value in (each["options"] or {}).items() if name != "trust_id"}
    return str(each["id"]), Subscription(each["subscriber"], options, lives_s, each.get("confirmed") is True)
