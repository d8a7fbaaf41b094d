"""Looking at stored messages through a lens, with a bound on what one look may cost."""

import asyncio

from msgspec.structs import replace

from sukkal import limits
from sukkal.model import Message, Page, Position, QueueKey, View
from sukkal.service.lenses import Lens, Lenses, received
from sukkal.service.turns import Part
from sukkal.store import Store

__all__ = ["browse", "position_at"]


async def browse(
    store: Store,
    lenses: Lenses,
    lens: Lens,
    key: QueueKey,
    *,
    after: Position | None,
    limit: int,
    view: View,
    now_ms: int,
) -> Page:
    """Return part of a view of the queue: messages that the lens wants, in its form.

    A page with fewer than ``limit`` messages and a ``next`` has come to the bound of what is looked at.
    """
    if lens.clear:
        return await store.browse(key, after=after, limit=limit, view=view, now_ms=now_ms)
    found: list[Message] = []
    part = Part()
    looked_at = looked_bytes = 0
    size = limit if lens.passes is None else limits.FILTERED_PAGE
    while True:
        page = await store.browse(key, after=after, limit=size, view=view, now_ms=now_ms)
        async with lenses.turns.of(key.project):
            for message in page.messages:
                looked_at += 1
                looked_bytes += len(message.body)
                after = position_at(message)
                if (body := lenses.seen(lens, message.body, received(key, message))) is not None:
                    found.append(replace(message, body=body))
                if len(found) == limit or looked_bytes >= limits.FILTERED_BYTES_MAX:
                    return replace(page, messages=tuple(found), next=after)
                if part.ends(lens.weight_of(len(message.body))):
                    await asyncio.sleep(0)
        if page.next is None:
            return replace(page, messages=tuple(found), next=after if found else None)
        after = page.next
        if looked_at >= limits.FILTERED_MESSAGES_MAX:
            return replace(page, messages=tuple(found), next=after)


def position_at(message: Message) -> Position:
    """Return the place of a message in the views of its queue."""
    return Position(message.visible_ms if message.claim_id is None else message.created_ms, message.sequence)
