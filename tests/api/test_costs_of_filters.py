"""What one tenant's filters and copies cost is done in parts: counted in turns of the event loop, not in time."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.model import QueueKey
from sukkal.service.hearing import Heard, Place
from sukkal.service.lenses import Lens, lens_of
from sukkal.service.listening import Listeners
from sukkal.service.posting import Posting
from tests.api.calling import Service, refused
from tests.api.test_events import event, post

KEY: Final = QueueKey("p", "q")
HEAVY: Final = [{"not": {"sql": f"subject = '{number}'"}} for number in range(4)]


async def turns_of(work: Coroutine[Any, Any, Any]) -> int:
    """Do the work, and return how many turns of the event loop others had meanwhile."""
    task, turns = asyncio.ensure_future(work), 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    await task
    return turns


def heavy_turns(lens: Lens, messages: int) -> int:
    """Return how many turns it takes at least to look at messages."""
    return messages * lens.weight // limits.FILTER_WEIGHT_AT_ONCE


async def paced() -> None:
    """Read at once."""


def test_what_was_missed_is_looked_at_in_parts(service: Service) -> None:
    service.post_bodies(*range(20))
    lens, heard = lens_of(HEAVY, None), list[Heard]()
    listeners: Listeners = service.app.listeners
    begun = service.run(listeners.begin(KEY, heard.append, lambda _: None, since=Place(0, 0), lens=lens))
    turns = service.run(turns_of(listeners.follow(begun.ear, paced)))
    assert [json.loads(each.body) for each in heard] == list(range(20))
    assert turns >= heavy_turns(lens, 20)


def test_what_was_held_is_heard_in_parts_and_in_order(service: Service) -> None:
    lens, heard = lens_of(HEAVY, None), list[Heard]()
    listeners: Listeners = service.app.listeners
    begun = service.run(listeners.begin(KEY, heard.append, lambda _: None, since=None, lens=lens))
    service.post_bodies(*range(20))

    async def follow_while_more_is_posted() -> int:
        following = asyncio.ensure_future(turns_of(listeners.follow(begun.ear, paced)))
        while begun.ear.held == 20:  # noqa: ASYNC110  turns are what is counted
            await asyncio.sleep(0)
        assert begun.ear.held > 0
        messages = {"messages": [{"body": number} for number in range(20, 24)]}
        await service.request("POST", "/v2/queues/q/messages", json=messages)
        return await following

    turns = service.run(follow_while_more_is_posted())
    for _ in range(20):
        service.run(asyncio.sleep(0))
    assert [json.loads(each.body) for each in heard] == list(range(24))
    assert turns >= heavy_turns(lens, 20)


def test_who_is_told_a_post_costs_what_its_filters_do_unless_another_has_looked(service: Service) -> None:
    lens = lens_of(HEAVY, None)
    listeners: Listeners = service.app.listeners
    begun = service.run(listeners.begin(KEY, lambda _: None, lambda _: None, since=None, lens=lens))
    heard = Heard("p", "q", "1", b"{}", 60, 0, 0, None, {})
    assert begun.ear.cost(heard) == 0, "it only waits"
    service.run(listeners.follow(begun.ear, paced))
    assert begun.ear.cost(heard) >= lens.weight // limits.WEIGHT_PER_TELLING
    begun.ear.tell(heard)
    assert begun.ear.cost(heard) == 0


def test_a_batch_of_events_goes_to_the_store_in_parts_each_with_its_copies(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "POSTED_AT_ONCE_ROWS", 8)
    publish, under_way, most = Posting.publish, 0, 0

    async def counted(posting: Posting, *arguments: Any, **named: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await publish(posting, *arguments, **named)
        finally:
            under_way -= 1

    monkeypatch.setattr(Posting, "publish", counted)
    filters: list[dict[str, Any]] = [{}, {}, {"filters": [{"suffix": {"id": "3"}}]}]
    for number, options in enumerate(filters):
        document = {"subscriber": f"http://h/{number}", "options": options}
        assert service.post("/v2/queues/q/subscriptions", json=document).status_code == 201
    assert post(service, *[event(str(number)) for number in range(16)]).status_code == 201
    assert most <= 3
    assert [body["id"] for body in service.bodies("?echo=true&limit=20")] == [str(number) for number in range(16)]
    listed = service.get("/v2/queues/q/subscriptions").json()["subscriptions"]
    waiting = {each["subscriber"]: each["id"] for each in listed}
    assert [deliveries(service, waiting[f"http://h/{number}"]) for number in range(3)] == [16, 16, 2]


def test_a_post_reaches_all_subscribers_however_many_are_looked_for_at_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ADDRESSEES_AT_ONCE_BYTES", 2 * limits.ADDRESSEE_BYTES)
    monkeypatch.setattr(limits, "SUBSCRIPTIONS_PER_POST", 3)
    for number in range(8):
        options: Any = {} if number % 3 else {"filters": [{"suffix": {"id": str(number)}}]}
        document = {"subscriber": f"http://h/{number}", "options": options}
        assert service.post("/v2/queues/q/subscriptions", json=document).status_code == 201
    for _ in range(2):
        service.post_bodies(event("16"))
    listed = service.get("/v2/queues/q/subscriptions").json()["subscriptions"]
    found = {each["subscriber"][-1]: deliveries(service, each["id"]) for each in listed}
    assert found == {"0": 0, "1": 2, "2": 2, "3": 0, "4": 2, "5": 2, "6": 2, "7": 2}


def deliveries(service: Service, id_: str) -> int:
    return len(service.get(f"/v2/queues/q/subscriptions/{id_}/deliveries?limit=20").json()["deliveries"])


def test_filters_of_subscriptions_have_a_bound(service: Service) -> None:
    large = [{"any": [{"exact": {"type": str(number), "source": "/s"}} for number in range(limits.FILTERS_MAX)]}]
    document = {"subscriber": "http://h/", "options": {"filters": large}}
    refused(service.post("/v2/queues/q/subscriptions", json=document), 400, "options.filters", "2500 parts")
