"""What is tried again, when, and what is not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import pytest

from sukkal.client import Client, NotConnected, Refused, Retries, Unreachable
from sukkal.client.refusals import Forbidden, StoreUnavailable, TooManyRequests, Unavailable
from tests.answering import Answering, Asked, Said
from tests.client.proxy import Proxy
from tests.client.service_here import ServiceHere

T = TypeVar("T")
QUICK: Final = Retries(first_s=0.001, longest_s=0.002)
POSTED: Final = Said(201, b'{"resources": ["/v2/queues/q/messages/1"]}')
POPPED: Final = Said(200, b'{"messages": []}')


class Loaded:
    """Chance that is none."""

    def share(self) -> float:
        return 0.5

    def name(self) -> str:
        return "5f4f9f0e-6f5c-4c6b-9d0e-3f2b6f0b7a10"


def run(url: str, test: Callable[[Client], Awaitable[T]], retries: Retries = QUICK, timeout: float = 10) -> T:
    async def running() -> T:
        client = Client(url, project="p", retries=retries, timeout=timeout, chance=Loaded())
        async with client:
            return await test(client)

    return asyncio.run(running())


def in_turn(*answers: Said) -> Callable[[Asked], Said]:
    left = list(answers)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(("attempt", "share", "pause_s"), [(0, 0, 0.05), (0, 1, 0.1), (3, 1, 0.8), (60, 0.5, 7.5)])
def test_pauses_double_up_to_a_bound_and_half_of_them_is_chance(attempt: int, share: float, pause_s: float) -> None:
    assert Retries().pause_s(attempt, share) == pytest.approx(pause_s)


def test_no_pause_is_shorter_than_the_service_asked_for() -> None:
    assert Retries().pause_s(0, 0.5, 3.0) == 3.0
    assert Retries().pause_s(9, 1, 3.0) == 10.0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_post_is_tried_again_with_the_same_key(status: int) -> None:
    with Answering(in_turn(Said(status), Said(status), POSTED)) as other:
        assert run(other.url, lambda client: client.queue("q").post(1)) == "1"
        assert len({asked.headers["idempotency-key"] for asked in other.asked}) == 1
        assert len(other.asked) == 3


@pytest.mark.parametrize(
    ("said", "times"),
    [
        (Said(500), 1),
        (Said(502), 1),
        (Said(503), 1),
        (Said(503, headers={"Error-Code": "store_unavailable"}), 1),
        (Said(503, headers={"Error-Code": "shutting_down", "Retry-After": "0"}), 2),
        (Said(429, headers={"Retry-After": "0"}), 2),
    ],
)
def test_what_is_not_safe_is_tried_again_only_if_nothing_was_done(said: Said, times: int) -> None:
    with Answering(in_turn(said, POPPED)) as other:
        if times == 1:
            with pytest.raises(Refused):
                run(other.url, lambda client: client.queue("q").pop())
        else:
            assert run(other.url, lambda client: client.queue("q").pop()) == []
        assert len(other.asked) == times


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    with Answering(in_turn(Said(status))) as other:
        with pytest.raises(Refused) as refused:
            run(other.url, lambda client: client.queue("q").post(1))
        assert refused.value.status == status
        assert len(other.asked) == 1


def test_when_the_time_is_over_the_last_error_is_told() -> None:
    said = Said(503, headers={"Error-Code": "store_unavailable"})
    with Answering(in_turn(said)) as other:
        with pytest.raises(StoreUnavailable):
            run(other.url, lambda client: client.queue("q").post(1), timeout=0.05)
        assert len(other.asked) > 1
        with pytest.raises(StoreUnavailable):
            run(other.url, lambda client: client.queue("q", timeout=0.05).post(1))


def test_a_service_that_asks_to_wait_longer_than_there_is_time_is_told() -> None:
    with Answering(in_turn(Said(429, headers={"Retry-After": "3600"}))) as other:
        with pytest.raises(TooManyRequests) as refused:
            run(other.url, lambda client: client.queue("q").post(1), timeout=0.05)
        assert refused.value.retry_after_s == 3600
        assert len(other.asked) == 1


def test_a_service_that_never_answers_is_given_up(service: ServiceHere) -> None:
    async def test() -> None:
        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.read()
            finally:
                writer.transport.abort()

        async with await asyncio.start_server(swallow, "127.0.0.1", 0) as silent:
            url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
            async with Client(url, project="p", timeout=0.05) as client:
                with pytest.raises(Unreachable, match=r"127\.0\.0\.1|0\.05 seconds"):
                    await client.queue("q").post(1)

    asyncio.run(test())


def test_a_service_that_is_not_there_yet_is_waited_for() -> None:
    async def test() -> None:
        with ServiceHere() as service:
            async with Proxy(service.url) as gone:
                url = gone.url
            port = int(url.rpartition(":")[2])
            async with Client(url, project="p", retries=QUICK) as client:
                posting = asyncio.create_task(client.queue("q").pop())
                async with Proxy(service.url, port=port):
                    assert await posting == []

    asyncio.run(test())


def test_no_connection_is_told_apart_from_no_answer() -> None:
    with pytest.raises(NotConnected):
        run("http://127.0.0.1:1", lambda client: client.ping(), timeout=0.05)


def test_a_cut_call_is_not_made_twice(service: ServiceHere) -> None:
    async def test() -> None:
        async with (
            Proxy(service.url) as proxy,
            Client(proxy.url, project="p", retries=QUICK) as client,
            Client(service.url, project="p") as direct,
        ):
            calling = asyncio.create_task(client.queue("q").call("once"))
            async with direct.queue("q").one() as message:
                assert message is not None
                proxy.cut_now()
                with pytest.raises(Unreachable):
                    await calling
            assert (await direct.queue("q").stats()).total == 0

    asyncio.run(test())


def test_consuming_goes_on_after_refusals_that_pass() -> None:
    claimed = Said(
        201,
        b'{"messages": [{"id": "1", "body": 1, "ttl": 60, "age": 0}]}',
        {"Location": "/v2/queues/q/claims/c"},
    )
    answers = in_turn(Said(503), Said(502), Said(429), claimed, Said(204))

    async def test(client: Client) -> list[int]:
        return [message.body async for message in client.queue("q").consume(wait=0, until_empty=True)]

    with Answering(answers) as other:
        assert run(other.url, test) == [1]
    with Answering(in_turn(Said(403))) as other, pytest.raises(Forbidden):
        run(other.url, test)


def test_a_lease_is_renewed_while_its_message_is_at_work_and_no_longer() -> None:
    claimed = Said(
        201,
        b'{"messages": [{"id": "1", "body": 1, "ttl": 60, "age": 0}]}',
        {"Location": "/v2/queues/q/claims/c"},
    )

    async def test(client: Client, other: Answering) -> None:
        async with client.queue("q").one(lease=1) as message:
            assert message is not None
            async with asyncio.timeout(30):
                while sum(asked.method == "PATCH" for asked in other.asked) < 4:  # noqa: ASYNC110 - it has threads
                    await asyncio.sleep(0.01)
            assert not message.lost

    def judge(asked: Asked) -> Said:
        return claimed if asked.method == "POST" else Said(204)

    with Answering(judge) as other:
        run(other.url, lambda client: test(client, other))
        assert [asked.method for asked in other.asked][-1] == "DELETE"


@pytest.mark.parametrize("said", [Said(404, headers={"Error-Code": "claim_not_found"}), Said(503)])
def test_a_lease_that_cannot_be_renewed_is_told_as_lost(said: Said) -> None:
    claimed = Said(
        201,
        b'{"messages": [{"id": "1", "body": 1, "ttl": 60, "age": 0}]}',
        {"Location": "/v2/queues/q/claims/c"},
    )

    async def test(client: Client) -> bool:
        consumer = client.queue("q").consume(lease=1)
        async with consumer:
            message = await consumer.take()
            assert message is not None
            await asyncio.wait_for(message.until_lost(), 20)
            return message.lost

    def judge(asked: Asked) -> Said:
        return {"POST": claimed, "PATCH": said}.get(asked.method, Said(204))

    with Answering(judge) as other:
        assert run(other.url, test)


def test_the_error_of_a_proxy_is_unavailable() -> None:
    with Answering(in_turn(Said(503, b"<html>"))) as other, pytest.raises(Unavailable) as refused:
        run(other.url, lambda client: client.queue("q").pop())
    assert refused.value.code == ""
