"""What the types of the SDK say to a program that uses it. mypy checks this file; nothing runs it.

A line with ``type: ignore`` is a mistake that the types catch: mypy complains when it is none any more.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from sukkal.client import (
    Client,
    Heard,
    HeldMessage,
    LeaseLost,
    Listening,
    Message,
    MessagesMissed,
    Posted,
    SyncClient,
    SyncHeldMessage,
    SyncListening,
)
from sukkal.client.nouns import Claim, Counts, Found, QueueEntry, SignedUrl, Subscription
from sukkal.client.refusals import QueueNotFound


async def a_program_posts_and_reads(client: Client) -> None:
    queue = client.queue("q")
    assert_type(await queue.create({"a": 1}), bool)
    assert_type(await queue.post({"n": 1}, ttl=60, key="k"), str)
    assert_type(await queue.post_many([1, "two"], delay=5), Posted)
    assert_type(await queue.stats(), Counts)
    assert_type(queue.messages(limit=5), AsyncIterator[Message])
    assert_type([each async for each in client.queues()], list[QueueEntry])
    assert_type(await queue.share(methods=["GET"]), SignedUrl)
    assert_type([each async for each in queue.subscriptions.all()], list[Subscription])
    assert_type([each async for each in client.find.events(q="x")], list[Found])
    await queue.post("x", tll=60)  # type: ignore[call-arg]
    await queue.post("x", ttl="60")  # type: ignore[arg-type]
    queue.post("never sent")  # type: ignore[unused-coroutine]


async def a_program_consumes(client: Client) -> None:
    async for message in client.queue("q").consume(prefetch=5):
        assert_type(message, HeldMessage)
        try:
            await message.ack()
        except LeaseLost:
            assert_type(message.lost, bool)
    async with client.queue("q").one() as one:
        assert_type(one, HeldMessage | None)
        one.body  # type: ignore[union-attr]  # noqa: B018

    async def handler(message: HeldMessage) -> None:
        await message.release(delay=5)

    await client.queue("q").work(handler, at_once=3)
    await client.queue("q").work(lambda message: None)  # type: ignore[arg-type, return-value]
    assert_type(await client.queue("q").call(1), Any)


async def a_program_listens(client: Client) -> None:
    listening = client.queue("q").listen(since="1.2")
    assert_type(listening, Listening)
    try:
        async for heard in listening:
            assert_type(heard, Heard)
            assert_type(heard.position, str | None)
    except MessagesMissed as missed:
        assert_type(missed.since, str | None)


def a_program_with_threads(client: SyncClient) -> None:
    queue = client.queue("q")
    assert_type(queue.create({"a": 1}), bool)
    assert_type(queue.post({"n": 1}, ttl=60), str)
    assert_type(queue.post_many([1]), Posted)
    assert_type(queue.messages(limit=5), Iterator[Message])
    assert_type(queue.claims(), Iterator[Claim])
    assert_type(client.queues(name="q"), Iterator[QueueEntry])
    assert_type(queue.subscriptions.create("http://example.org", ttl=60), str)
    assert_type(queue.listen(), SyncListening)
    queue.post("x", tll=60)  # type: ignore[call-arg]
    queue.post()  # type: ignore[call-arg]
    try:
        for message in queue.consume():
            assert_type(message, SyncHeldMessage)
            message.ack()
    except QueueNotFound as error:
        assert_type(error.code, str)
