"""A program that consumes and hangs: ``python -m tests.client.hanging URL FACE QUEUE``.

It prints the body of the message that it hangs at.
"""

import asyncio
import sys
import threading

from sukkal.client import Client, SyncClient

__all__: list[str] = []


async def consume(url: str, queue: str) -> None:
    """Hang in a loop."""
    async with Client(url, project="p") as client:
        async for message in client.queue(queue).consume(prefetch=2):
            print(message.body, flush=True)
            await asyncio.Event().wait()


def consume_in_threads(url: str, queue: str) -> None:
    """Hang in a loop of the other face."""
    with SyncClient(url, project="p") as client:
        for message in client.queue(queue).consume(prefetch=2):
            print(message.body, flush=True)
            threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[2] == "async":
        asyncio.run(consume(sys.argv[1], sys.argv[3]))
    else:
        consume_in_threads(sys.argv[1], sys.argv[3])
