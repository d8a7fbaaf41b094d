"""Filters and forms: what readers of all kinds get to see of events."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from sukkal import limits
from sukkal.formats import documents
from sukkal.sink import Delivery
from tests.api.calling import Service, refused
from tests.api.sockets import Socket
from tests.api.streams import Refused, Stream
from tests.api.test_deliveries import Obedient, subscribe
from tests.api.test_events import OSLO, event

CREATED: Final = [{"prefix": {"type": "compute.instance.create"}}]
SUBSCRIPTIONS: Final = "/v2/queues/q/subscriptions"


@pytest.fixture
def sink() -> Obedient:
    return Obedient()


@pytest.fixture
def service(start: Callable[..., Service], sink: Obedient) -> Service:
    return start(sink=sink)


def query(**parameters: Any) -> str:
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return "?" + urlencode({"echo": "true", **texts})


def stored(service: Service, id_: str) -> int:
    """Return how many deliveries wait for a subscription."""
    return len(service.get(f"{SUBSCRIPTIONS}/{id_}/deliveries").json()["deliveries"])


# -- subscriptions


def test_only_what_passes_its_filters_is_delivered_to_a_subscriber(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"filters": CREATED})
    subscribe(service, "test://all")
    service.post_bodies(OSLO, "hello", event("2"), event("3", type="compute.instance.delete"))
    service.deliver()
    assert [json.loads(body) for body in sink.bodies("test://one/x")] == [OSLO, event("2")]
    assert len(sink.bodies("test://all")) == 4


def test_what_does_not_pass_is_not_kept_for_the_subscriber(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"filters": CREATED, "_delivery_schedule": [60]})
    service.post_bodies("hello", "again")
    assert stored(service, id_) == 0


def test_a_changed_filter_counts_from_the_next_post(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"filters": CREATED})
    service.post_bodies(event("1"))
    changed = {"options": {"filters": [{"exact": {"id": "3"}}]}}
    assert service.patch(f"{SUBSCRIPTIONS}/{id_}", json=changed).status_code == 204
    service.post_bodies(event("2"), event("3"))
    service.deliver()
    assert [json.loads(body)["id"] for body in sink.bodies()] == ["1", "3"]


def test_a_filter_looks_at_messages_of_an_encrypted_queue(start: Callable[..., Service], sink: Obedient) -> None:
    service = start(sink=sink, encryption_keys="k:" + "A" * 43 + "=")
    service.put("/v2/queues/q", json={"_enable_encrypt_messages": True})
    subscribe(service, options={"filters": CREATED})
    service.post_bodies(event("1"), "hello")
    service.deliver()
    assert [json.loads(body) for body in sink.bodies()] == [event("1")]


def test_each_event_of_a_batch_goes_to_those_who_want_it(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"filters": [{"exact": {"id": "2"}}]})
    batch = {"content-type": "application/cloudevents-batch+json"}
    service.post("/v2/queues/q/events", content=json.dumps([event("1"), event("2")]), headers=batch)
    service.deliver()
    assert [json.loads(body)["id"] for body in sink.bodies()] == ["2"]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"exact": {"type": "x"}}, ["options.filters", "array"]),
        ([{"sql": "type LIKE 5"}], ["options.filters[0].sql", "character"]),
        ([{"nearly": {"type": "x"}}], ["options.filters[0]", "dialect"]),
    ],
)
def test_a_filter_that_cannot_be_used_is_refused_with_its_place(
    service: Service, filters: Any, words: list[str]
) -> None:
    document = {"subscriber": "test://x", "options": {"filters": filters}}
    refused(service.post(SUBSCRIPTIONS, json=document), 400, *words, title="Invalid filter")
    id_ = subscribe(service)
    refused(service.patch(f"{SUBSCRIPTIONS}/{id_}", json={"options": {"filters": filters}}), 400, *words)


# -- forms of deliveries


def only(sink: Obedient) -> Delivery:
    [delivery] = sink.given
    return delivery


def test_a_subscriber_gets_events_alone_if_it_asks_for_events(service: Service, sink: Obedient) -> None:
    subscribe(service, options={"format": "cloudevents"})
    [id_] = service.post_bodies("hello", ttl=300)
    service.deliver()
    delivery = only(sink)
    document = json.loads(delivery.body)
    assert delivery.media_type == "application/cloudevents+json"
    assert (document["id"], document["source"], document["data"]) == (id_, "/v2/queues/q", "hello")


def test_a_subscriber_gets_what_was_posted_from_a_queue_that_normalises(service: Service, sink: Obedient) -> None:
    service.put("/v2/queues/q", json={"_normalize": "cloudevents"})
    subscribe(service, options={"format": "native"})
    service.post_bodies(OSLO)
    service.deliver()
    assert (json.loads(only(sink).body), only(sink).media_type) == (OSLO, None)


def test_the_test_of_a_subscription_has_its_form(service: Service, sink: Obedient) -> None:
    id_ = subscribe(service, options={"format": "cloudevents"})
    assert service.post(f"{SUBSCRIPTIONS}/{id_}/test").status_code == 200
    assert only(sink).media_type == "application/cloudevents+json"
    assert json.loads(only(sink).body)["data"]["test"] is True


def test_an_unknown_form_of_deliveries_is_refused(service: Service) -> None:
    document = {"subscriber": "test://x", "options": {"format": "xml"}}
    refused(service.post(SUBSCRIPTIONS, json=document), 400, "options.format", "cloudevents or native")


# -- listings


def test_a_listing_shows_what_passes(service: Service) -> None:
    service.post_bodies(OSLO, "hello", event("2"), 17)
    assert service.bodies(query(filter=CREATED)) == [OSLO, event("2")]
    assert service.bodies(query(sql="id = '2'")) == [event("2")]
    assert service.bodies(query(filter=CREATED, sql="id != '2'", limit="1")) == [OSLO]
    assert [body["id"] for body in service.bodies(query(filter=CREATED, format="cloudevents"))] == ["m1", "2"]


@pytest.mark.parametrize("view", ["", "&include_claimed=true", "&include_delayed=true"])
def test_the_pages_of_a_filtered_listing_show_everything_once(service: Service, view: str) -> None:
    service.post_bodies(*[event(str(number), odd=number % 2 == 1) for number in range(9)])
    found = service.bodies(query(filter=[{"exact": {"odd": "true"}}], limit="2") + view)
    assert [body["id"] for body in found] == ["1", "3", "5", "7"]


def test_a_page_looks_at_so_many_messages_and_leads_on(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILTERED_MESSAGES_MAX", 4)
    monkeypatch.setattr(limits, "FILTERED_PAGE", 2)
    service.post_bodies(*["no"] * 6, event("last"))
    page = service.get("/v2/queues/q/messages" + query(filter=CREATED)).json()
    assert page["messages"] == []
    assert page["links"]
    assert service.bodies(query(filter=CREATED)) == [event("last")]


def test_a_page_looks_at_so_many_bytes_and_leads_on(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILTERED_BYTES_MAX", 100)
    service.post_bodies("x" * 200, "y", event("last"))
    assert service.get("/v2/queues/q/messages" + query(filter=CREATED)).json()["messages"] == []
    assert service.bodies(query(filter=CREATED)) == [event("last")]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"filter": "no json"}, ["filter", "JSON"]),
        ({"filter": "{}", "sql": "TRUE"}, ["filter", "array"]),
        ({"sql": "type ="}, ["sql", "character"]),
    ],
)
def test_a_filter_in_a_query_is_refused_with_its_place(
    service: Service, parameters: dict[str, str], words: list[str]
) -> None:
    refused(service.get("/v2/queues/q/messages" + query(**parameters)), 400, *words, title="Invalid filter")


# -- listeners


def test_a_stream_tells_of_what_passes(service: Service) -> None:
    with Stream(service, query=query(filter=CREATED)[1:]) as stream, Stream(service) as other:
        service.post_bodies("hello", event("1"))
        assert stream.bodies(1) == [event("1")]
        assert other.bodies(2) == ["hello", event("1")]
        assert stream.silent


def test_a_stream_that_comes_back_is_told_of_what_passed_meanwhile(service: Service) -> None:
    with Stream(service) as stream:
        last = stream.ready["id"]
    service.post_bodies("hello", event("1"))
    with Stream(service, query=query(sql="id = '1'", format="native", since=last)[1:]) as stream:
        assert stream.bodies(1) == [event("1")]


def test_a_stream_has_events_if_asked_to(service: Service) -> None:
    parameters = query(format="cloudevents")[1:]
    with Stream(service, query=parameters) as stream, Stream(service, query=parameters) as same:
        [id_] = service.post_bodies("hello")
        [body] = stream.bodies(1)
        assert (body["id"], body["data"]) == (id_, "hello")
        assert same.bodies(1) == [body]
    with pytest.raises(Refused, match="sql"):
        Stream(service, query="sql=(")


def test_the_same_filters_look_at_a_message_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []
    decode = documents.decode

    def look(body: bytes) -> Any:
        looked.append(body)
        return decode(body)

    monkeypatch.setattr(documents, "decode", look)
    subscribe(service, "test://one", options={"filters": CREATED})
    subscribe(service, "test://two", options={"filters": CREATED})
    service.post_bodies(event("1"))
    assert len(looked) == 1
    parameters = query(filter=CREATED)[1:]
    with Stream(service, query=parameters) as one, Stream(service, query=parameters) as two:
        service.post_bodies(event("2"))
        assert one.bodies(1) == two.bodies(1)
    assert len(looked) == 3


def test_a_message_is_decoded_once_for_filters_and_form(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.post_bodies(event("1"))
    decode = documents.decode
    looked: list[bytes] = []

    def look(body: bytes) -> Any:
        looked.append(body)
        return decode(body)

    monkeypatch.setattr(documents, "decode", look)
    answer = service.get(f"/v2/queues/q/messages{query(filter=CREATED, format='native')}").json()
    assert [each["body"]["id"] for each in answer["messages"]] == ["1"]
    assert len(looked) == 1


def test_listeners_of_a_queue_have_a_limited_number_of_filters(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LISTENER_FILTERS_MAX", 1)
    parameters = query(sql="id = '1'")[1:]
    with Stream(service), Stream(service, query=parameters), Stream(service, query=parameters):
        with pytest.raises(Refused, match="1 different filters"):
            Stream(service, query=query(sql="id = '2'")[1:])
        Stream(service, "/v2/queues/other/stream", query=query(sql="id = '2'")[1:]).__exit__()


def test_others_go_on_while_filters_look_at_many_messages(service: Service) -> None:
    subscribe(service, options={"filters": CREATED})
    order: list[str] = []

    async def post() -> None:
        messages = {"messages": [{"body": number} for number in range(1_000)]}
        assert (await service.request("POST", "/v2/queues/q/messages", json=messages)).status_code == 201
        order.append("many")

    async def ping() -> None:
        for _ in range(5):
            await service.request("GET", "/v2/ping")
        order.append("others")

    async def both() -> None:
        await asyncio.gather(post(), ping())

    service.run(both())
    assert order == ["others", "many"]


def test_a_websocket_is_pushed_what_passes_in_its_form(service: Service) -> None:
    with Socket(service) as socket:
        options = {"filters": CREATED, "format": "cloudevents"}
        made = socket.ask("subscription_create", {"queue_name": "q", "options": options})
        shown = socket.ask("subscription_get", {"queue_name": "q", "subscription_id": made.body["subscription_id"]})
        assert shown.body["options"] == options
        service.post_bodies("hello", OSLO)
        assert socket.receive()["body"]["id"] == "m1"
        wrong = {"queue_name": "q", "options": {"filters": [{"sql": "("}]}}
        socket.ask("subscription_create", wrong).refused(400, "options.filters[0].sql", "character")


def test_a_listing_over_websocket_shows_what_passes_in_its_form(service: Service) -> None:
    service.post_bodies("hello", OSLO)
    with Socket(service) as socket:
        wanted = {"queue_name": "q", "echo": True, "filters": CREATED, "format": "cloudevents"}
        [message] = socket.ask("message_list", wanted).body["messages"]
        assert message["body"]["sukkalformat"] == "oslo"
