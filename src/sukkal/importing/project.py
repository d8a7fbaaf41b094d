"""Brings a project, queue by queue."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Protocol

from sukkal.client import Refused
from sukkal.importing.attributes import ENCRYPT
from sukkal.importing.destination import Destination
from sukkal.importing.journal import Journal
from sukkal.importing.nouns import Message, Subscription, Unreadable, Window
from sukkal.importing.report import QueueReport

__all__ = ["Bringing", "Source", "Wanted"]

_QUEUES_AT_ONCE: Final = 4
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_MESSAGES_TO_TELL_OF: Final = 1_000


class Source(Protocol):
    """A service of which a project's queues are read."""

    def queues(self) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Yield each queue's name and metadata."""

    def messages(self, queue: str) -> AsyncIterator[Window]:
        """Yield the messages of a queue in their order."""

    def subscriptions(self, queue: str) -> AsyncIterator[Subscription]:
        """Yield the subscriptions of a queue."""

    async def count(self, queue: str) -> int | None:
        """Return how many messages it counts, if it can tell."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What of a project is to be brought. A ``dry_run`` writes nothing."""

    patterns: tuple[str, ...] = ("*",)
    messages: bool = True
    subscriptions: bool = True
    dry_run: bool = False

    def has(self, queue: str) -> bool:
        """Tell whether a queue is to be brought."""
        return any(fnmatchcase(queue, pattern) for pattern in self.patterns)


class Bringing:
    """A project on its way. ``tell`` is given each queue's report, now and then and with True when it is complete."""

    def __init__(
        self,
        project: str,
        source: Source,
        destination: Destination,
        *,
        wanted: Wanted,
        journal: Journal,
        tell: Callable[[QueueReport, bool], None],
    ) -> None:
        self._project = project
        self._source = source
        self._destination = destination
        self._wanted = wanted
        self._journal = journal
        self._tell = tell

    async def run(self) -> list[QueueReport]:
        """Bring everything and return what became of it. Raises ``ClientError`` or ``Unreadable`` if that cannot be."""
        queues = [(name, metadata) async for name, metadata in self._source.queues() if self._wanted.has(name)]
        room = asyncio.Semaphore(_QUEUES_AT_ONCE)

        async def bring(name: str, metadata: Mapping[str, Any]) -> QueueReport:
            async with room:
                return await self._queue(name, metadata)

        tasks = [asyncio.create_task(bring(*queue)) for queue in queues]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _queue(self, name: str, metadata: Mapping[str, Any]) -> QueueReport:
        report = QueueReport(self._project, name)
        try:
            if await self._attributes(name, metadata, report):
                if self._wanted.messages:
                    await self._messages(name, report)
                # After the messages: of these their subscribers were told when they were posted to the source.
                if self._wanted.subscriptions:
                    await self._subscriptions(name, report)
        except Unreadable as trouble:
            report.fail("what else there is", trouble)
        except Refused as refused:
            if not _is_for_what_was_sent(refused):
                raise
            report.fail("queue", refused.description)
        self._tell(report, True)
        return report

    async def _attributes(self, name: str, metadata: Mapping[str, Any], report: QueueReport) -> bool:
        """Give the queue its metadata, and tell whether it may have messages."""
        lacking = await self._destination.compare(name, metadata)
        report.remarks += [f"metadata {kept}: left as it is, which is something else" for kept in lacking.kept]
        if self._wanted.dry_run:
            return True
        await self._destination.make(name)
        refused = await self._set(name, lacking.wanted) if lacking.wanted else {}
        for attribute, reason in refused.items():
            report.fail(f"metadata {attribute}", reason)
        if ENCRYPT in refused or (metadata.get(ENCRYPT) and ENCRYPT in lacking.kept):
            report.fail("messages", "They are encrypted, and would not be any more.")
            return False
        return True

    async def _set(self, name: str, metadata: Mapping[str, Any]) -> Mapping[str, str]:
        """Give the queue what can be given, and return the reasons of what cannot."""
        try:
            await self._destination.change(name, metadata)
        except Refused as refused:
            if not _is_for_what_was_sent(refused):
                raise
            if len(metadata) == 1:
                return dict.fromkeys(metadata, refused.description)
            reasons: dict[str, str] = {}
            for attribute, value in metadata.items():
                reasons |= await self._set(name, {attribute: value})
            return reasons
        return {}

    async def _messages(self, queue: str, report: QueueReport) -> None:
        seen = told = 0
        async for window in self._source.messages(queue):
            seen += len(window.free) + window.held
            report.held += window.held
            brought: list[str] = []
            try:
                for message in window.free:
                    if self._journal.has(self._project, queue, message.id):
                        report.present += 1
                    elif message.lives_s <= 0:
                        report.expired += 1
                    elif await self._post(queue, message, report):
                        brought.append(message.id)
            finally:
                if not self._wanted.dry_run:
                    self._journal.add(self._project, queue, brought)
            if seen // _MESSAGES_TO_TELL_OF > told // _MESSAGES_TO_TELL_OF:
                self._tell(report, False)
                told = seen
        counted = await self._source.count(queue)
        report.unseen = max((counted or 0) - seen, 0)

    async def _post(self, queue: str, message: Message, report: QueueReport) -> bool:
        """Post a message and tell whether it is there now."""
        if self._wanted.dry_run:
            report.messages += 1
            return True
        try:
            new = await self._destination.post(queue, message)
        except Refused as refused:
            if not _is_for_what_was_sent(refused):
                raise
            report.fail(f"message {message.id}", refused.description)
            return False
        report.messages += new
        report.present += not new
        return True

    async def _subscriptions(self, queue: str, report: QueueReport) -> None:
        present = await self._destination.subscribers(queue)
        async for subscription in self._source.subscriptions(queue):
            if subscription.subscriber in present:
                report.present += 1
            elif subscription.lives_s <= 0:
                report.expired += 1
            elif self._wanted.dry_run:
                report.subscriptions += 1
            else:
                await self._subscribe(queue, subscription, report)

    async def _subscribe(self, queue: str, subscription: Subscription, report: QueueReport) -> None:
        try:
            await self._destination.subscribe(queue, subscription)
        except Refused as refused:
            if not (_is_for_what_was_sent(refused) or refused.status == _CONFLICT):
                raise
            report.fail(f"subscription of {subscription.subscriber}", refused.description)
        else:
            report.subscriptions += 1


def _is_for_what_was_sent(refused: Refused) -> bool:
    """Tell whether something else may be taken. An odd name of a queue is answered as if there were no such path."""
    return refused.is_about_the_request or refused.status == _NOT_FOUND
