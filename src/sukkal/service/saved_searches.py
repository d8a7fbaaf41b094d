"""Saved searches: questions that are asked of every event that is indexed; what they find is posted to a queue."""

import asyncio
import hashlib
import logging
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import BadRequest, Conflict, Forbidden, InvalidRequest, NotFound, QuotaExceeded, SukkalError
from sukkal.model import QueueKey, Record, RecordKey, Release
from sukkal.records import Records
from sukkal.search import Document, SearchIndex
from sukkal.service.access import Caller
from sukkal.service.asking import asked_of
from sukkal.service.fan_out import Origin, passing
from sukkal.service.gate import Gate
from sukkal.service.incoming import Draft
from sukkal.service.names import is_queue_name
from sukkal.service.pages import check_limit
from sukkal.service.repeats import own_name
from sukkal.service.retries import delay_s

__all__ = ["MEMBERS", "Indexed", "SavedSearch", "SavedSearches"]

_log: Final = logging.getLogger("sukkal.search")

_KIND: Final = "search"
_RULE: Final = "messages:create"

MEMBERS: Final = ("q", "type", "source", "id", "subject", "resource_type", "resource_id")
"""What a saved search may ask for."""

_PAUSES_S: Final = (5, 60, 600, 3_600)
"""When a match that could not be posted is tried again; all within the time for which a post is not repeated."""

Post = Callable[..., Awaitable[object]]
"""Posts messages as any client's are: ``Messages.post``."""


class SavedSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A question with a name, and the queue to which what it finds is posted."""

    name: str
    queue: str
    asked: Mapping[str, str]


class Indexed(msgspec.Struct, frozen=True):
    """A document that is indexed, and where the delivery that it came with is from."""

    document: Document
    origin: Origin


class SavedSearches:
    """The operations on saved searches, and posting what they find."""

    def __init__(self, records: Records, index: SearchIndex, gate: Gate, post: Post, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._index = index
        self._gate = gate
        self._post = post
        self._now_ms = now_ms
        self._saving: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self.skipped = 0

    async def put(self, caller: Caller, name: str, given: Mapping[str, Any]) -> bool:
        """Save a search or replace one, and tell whether it is new. Raises ``InvalidRequest``, ``Forbidden``."""
        project = caller.project
        if not is_queue_name(name):
            raise InvalidRequest(
                f"The name of a search has 1 to {limits.QUEUE_NAME_CHARS_MAX} letters, digits, dots, underscores and "
                "hyphens."
            )
        search = _read(name, given)
        if not self._gate.allows(caller.identity, _RULE, project=project):
            raise Forbidden("You are not authorized to have messages posted to this queue.")
        # One after another: whoever counts has to have been counted before the next one does.
        async with self._saving.setdefault(project, asyncio.Lock()):
            return await self._save(project, search)

    async def _save(self, project: str, search: SavedSearch) -> bool:
        key = RecordKey(_KIND, project, search.name)
        present = await self._records.get_record(key, now_ms=self._now_ms())
        if present is None and len(await self.all(project)) >= limits.SEARCHES_PER_PROJECT_MAX:
            raise QuotaExceeded(
                f"A project may have {limits.SEARCHES_PER_PROJECT_MAX} saved searches. Delete some first.",
                retry_after_s=limits.QUOTA_RETRY_S,
            )
        await self._records.put_record(key, msgspec.json.encode(search), now_ms=self._now_ms())
        return present is None

    async def get(self, project: str, name: str) -> SavedSearch:
        """Return a saved search. Raises ``NotFound``."""
        found = await self._records.get_record(RecordKey(_KIND, project, name), now_ms=self._now_ms())
        if found is None:
            raise NotFound(f"There is no saved search {name}.")
        return _stored(found)

    async def list(self, project: str, *, marker: str | None, limit: int | None) -> Sequence[SavedSearch]:
        """Return saved searches by name."""
        limit = check_limit(limit, limits.PAGE_MAX, "Limit must be at least 1 and no greater than {}.")
        page = await self._records.list_records(
            _KIND, project, after=(project, marker or ""), limit=limit, now_ms=self._now_ms()
        )
        return [_stored(record) for record in page.records]

    async def delete(self, project: str, name: str) -> None:
        """Delete a saved search; one that does not exist is no error."""
        await self._records.delete_record(RecordKey(_KIND, project, name), now_ms=self._now_ms())

    # -- what they find

    async def all(self, project: str) -> Sequence[SavedSearch]:
        """Return all saved searches of a project."""
        found: list[SavedSearch] = []
        after: tuple[str, str] | None = (project, "")
        while after is not None:
            page = await self._records.list_records(
                _KIND, project, after=after, limit=limits.SEARCHES_PER_PROJECT_MAX, now_ms=self._now_ms()
            )
            found += [_stored(record) for record in page.records]
            after = page.next
        return found

    async def tell(
        self, project: str, searches: Sequence[SavedSearch], indexed: Sequence[Indexed]
    ) -> dict[str, Release]:
        """Post what searches find among documents; return those of which something is to be posted later.

        Posting it again changes nothing. A search that takes too long is left out, and counted in ``skipped``.
        """
        asked = [asked_of(search.asked) for search in searches]
        matches = await self._index.matches([each.document for each in indexed], asked)
        failed: set[int] = set()
        for search, numbers in zip(searches, matches, strict=True):
            if numbers is None:
                self.skipped += 1
                _log.warning("the saved search %s of project %s took too long and was left out", search.name, project)
                continue
            posted = await asyncio.gather(*(self._told(project, search, indexed[number]) for number in numbers))
            failed |= {number for number, done in zip(numbers, posted, strict=True) if not done}
        later = {indexed[number].document.message_id: _later(indexed[number].origin) for number in failed}
        return {message_id: release for message_id, release in later.items() if release is not None}

    async def _told(self, project: str, search: SavedSearch, found: Indexed) -> bool:
        """Post what was found; tell whether there is nothing more to do."""
        document, target = found.document, QueueKey(project, search.queue)
        passed = (*found.origin.passed, passing(document.queue))
        if passing(target) in passed or len(passed) > limits.QUEUE_HOPS_MAX:
            return True  # It has been there: posting it again would go round in a circle.
        try:
            await self._post(
                target,
                "",
                [Draft(document.event)],
                size=len(document.event),
                name=own_name("search", search.name, _identity(document)),
                passed=passed,
            )
        except Conflict:
            return True
        except (BadRequest, Forbidden) as error:
            _log.warning("what the search %s found cannot be posted: %s", search.name, error)
            return True
        except SukkalError as error:
            _log.warning("what the search %s found cannot be posted yet: %s", search.name, error)
            return False
        return True


def _read(name: str, given: Mapping[str, Any]) -> SavedSearch:
    queue = given.get("queue")
    if not isinstance(queue, str) or not is_queue_name(queue):
        raise InvalidRequest("queue must be the name of the queue that gets what is found.")
    if unknown := given.keys() - {*MEMBERS, "queue"}:
        raise InvalidRequest(f"{min(unknown)} is none of {', '.join((*MEMBERS, 'queue'))}.")
    asked = {member: given[member] for member in MEMBERS if given.get(member)}
    if not asked:
        raise InvalidRequest(f"A saved search asks for something: one of {', '.join(MEMBERS)}.")
    asked_of(asked)
    return SavedSearch(name=name, queue=queue, asked=asked)


def _stored(record: Record) -> SavedSearch:
    return msgspec.json.decode(record.value, type=SavedSearch)


def _later(origin: Origin) -> Release | None:
    attempts = origin.attempts + 1
    pause_s = delay_s(_PAUSES_S, attempts, retry_after_s=None, jitter=0)
    if pause_s is None:
        _log.warning("what searches found in queue %s was given up after %s attempts", origin.queue, attempts)
        return None
    return Release(delay_s=pause_s, attributes=msgspec.json.encode(replace(origin, attempts=attempts)))


def _identity(document: Document) -> str:
    return hashlib.sha256(msgspec.json.encode([document.source, document.id])).hexdigest()
