"""What comes between the moment when a listener comes and the moment when it reads what it has missed."""

import asyncio
import json
from collections.abc import Callable
from typing import Final

import pytest

from sukkal import limits
from sukkal.model import NewMessage, QueueKey
from sukkal.service.hearing import Heard, Place
from sukkal.service.listening import Begun
from tests.api.calling import Service

KEY: Final = QueueKey("p", "q")


class Listener:
    """A listener that reads when it is told to. ``ended`` is why no more came, ``paces`` how often it read."""

    def __init__(self, service: Service, since: Place | None = None) -> None:
        self._service = service
        self.bodies: list[bytes] = []
        self.ended = ""
        self.paces = 0
        begun = service.app.listeners.begin(KEY, self._hear, self._end, since=since)
        self.begun: Begun = service.run(begun)

    def _hear(self, heard: Heard) -> None:
        self.bodies.append(heard.body)

    def _end(self, reason: str) -> None:
        self.ended = reason

    async def _paced(self) -> None:
        self.paces += 1

    def follow(self) -> list[object]:
        """Read what was missed, and return the bodies of all that was heard so far."""
        self._service.run(self._service.app.listeners.follow(self.begun.ear, self._paced))
        return [json.loads(body) for body in self.bodies]


@pytest.fixture
def place(service: Service) -> Place:
    """Return a place behind which nothing is yet, in a queue that is there."""
    service.put("/v2/queues/q")
    return Listener(service).begun.ear.place


def pop(service: Service, count: int) -> None:
    assert service.delete(f"/v2/queues/q/messages?pop={count}").status_code == 200


def test_what_is_taken_before_a_new_listener_reads_is_heard(service: Service, place: Place) -> None:
    listener = Listener(service)
    service.post_bodies(1)
    service.post_bodies(2)
    pop(service, 1)
    assert listener.follow() == [1, 2]
    assert not listener.ended


def test_what_is_taken_before_one_who_came_back_reads_is_heard(service: Service, place: Place) -> None:
    service.post_bodies(1, 2)
    listener = Listener(service, place)
    assert listener.begun.recovered is True
    service.post_bodies(3)
    service.post_bodies(4)
    pop(service, 3)
    assert listener.follow() == [1, 2, 3, 4]
    assert not listener.ended


def test_whoever_was_warned_hears_all_the_rest_whatever_is_taken_meanwhile(service: Service, place: Place) -> None:
    for first in range(0, 60, 20):
        service.post_bodies(*range(first, first + 20))
    pop(service, 1)
    listener = Listener(service, place)
    assert listener.begun.recovered is False
    pop(service, 20)
    pop(service, 5)
    assert listener.follow() == [*range(1, 21), *range(26, 60)]
    assert not listener.ended


def test_what_is_held_comes_behind_all_that_was_there_before(service: Service, place: Place) -> None:
    for first in (0, 13):
        service.post_bodies(*range(first, first + 13))
    pop(service, 1)
    listener = Listener(service, place)
    (id_,) = service.post_bodies(100)
    service.post_bodies(101)
    assert service.delete(f"/v2/queues/q/messages/{id_}").status_code == 204
    assert listener.follow() == [*range(1, 26), 100, 101]


def test_large_messages_are_given_as_fast_as_they_are_read(service: Service, place: Place) -> None:
    size = limits.LISTENER_PACE_BYTES // 2
    for _ in range(4):
        service.post_bodies("x" * size)
    listener = Listener(service, place)
    listener.follow()
    assert len(listener.bodies) == 4
    assert listener.paces >= 1


def test_a_history_keeps_a_message_as_long_as_the_queue_does(service: Service) -> None:
    service.put("/v2/queues/q", json={"_history": 60})
    before = Listener(service).begun.ear.place
    service.post_bodies(1, ttl=3_600)
    service.pass_s(61)
    service.sweep()
    listener = Listener(service, before)
    assert listener.begun.recovered is True
    assert listener.follow() == [1]


def test_a_post_that_is_repeated_is_heard_once(service: Service, place: Place) -> None:
    listener = Listener(service, place)
    for _ in range(2):
        document = {"messages": [{"body": 1}]}
        posted = service.post("/v2/queues/q/messages", json=document, headers={"idempotency-key": "k"})
        assert posted.status_code == 201
        assert listener.follow() == [1]


def test_what_is_stored_is_heard_wherever_a_post_is_cancelled(start: Callable[..., Service], place: Place) -> None:
    service = start(own=False)
    listener = Listener(service, place)
    listener.follow()

    async def break_off(number: int, turns: int) -> None:
        document = {"messages": [{"body": number}]}
        posting = asyncio.ensure_future(service.request("POST", "/v2/queues/q/messages", json=document))
        for _ in range(turns):
            await asyncio.sleep(0)
        posting.cancel()
        await asyncio.wait([posting])

    for turns in range(60):
        service.run(break_off(turns, turns))
    service.post_bodies(60)
    stored = [each["body"] for each in service.get("/v2/queues/q/messages?echo=true&limit=20").json()["messages"]]
    heard = [json.loads(body) for body in listener.bodies]
    assert heard[: len(stored)] == stored
    assert service.get("/v2/queues/q/stats").json()["messages"]["total"] == len(heard)
    assert heard[-1] == 60


def announce(service: Service, numbers: range, places: list[Place]) -> None:
    """Tell those who listen of messages, as if they had just been stored."""
    messages = [NewMessage(id=f"id-{number}", body=b"%d" % number, ttl_s=60) for number in numbers]

    async def in_the_service() -> None:
        service.app.listeners.announce(KEY, messages, places)
        for _ in range(1 + len(numbers) // limits.TELLINGS_PER_TURN):
            await asyncio.sleep(0)

    service.run(in_the_service())


def test_what_was_stored_before_a_listener_came_and_announced_after_it_is_heard_once(
    service: Service, place: Place
) -> None:
    service.post_bodies(1)
    known = Listener(service, place)
    assert known.follow() == [1]
    listener = Listener(service, place)
    announce(service, range(1, 2), [known.begun.ear.place])
    assert listener.follow() == [1]
    new = Listener(service)
    announce(service, range(1, 2), [known.begun.ear.place])
    assert new.follow() == []


def test_what_waits_for_one_who_does_not_read_what_it_missed_has_a_bound(service: Service, place: Place) -> None:
    listener, most = Listener(service, place), limits.LISTENER_HELD_MAX
    numbers = range(1, most + 1)
    announce(service, numbers, [Place(place.epoch, place.sequence + number) for number in numbers])
    assert (listener.begun.ear.held, listener.ended) == (most, "")
    announce(service, range(most + 1, most + 2), [Place(place.epoch, place.sequence + most + 1)])
    assert listener.begun.ear.held == most
    assert "before what was missed had been read" in listener.ended


@pytest.mark.parametrize("way", ["pop", "purge", "delete"])
def test_what_is_gone_before_it_was_read_is_not_passed_over_in_silence(
    service: Service, place: Place, way: str
) -> None:
    for first in range(0, 60, 20):
        service.post_bodies(*range(first, first + 20))
    listener = Listener(service, place)
    assert listener.begun.recovered is True
    if way == "pop":
        for _ in range(2):
            pop(service, 20)
    elif way == "purge":
        service.post("/v2/queues/q/purge", json={"resource_types": ["messages"]})
    else:
        service.delete("/v2/queues/q")
    service.post_bodies(60)
    assert listener.follow() == list(range(20))
    assert "removed before they could be read" in listener.ended


def test_nobody_hears_twice_what_is_posted_while_it_reads(service: Service, place: Place) -> None:
    service.post_bodies(*range(20))
    service.post_bodies(20, 21)
    listener = Listener(service, place)
    service.post_bodies(22, queue="other")
    service.post_bodies(23)
    assert listener.follow() == [*range(22), 23]
    service.post_bodies(24)
    assert listener.follow() == [*range(22), 23, 24]
    assert not listener.ended


def test_a_place_that_the_queue_has_not_reached_is_none(service: Service, place: Place) -> None:
    # So it is after an older state of the store was put back.
    service.post_bodies(1)
    listener = Listener(service, Place(place.epoch, place.sequence + 1_000))
    assert listener.begun.recovered is False
    assert listener.follow() == [1]
    service.post_bodies(2)
    assert listener.follow() == [1, 2]


def post_at_once(service: Service, first: int, count: int) -> None:
    """Post so many messages to the queue in one request."""
    messages = [{"body": number, "ttl": 60} for number in range(first, first + count)]
    assert service.post("/v2/queues/q/messages", json={"messages": messages}).status_code == 201


def test_a_large_post_is_heard_once_and_in_order_by_all_who_come_before_and_after(
    service: Service, place: Place
) -> None:
    # What is told with the post is as much as a turn may tell; the rest waits when the answer comes.
    count = limits.TELLINGS_PER_TURN // 2
    here = [Listener(service) for _ in range(6)]
    for listener in here[:3]:
        listener.follow()
    post_at_once(service, 0, count)
    back, new = Listener(service, place), Listener(service)
    for listener in here[3:]:
        listener.follow()
    post_at_once(service, count, 3)
    assert back.follow() == list(range(count + 3))
    assert new.follow() == [count, count + 1, count + 2]
    told(service)
    for listener in here:
        assert [json.loads(body) for body in listener.bodies] == list(range(count + 3))
    assert not any(listener.ended for listener in [*here, back, new])


def test_who_leaves_or_is_sent_away_hears_nothing_more_of_a_large_post(service: Service, place: Place) -> None:
    # The one that asked for the place is there as well.
    listeners = [Listener(service) for _ in range(8)]
    for listener in listeners:
        listener.follow()

    async def post_and_go() -> int:
        numbers = range(1, limits.TELLINGS_PER_TURN)
        messages = [NewMessage(id=f"id-{number}", body=b"%d" % number, ttl_s=60) for number in numbers]
        places = [Place(place.epoch, place.sequence + number) for number in numbers]
        assert service.app.listeners.announce(KEY, messages, places) == len(listeners) + 1
        for listener in listeners[:4]:
            service.app.listeners.leave(listener.begun.ear)
        service.app.listeners.doubt(KEY)
        return sum(len(listener.bodies) for listener in listeners)

    heard = service.run(post_and_go())
    told(service)
    assert sum(len(listener.bodies) for listener in listeners) == heard <= limits.TELLINGS_PER_TURN
    assert [listener.ended != "" for listener in listeners] == [False] * 4 + [True] * 4


def test_posts_are_answered_no_faster_than_listeners_can_be_told(service: Service, place: Place) -> None:
    listeners, most = [Listener(service) for _ in range(40)], limits.MESSAGES_PER_POST_MAX
    for listener in listeners:
        listener.follow()
    for number in range(20):
        post_at_once(service, number * most, most)
    told(service, 2_000)
    assert not any(listener.ended for listener in listeners)
    assert {len(listener.bodies) for listener in listeners} == {20 * most}


def told(service: Service, turns: int = 100) -> None:
    """Let the event loop turn, more often than it takes to tell what waits."""

    async def turn() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    service.run(turn())
