"""Hearing what the demo's page hears, in the same way: by streams at signed URLs."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sukkal.client import Client, Event

__all__ = ["hear", "stream_url"]


async def stream_url(client: "Client", url: str, queue: str) -> str:
    """Return the URL at which a browser hears all that is posted to a queue from now on, whenever it connects."""
    watched = client.queue(queue)
    await watched.create({"_history": 3_600})
    shared = await watched.share(methods=["GET"], paths=["stream"])
    async with watched.listen() as listening:
        position = listening.position
    return f"{url}/v2/queues/{queue}/stream?{shared.query}&since={position}"


async def hear(url: str) -> AsyncIterator["Event"]:
    """Yield the events of a stream."""
    import aiohttp

    from sukkal.client.streams import EventReader

    reader = EventReader()
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        answer.raise_for_status()
        async for piece in answer.content.iter_any():
            for event in reader.feed(piece):
                yield event
