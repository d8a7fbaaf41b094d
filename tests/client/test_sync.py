"""The face for threads: it has what the other one has, and does the same."""

import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sukkal.client import Client, Consumer, HeldMessage, LeaseLost, Listening, Queue, SyncClient, SyncHeldMessage
from sukkal.client.finding import Finding
from sukkal.client.listeners import Listeners
from sukkal.client.refusals import MessageNotFound
from sukkal.client.subscriptions import Subscriptions
from sukkal.client.sync import (
    SyncConsumer,
    SyncFinding,
    SyncListeners,
    SyncListening,
    SyncQueue,
    SyncSubscriptions,
)
from tests.client.service_here import ServiceHere

FACES = [
    (Client, SyncClient),
    (Queue, SyncQueue),
    (Subscriptions, SyncSubscriptions),
    (Finding, SyncFinding),
    (Listeners, SyncListeners),
    (Consumer, SyncConsumer),
    (Listening, SyncListening),
    (HeldMessage, SyncHeldMessage),
]
# What an asynchronous program has and one with threads has not, with the reason.
NOT_THERE = {
    "Client.frames": "a conversation over WebSocket, in which nobody waits alone",
    "HeldMessage.lose": "for those who made the message",
    "HeldMessage.lease": "the claim that it shares with others",
}
OF_EACH_OBJECT = {HeldMessage: ("message", "settled"), Listening: ("position",)}


@pytest.fixture
def client(service: ServiceHere) -> Iterator[SyncClient]:
    with SyncClient(service.url, project="p") as client:
        yield client


def public(kind: type) -> dict[str, object]:
    found = {
        {"aclose": "close"}.get(name, name): getattr(kind, name)
        for name in dir(kind)
        if not name.startswith("_") and f"{kind.__name__}.{name}" not in NOT_THERE
    }
    return found | dict.fromkeys(OF_EACH_OBJECT.get(kind, ()))


@pytest.mark.parametrize(("one", "other"), FACES)
def test_both_faces_have_the_same_methods_with_the_same_parameters(one: type, other: type) -> None:
    ones, others = public(one), public(other)
    assert ones.keys() == others.keys()
    for name, method in ones.items():
        if callable(method):
            found = others[name]
            assert callable(found)
            parameters = [str(each.replace(annotation=inspect.Parameter.empty)) for each in parameters_of(method)]
            assert parameters == [
                str(each.replace(annotation=inspect.Parameter.empty)) for each in parameters_of(found)
            ], name
    assert [str(each) for each in parameters_of(Client)] == [str(each) for each in parameters_of(SyncClient)]


def parameters_of(function: object) -> list[inspect.Parameter]:
    assert callable(function)
    return [each for each in inspect.signature(function).parameters.values() if each.name != "self"]


def test_messages_are_posted_and_consumed(client: SyncClient) -> None:
    queue = client.queue("q")
    assert queue.create({"x": 1})
    queue.post_many(range(25))
    assert [message.body for message in queue.messages()] == list(range(25))
    assert [message.body for message in queue.consume(prefetch=4, wait=0, until_empty=True)] == list(range(25))
    assert queue.stats().total == 0
    assert [each.name for each in client.queues()] == ["q"]
    with pytest.raises(MessageNotFound):
        queue.get("01a1fd0d-2866-7000-871e-13779d1a50dc")


def test_a_loop_that_is_left_gives_back_what_it_held(client: SyncClient) -> None:
    queue = client.queue("q")
    queue.post_many(range(5))

    def consume() -> None:
        for message in queue.consume(prefetch=3):
            1 / (1 - message.body)

    with pytest.raises(ZeroDivisionError):
        consume()
    for message in queue.consume(prefetch=3):
        if message.body == 2:
            break
    assert (queue.stats().free, queue.stats().claimed) == (3, 0)


def test_one_is_taken_and_a_lost_one_is_told(service: ServiceHere, client: SyncClient) -> None:
    queue = client.queue("q")
    with queue.one(wait=0) as nothing:
        assert nothing is None
    queue.post("x")
    with pytest.raises(LeaseLost), queue.one():
        service.clock.advance(61_000)
    with queue.one() as message:
        assert message is not None
        assert message.claim_count == 2
    assert message.settled
    assert queue.stats().total == 0


def test_work_is_done_by_several_threads(client: SyncClient) -> None:
    queue = client.queue("q")
    queue.post_many(range(8))
    together, done = threading.Barrier(4), []

    def handler(message: SyncHeldMessage) -> None:
        together.wait(30)
        done.append(message.body)

    queue.work(handler, at_once=4, wait=0, until_empty=True)
    assert sorted(done) == list(range(8))
    assert queue.stats().total == 0


def test_calls_are_served(client: SyncClient) -> None:
    queue = client.queue("adder")
    with ThreadPoolExecutor() as threads:
        replies = [threads.submit(queue.call, {"add": [n, 1]}) for n in range(3)]
        queue.serve(lambda message: sum(message.body["add"]), wait=2, until_empty=True)
        assert sorted(reply.result() for reply in replies) == [1, 2, 3]


def test_what_is_posted_is_heard(client: SyncClient) -> None:
    queue = client.queue("q")
    with queue.listen() as listening:
        queue.post_many(["a", "b"])
        heard = iter(listening)
        assert [next(heard).body, next(heard).body] == ["a", "b"]
    queue.post("c")
    for each in queue.listen(since=listening.position):
        assert each.body == "c"
        break


def test_many_threads_share_a_client(client: SyncClient) -> None:
    queue = client.queue("q")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(queue.post, range(40)))
    assert queue.stats().total == 40


def test_a_closed_client_leaves_no_thread(service: ServiceHere) -> None:
    client = SyncClient(service.url, project="p")
    with client:
        client.ping()
    client.close()
    assert "sukkal-client" not in {thread.name for thread in threading.enumerate()}
