"""The source that claims from a queue, with services that answer late, oddly, or not themselves."""

import asyncio
import json
import threading
from typing import Final

import pytest
from tests.answering import Answering, Asked, Said

from sukkal import limits
from sukkal.source import SourceContext, SourceUnavailable
from sukkal.sources.queue import QueueSource

CONTEXT: Final = SourceContext(name="s", consumer="p", client_id="3381af92-2b9e-11e3-b191-71861300734c")
CLAIMED: Final = json.dumps({"messages": [{"href": "/v2/queues/q.1/messages/1?claim_id=c", "id": "1", "body": {}}]})


def made(service: Answering) -> QueueSource:
    return QueueSource({"url": service.url, "project": "p", "queues": {"p": "q.1"}}, CONTEXT)


async def unavailable(service: Answering) -> str:
    """Return why nothing can be had."""
    source = made(service)
    try:
        async with asyncio.timeout(30):
            with pytest.raises(SourceUnavailable) as told:
                await anext(source.receive())
    finally:
        await source.close()
    return str(told.value)


@pytest.mark.parametrize(
    "said",
    [
        Said(302, b"", {"Location": "https://elsewhere.example/"}),
        Said(200, b"<html>"),
        Said(201, b'{"messages": {}}'),
        Said(201, b'{"messages": [1]}'),
        Said(201, b'{"messages": [{"id": "1"}]}'),
        Said(201, b"[]"),
    ],
    ids=range(6),
)
def test_an_answer_of_something_else_is_told_once_and_not_asked_for_again_at_once(said: Said) -> None:
    with Answering(lambda asked: said) as service:
        reason = asyncio.run(unavailable(service))
        assert "is not" in reason
        assert len(service.asked) == 1


def test_what_has_nothing_at_once_is_asked_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        if seconds == limits.FORWARDER_CLAIM_PAUSE_S:
            pauses.append(seconds)
        await sleep(0 if seconds < 1 else seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    answers = [Said(204), Said(204), Said(201, CLAIMED.encode())]

    async def steps() -> None:
        source = made(service)
        assert (await anext(source.receive())).id == "1"
        await source.close()

    with Answering(lambda asked: answers.pop(0) if asked.method == "POST" else Said(204)) as service:
        asyncio.run(steps())
    assert len(pauses) == 2


def test_a_claim_that_ends_while_a_message_of_it_is_deleted_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FORWARDER_CLAIM_RENEWAL_S", 0)
    deleting, ended, told = threading.Event(), threading.Event(), threading.Event()

    def judge(asked: Asked) -> Said:
        if asked.method == "POST":
            return Said(201, CLAIMED.encode())
        if asked.method == "PATCH":
            assert deleting.wait(30)
            ended.set()
            return Said(404)
        deleting.set()
        # The answer to the renewal is read before this one, which comes when the source knows no claim.
        assert ended.wait(30)
        assert told.wait(30)
        return Said(204)

    async def steps() -> None:
        source = made(service)
        async with asyncio.timeout(30):
            came = await anext(source.receive())
            acknowledging = asyncio.create_task(source.acknowledge([came]))
            while source._claims:  # noqa: ASYNC110 - the source sets no event for a test
                await asyncio.sleep(0)
            told.set()
            await acknowledging
        await source.close()

    with Answering(judge) as service:
        asyncio.run(steps())


def test_a_claim_that_has_ended_leaves_room_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FORWARDER_CLAIM_RENEWAL_S", 0)

    async def steps() -> None:
        options = {"url": service.url, "project": "p", "queues": {"p": "q.1"}, "window": 1}
        source = QueueSource(options, CONTEXT)
        coming = source.receive()
        async with asyncio.timeout(30):
            assert [(await anext(coming)).id for _ in range(3)] == ["1", "1", "1"]
        await source.close()

    with Answering(lambda asked: Said(201, CLAIMED.encode()) if asked.method == "POST" else Said(404)) as service:
        asyncio.run(steps())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"messages": 1}', b'{"messages": {"free": "many"}}'])
def test_how_much_waits_is_unknown_if_something_else_answers(body: bytes) -> None:
    async def steps() -> int | None:
        source = made(service)
        await anext(source.receive())
        waiting = await source.waiting()
        await source.close()
        return waiting

    with Answering(lambda asked: Said(201, CLAIMED.encode()) if asked.method == "POST" else Said(200, body)) as service:
        assert asyncio.run(steps()) is None
