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
from sukkal.service.repeats import own_name
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
        fails some may be there: repeating the post stores the others. Raises ``InvalidEvent`` for one that has expired
        and was not posted before.
        """
        names = [own_name("event", cloudevents.identity(each.event)) for each in events]
        lives_s = [cloudevents.ttl_s(each.event, self._now_ms()) for each in events]
        expired = [place for place, life_s in enumerate(lives_s) if life_s == 0]
        if expired:
            earlier = await self._messages.earlier(key, [names[place] for place in expired])
            for place in expired:
                if names[place] not in earlier:
                    raise InvalidEvent(_expired(events, place))
        drafts = [Draft(each.text, self._ttl_s(life_s)) for each, life_s in zip(events, lives_s, strict=True)]
        return await self._messages.post_each(key, client, drafts, names, size=size)

    async def ingest(self, key: QueueKey, client: str, draft: Draft) -> Posted:
        """Store a document as a message, and return the message's id once it is durable.

        A document that says the same as one that came within ``idempotency_window_s`` is that one: those who send
        what they know and nothing else, such as webhooks, give no other name to what they send.
        """
        name = own_name("document", documents.digest(documents.decode(draft.body)))
        return await self._messages.post_each(key, client, [draft], [name], size=len(draft.body))

    def _ttl_s(self, life_s: int | None) -> int | None:
        """Return how long a message lives whose event is of use for so long."""
        return None if life_s is None else min(max(life_s, limits.MESSAGE_TTL_S_MIN), self._settings.max_message_ttl)


def _expired(events: Sequence[NewEvent], place: int) -> str:
    what = "The event" if len(events) == 1 else f"Event {place}"
    return f"{what} has expired: its expirytime is {events[place].event.extensions['expirytime']}."
