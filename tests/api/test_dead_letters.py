"""Dead letters for those who have subscribed to their queue, and that circles of such queues end."""

import base64
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.errors import ClaimNotFound
from sukkal.model import QueueKey, View
from sukkal.service.encryption import is_sealed
from sukkal.sink import Outcome
from tests.api.calling import Service
from tests.api.streams import Stream
from tests.api.test_deliveries import GOOD, Obedient, sink, start, subscribe
from tests.api.test_forwarding import bodies
from tests.api.test_forwarding import ledger as ledger_of

__all__ = ["sink", "start"]  # fixtures

NEVER: Final = Outcome(delivered=False, permanent=True, error="Never.")
AGENT: Final = "test://agent"


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start()


def claim_to_death(service: Service, queue: str = "q", times: int = 1) -> None:
    """Claim what is in a queue so often, until the claims have ended, and let the letters be moved."""
    for _ in range(times):
        service.claim("?limit=20", queue=queue, ttl=60, grace=60)
        service.pass_s(60)
    service.sweep()
    service.deliver()


def detailed(service: Service, queue: str) -> list[dict[str, Any]]:
    return list(service.get(f"/v2/queues/{queue}/messages?echo=true&detailed=true").json()["messages"])


def test_what_was_claimed_too_often_is_delivered_to_subscribers_of_the_dead_letter_queue(
    service: Service, sink: Obedient
) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    subscribe(service, AGENT, queue="dead")
    subscribe(service, "test://other", queue="dead")
    with Stream(service, "/v2/queues/dead/stream") as stream:
        ids = service.post_bodies("x", {"y": 1})
        assert sink.given == []
        claim_to_death(service)
        assert stream.bodies(2) == ["x", {"y": 1}]
    for subscriber in (AGENT, "test://other"):
        assert sink.bodies(subscriber) == ['"x"', '{"y":1}']
    assert [each.id for each in sink.given if each.subscriber == AGENT] == ids
    assert {each.queue_name for each in sink.given} == {"dead"}
    assert bodies(service, "dead") == ["x", {"y": 1}]


def test_what_cannot_be_delivered_is_delivered_to_subscribers_of_the_dead_letter_queue(
    service: Service, sink: Obedient
) -> None:
    sink.outcomes["test://one/x"] = NEVER
    subscribe(service, options={"_dead_letter_queue": "dead"})
    subscribe(service, AGENT, queue="dead")
    service.post_bodies("x")
    service.deliver()
    assert sink.bodies(AGENT) == ['"x"']
    (letter,) = detailed(service, "dead")
    assert letter["dead_letter"]["error"] == "Never."
    assert "passed" not in letter


def test_a_letter_of_several_subscriptions_is_delivered_once(service: Service, sink: Obedient) -> None:
    for name in ("test://one/x", "test://two"):
        sink.outcomes[name] = NEVER
        subscribe(service, name, options={"_dead_letter_queue": "dead"})
    subscribe(service, AGENT, queue="dead")
    service.post_bodies("x")
    service.deliver()
    service.deliver()
    assert len(sink.given) == 3
    assert sink.bodies(AGENT) == ['"x"']


def test_a_letter_that_is_moved_again_is_delivered_once(
    service: Service, sink: Obedient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    subscribe(service, AGENT, queue="dead")
    store = service.app.sweeper._burials._store
    settle = store.settle
    lost: list[str] = []

    async def forgetful(key: Any, claim_id: str, settlements: Any, **more: Any) -> Any:
        if key.name == "q" and not lost:
            lost.append(claim_id)
            raise ClaimNotFound("As if the process had died before.")
        return await settle(key, claim_id, settlements, **more)

    service.post_bodies("x")
    service.claim(ttl=60, grace=60)
    service.pass_s(60)
    monkeypatch.setattr(store, "settle", forgetful)
    service.sweep()
    service.deliver()
    service.pass_s(limits.CLAIM_TTL_S_MIN)
    service.sweep()
    service.deliver()
    assert len(lost) == 1
    assert bodies(service, "q") == []
    assert sink.bodies() == ['"x"']


@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "encrypted"])
def test_a_queue_that_normalises_gets_letters_as_events(
    start: Callable[..., Service], sink: Obedient, encrypted: bool
) -> None:
    service = start(encryption_keys="k:" + base64.b64encode(bytes(32)).decode())
    service.put("/v2/queues/dead", json={"_normalize": "cloudevents"})
    rule = {"_max_claim_count": 1, "_dead_letter_queue": "dead", "_enable_encrypt_messages": encrypted}
    service.put("/v2/queues/q", json=rule)
    subscribe(service, AGENT, queue="dead")
    unreadable = "1e9999999999999999999"
    service.post("/v2/queues/q/messages", content=f'{{"messages": [{{"body": {{"a": 1}}}}, {{"body": {unreadable}}}]}}')
    claim_to_death(service)
    first, second = bodies(service, "dead")
    assert (first["source"], first["data"]) == ("/v2/queues/dead", {"a": 1})
    assert base64.b64decode(second["data_base64"]).decode() == unreadable
    assert [json.loads(body) for body in sink.bodies(AGENT)] == [first, second]
    page = service.run(
        service.app.deliveries._store.browse(
            QueueKey("p", "dead"), after=None, limit=2, view=View(), now_ms=service.clock()
        )
    )
    assert [is_sealed(message.body) for message in page.messages] == [encrypted] * 2


def test_letters_of_an_encrypted_queue_are_delivered_in_the_clear(
    start: Callable[..., Service], sink: Obedient
) -> None:
    service = start(encryption_keys="k:" + base64.b64encode(bytes(32)).decode())
    rule = {"_max_claim_count": 1, "_dead_letter_queue": "dead", "_enable_encrypt_messages": True}
    service.put("/v2/queues/q", json=rule)
    subscribe(service, AGENT, queue="dead")
    service.post_bodies("secret")
    claim_to_death(service)
    assert sink.bodies() == ['"secret"']


def test_filters_look_at_letters_in_the_clear(start: Callable[..., Service], sink: Obedient) -> None:
    service = start(encryption_keys="k:" + base64.b64encode(bytes(32)).decode())
    rule = {"_max_claim_count": 1, "_dead_letter_queue": "dead", "_enable_encrypt_messages": True}
    service.put("/v2/queues/q", json=rule)
    subscribe(service, AGENT, queue="dead", options={"filters": [{"exact": {"type": "wanted"}}]})
    for number, kind in enumerate(("wanted", "other", "wanted")):
        service.post_bodies({"specversion": "1.0", "id": str(number), "source": "/s", "type": kind})
    claim_to_death(service)
    assert [each["id"] for each in map(json.loads, sink.bodies())] == ["0", "2"]
    assert len(bodies(service, "dead")) == 3


def test_a_letter_that_cannot_be_read_is_kept_and_goes_to_nobody(tmp_path: Path, sink: Obedient) -> None:
    def started(number: int) -> Service:
        key = base64.b64encode(bytes([number]) * 32).decode()
        return Service(
            f"sqlite:///{tmp_path}", sink=sink, first_id=1 + 1_000 * number, encryption_keys=f"k{number}:{key}"
        )

    with closing(started(0)) as service:
        rule = {"_max_claim_count": 1, "_dead_letter_queue": "dead", "_enable_encrypt_messages": True}
        service.put("/v2/queues/q", json=rule)
        subscribe(service, AGENT, queue="dead")
        service.post_bodies("x")
        service.claim(ttl=60, grace=60)
    with closing(started(1)) as service:
        service.pass_s(60)
        service.sweep()
        service.deliver()
        assert sink.given == []
    with closing(started(0)) as service:
        service.pass_s(120)
        assert bodies(service, "dead") == ["x"]


def test_a_dead_letter_queue_that_is_its_own_keeps_a_letter_and_goes_no_further(
    service: Service, sink: Obedient
) -> None:
    sink.outcomes[AGENT] = NEVER
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    id_ = subscribe(service, AGENT, queue="dead", options={"_dead_letter_queue": "dead"})
    service.post_bodies("x")
    claim_to_death(service)
    for take_it in (False, True):
        if take_it:
            service.delete("/v2/queues/dead/messages?pop=1")
        for _ in range(3):
            service.deliver()
            service.pass_s(3_600)
    assert len(sink.given) == 1
    assert ledger_of(service, "dead", id_) == []


def test_a_letter_that_was_taken_comes_back_once_and_is_not_tried_again(service: Service, sink: Obedient) -> None:
    sink.outcomes[AGENT] = Outcome(delivered=False, error="Not now.")
    options = {"_retry_schedule": [600], "_dead_letter_queue": "dead"}
    subscribe(service, AGENT, queue="dead", options=options)
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    service.post_bodies("x", ttl=86_400)
    claim_to_death(service)
    service.delete("/v2/queues/dead/messages?pop=1")
    for _ in range(4):
        service.pass_s(3_600)
        service.deliver()
    assert len(sink.given) == 2
    assert bodies(service, "dead") == ["x"]


def test_queues_that_are_each_others_dead_letter_queues_end_as_well(service: Service, sink: Obedient) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        sink.outcomes[f"test://{name}"] = Outcome(delivered=False, error="Not now.")
        options = {"_retry_schedule": [600], "_dead_letter_queue": other}
        subscribe(service, f"test://{name}", queue=name, options=options)
    service.post_bodies("x", queue="a", ttl=86_400)
    for _ in range(6):
        service.deliver()
        service.delete("/v2/queues/a/messages?pop=1")
        service.delete("/v2/queues/b/messages?pop=1")
        service.pass_s(3_600)
    assert [each.subscriber for each in sink.given] == ["test://a"] * 2 + ["test://b"] * 2


def test_a_message_that_consumers_carry_in_a_circle_does_not_grow(service: Service) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        service.put(f"/v2/queues/{name}", json={"_max_claim_count": 1, "_dead_letter_queue": other})
    service.post_bodies("x", queue="a", ttl=86_400)
    sizes = []
    for _ in range(2 * limits.QUEUE_HOPS_MAX):
        for name in ("a", "b"):
            claim_to_death(service, name)
        page = service.run(
            service.app.deliveries._store.browse(
                QueueKey("p", "a"), after=None, limit=1, view=View(), now_ms=service.clock()
            )
        )
        sizes.append(len(page.messages[0].attributes or b""))
    assert len(set(sizes)) == 1


def forward(service: Service, source: str, target: str) -> str:
    return subscribe(service, f"queue:{target}", queue=source)


def test_a_dead_letter_is_not_forwarded_to_where_it_died(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    id_ = forward(service, "dead", "q")
    service.post_bodies("x")
    claim_to_death(service)
    assert (bodies(service, "q"), bodies(service, "dead")) == ([], ["x"])
    (entry,) = ledger_of(service, "dead", id_)
    assert "circle" in entry["error"]


def test_a_circle_of_forwarding_and_claims_ends(service: Service) -> None:
    forward(service, "a", "b")
    service.put("/v2/queues/b", json={"_max_claim_count": 1, "_dead_letter_queue": "c"})
    forward(service, "c", "d")
    service.put("/v2/queues/d", json={"_max_claim_count": 1, "_dead_letter_queue": "e"})
    last = forward(service, "e", "a")
    service.post_bodies("x", queue="a", ttl=86_400)
    service.deliver()
    claim_to_death(service, "b")
    assert bodies(service, "d") == ["x"]
    claim_to_death(service, "d")
    assert (bodies(service, "e"), bodies(service, "a")) == (["x"], ["x"])
    (entry,) = ledger_of(service, "e", last)
    assert "circle" in entry["error"]


def test_a_letter_goes_through_so_many_queues_and_no_more(service: Service, sink: Obedient) -> None:
    count = limits.QUEUE_HOPS_MAX + 3
    for number in range(count):
        name = f"test://{number}"
        sink.outcomes[name] = NEVER
        subscribe(service, name, queue=f"q{number}", options={"_dead_letter_queue": f"q{number + 1}"})
    service.post_bodies("x", queue="q0")
    service.deliver()
    assert len(sink.given) == limits.QUEUE_HOPS_MAX + 1
    last = len(sink.given)
    assert bodies(service, f"q{last}") == ["x"], "where it is kept"


def test_subscribers_of_a_full_backlog_do_not_keep_a_letter_from_its_queue(
    start: Callable[..., Service], sink: Obedient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DELIVERY_EXTRA_BYTES", limits.BACKLOG_BYTES_MAX_MIN)
    service = start(max_backlog_size=limits.BACKLOG_BYTES_MAX_MIN)
    service.put("/v2/queues/q", json={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
    subscribe(service, AGENT, queue="dead")
    sink.outcomes[AGENT] = GOOD
    service.post_bodies("x")
    claim_to_death(service)
    assert (sink.given, bodies(service, "dead")) == ([], ["x"])
