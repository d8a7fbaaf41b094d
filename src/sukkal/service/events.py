"""Events: posting what happened, once, for as long as it is of use."""

from collections.abc import Callable, Sequence

import msgspec

from sukkal import limits
from sukkal.errors import InvalidEvent
from sukkal.format import Event
from sukkal.formats import cloudevents, documents
from sukkal.model import QueueKey
from sukkal.service.incoming import Draft, Posted
from sukkal.service.messages import Messages
from sukkal.settings import Settings

__all__ = ["Events", "NewEvent"]


class NewEvent(msgspec.Struct, frozen=True):
    """An event, and its JSON text as it is to be stored."""

    event: Event
    text: bytes


class Events:
    """The operations on events."""

    def __init__(self, messages: Messages, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._messages = messages
        self._settings = settings
        self._now_ms = now_ms

    async def post(self, key: QueueKey, client: str, events: Sequence[NewEvent], *, size: int) -> Posted:
        """Store events as messages, and return the messages' ids once all are durable.

        An event with the source and id of one that was posted within ``idempotency_window_s`` is that one. If storing
        fails some may be there: repeating the post stores the others. Raises ``InvalidEvent`` for one that has expired.
        """
        drafts = [Draft(each.text, self._ttl_s(each.event, place)) for place, each in enumerate(events)]
        names = [cloudevents.identity(each.event) for each in events]
        return await self._messages.post_each(key, client, drafts, names, size=size)

    async def ingest(self, key: QueueKey, client: str, draft: Draft) -> Posted:
        """Store a document as a message, and return the message's id once it is durable.

        A document that says the same as one that came within ``idempotency_window_s`` is that one: those who send
        what they know and nothing else, such as webhooks, give no other name to what they send.
        """
        name = documents.digest(documents.decode(draft.body))
        return await self._messages.post_each(key, client, [draft], [name], size=len(draft.body))

    def _ttl_s(self, event: Event, place: int) -> int | None:
        ttl_s = cloudevents.ttl_s(event, self._now_ms())
        if ttl_s is None:
            return None
        if ttl_s == 0:
            raise InvalidEvent(f"Event {place} has expired: its expirytime is {event.extensions['expirytime']}.")
        return min(max(ttl_s, limits.MESSAGE_TTL_S_MIN), self._settings.max_message_ttl)
