"""Events exchanged over a WebSocket, by the binding of CloudEvents."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cloudevents.core.formats.json import JSONFormat
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from sukkal.service.lenses import lens_of
from sukkal.transports.http.exchange import Request, SocketResponse
from tests.api.calling import Service
from tests.api.sockets import Ended, Socket
from tests.serving import ServerProcess

NAME = "cloudevents.json"


def an_event(id_: str = "1", **more: Any) -> str:
    return json.dumps({"specversion": "1.0", "id": id_, "source": "/s", "type": "t", **more})


@pytest.fixture
def opened(service: Service) -> Iterator[Callable[..., Socket]]:
    sockets: list[Socket] = []

    def open_(query: str = "", **more: Any) -> Socket:
        headers = {"X-Project-Id": "p"} | more.pop("headers", {})
        more = {"path": "/v2/queues/q/events", "subprotocols": (NAME,)} | more
        sockets.append(Socket(service, query=query, headers=headers, **more))
        return sockets[-1]

    yield open_
    for socket in sockets:
        socket.close()


def received(socket: Socket) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(socket.raw()["text"])
    return event


def posted(service: Service, body: Any = "hello") -> None:
    service.post("/v2/queues/q/messages", json={"messages": [{"body": body, "ttl": 60}]})


def test_what_a_client_sends_is_posted_and_comes_to_all_who_listen(
    service: Service, opened: Callable[..., Socket]
) -> None:
    one, other = opened(), opened()
    assert one.subprotocol == NAME
    one.send(an_event("e1", data={"a": 1}))
    for socket in (one, other):
        assert received(socket) == json.loads(an_event("e1", data={"a": 1}))
    listed = service.get("/v2/queues/q/messages?echo=true").json()["messages"]
    assert [each["body"]["id"] for each in listed] == ["e1"]


def test_a_message_of_any_kind_comes_as_the_event_that_it_is(service: Service, opened: Callable[..., Socket]) -> None:
    socket = opened()
    posted(service, {"any": "thing"})
    text = socket.raw()["text"]
    event = JSONFormat().read(None, text)
    assert event.get_type() == "org.openstack.zaqar.message"
    assert event.get_data() == {"any": "thing"}


def test_only_what_passes_the_filters_comes(service: Service, opened: Callable[..., Socket]) -> None:
    socket = opened("sql=" + quote("type = 'wanted'"))
    for number, kind in enumerate(("other", "wanted")):
        socket.send(an_event(str(number), type=kind))
    assert received(socket)["id"] == "1"


def test_who_asks_for_positions_goes_on_from_one(service: Service, opened: Callable[..., Socket]) -> None:
    service.put("/v2/queues/q")
    first = opened("positions=true")
    ready = received(first)
    assert (ready["type"], ready["data"]) == ("sukkal.listening.ready", {"position": ready["id"]})
    posted(service, 1)
    place = received(first)["sukkalposition"]
    posted(service, 2)
    again = opened(f"since={place}")
    assert received(again)["data"] == {"position": place, "recovered": True}
    event = received(again)
    assert event["data"] == 2
    assert event["sukkalposition"] != place


@pytest.mark.parametrize("kind", ["queues", "topics"])
def test_where_listening_begins_is_told_by_what_is_listened_to(opened: Callable[..., Socket], kind: str) -> None:
    ready = received(opened("positions=true", path=f"/v2/{kind}/q/events"))
    assert (ready["type"], ready["source"]) == ("sukkal.listening.ready", f"/v2/{kind}/q")


def test_an_event_that_was_posted_with_a_position_gets_that_of_its_queue(opened: Callable[..., Socket]) -> None:
    socket = opened("positions=true")
    received(socket)
    socket.send(an_event(sukkalposition="5.5"))
    assert received(socket)["sukkalposition"] != "5.5"


@pytest.mark.parametrize(
    ("frame", "code", "word"),
    [
        ("{", 1008, "JSON"),
        (json.dumps({"specversion": "1.0", "id": "1"}), 1008, "source"),
        (an_event(expirytime="2001-01-01T00:00:00Z"), 1008, "expired"),
        (b"\x80", 1003, "text"),
    ],
)
def test_what_cannot_be_posted_ends_the_connection_with_the_reason(
    service: Service, opened: Callable[..., Socket], frame: str | bytes, code: int, word: str
) -> None:
    socket = opened()
    socket.send(frame)
    with pytest.raises(Ended) as ended:
        socket.raw()
    assert ended.value.code == code
    assert word in ended.value.reason
    assert len(ended.value.reason.encode()) <= 123
    assert service.get("/v2/queues/q/messages?echo=true").json()["messages"] == []


def test_what_came_before_the_client_went_away_is_posted(service: Service, opened: Callable[..., Socket]) -> None:
    socket = opened()
    for number in range(30):
        socket.send(an_event(str(number)))
    socket.close()
    listed = service.get("/v2/queues/q/messages?echo=true&limit=20").json()
    rest = service.get(listed["links"][0]["href"]).json()
    assert [each["body"]["id"] for each in listed["messages"] + rest["messages"]] == [str(n) for n in range(30)]


def test_nobody_listens_any_more_when_the_client_has_gone(service: Service, opened: Callable[..., Socket]) -> None:
    socket = opened()
    assert len(service.app.listeners) == 1
    socket.close()
    assert len(service.app.listeners) == 0


@pytest.mark.parametrize(
    ("query", "more", "status", "word"),
    [
        ("", {"subprotocols": ()}, 400, "cloudevents.json"),
        ("sql=type+%3D", {}, 400, "sql"),
        ("format=native", {}, 400, "format"),
        ("since=x", {}, 400, "position"),
        ("", {"path": "/v2/queues/a%20b/events"}, 400, "name"),
        ("", {"path": "/v2/queues/q/none/events"}, 404, ""),
    ],
)
def test_a_connection_is_refused_as_a_request_of_http_is(
    opened: Callable[..., Socket], query: str, more: dict[str, Any], status: int, word: str
) -> None:
    with pytest.raises(Ended) as refused:
        opened(query, **more)
    assert refused.value.code == status
    assert word in json.dumps(refused.value.document)


def test_plain_http_is_told_to_upgrade(service: Service) -> None:
    answer = service.get("/v2/queues/q/events")
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"


def test_a_topic_has_its_own_events(service: Service, opened: Callable[..., Socket]) -> None:
    socket = opened(path="/v2/topics/q/events")
    posted(service)
    socket.send(an_event("of the topic"))
    assert received(socket)["id"] == "of the topic"


def test_whoever_may_not_read_is_not_let_in_and_who_may_not_post_is_sent_away(
    start: Callable[..., Service], tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text('{"messages:get_all": "role:reader", "messages:create": "role:writer"}')
    service = start(policy_file=str(file))

    def open_(roles: str) -> Socket:
        headers = {"X-Project-Id": "p", "X-Roles": roles}
        return Socket(service, path="/v2/queues/q/events", subprotocols=(NAME,), headers=headers)

    with pytest.raises(Ended, match="403"):
        open_("writer")
    with open_("reader") as reader, open_("reader,writer") as both:
        both.send(an_event("1"))
        assert received(reader)["id"] == "1"
        reader.send(an_event("2"))
        with pytest.raises(Ended) as ended:
            reader.raw()
        assert (ended.value.code, "authorized" in ended.value.reason) == (1008, True)


def test_a_signed_url_listens_and_sends(start: Callable[..., Service]) -> None:
    service = start(signed_url_keys="k" * 32)
    signed = service.post("/v2/queues/q/share", json={"paths": ["events"], "methods": ["GET", "POST"]}).json()
    query = signed["query"] + "&positions=true"
    with Socket(
        service, path="/v2/queues/q/events", subprotocols=(NAME,), query=query, project=None, client=None
    ) as socket:
        assert received(socket)["type"] == "sukkal.listening.ready"
        socket.send(an_event("signed"))
        assert received(socket)["id"] == "signed"


def test_a_signed_url_that_only_listens_does_not_send(start: Callable[..., Service]) -> None:
    service = start(signed_url_keys="k" * 32)
    signed = service.post("/v2/queues/q/share", json={"paths": ["events"], "methods": ["GET"]}).json()
    with Socket(
        service, path="/v2/queues/q/events", subprotocols=(NAME,), query=signed["query"], project=None, client=None
    ) as socket:
        socket.send(an_event())
        with pytest.raises(Ended, match="1008"):
            socket.raw()


def test_a_real_client_exchanges_events_with_a_real_server(tmp_path: Any) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/data") as server:
        url = server.url.replace("http", "ws") + "/v2/queues/q/events"
        headers = {"X-Project-Id": "p", "Client-ID": "9d2cf5b8-6f7c-4a4e-8d51-3f5a2c3f1b11"}
        with connect(url, subprotocols=[NAME], additional_headers=headers) as client:  # type: ignore[list-item]
            assert client.subprotocol == NAME
            client.send(an_event("over the wire"))
            assert json.loads(client.recv(timeout=30))["id"] == "over the wire"
            client.send("no event")
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(timeout=30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008
        with pytest.raises(InvalidStatus, match="400"), connect(url, additional_headers=headers):
            pass


def test_filters_of_a_connection_cost_what_they_cost_elsewhere(service: Service) -> None:
    texts = {"sql": "type LIKE '%a%' OR subject LIKE '%b%'", "since": "1.1"}
    headers = {b"x-project-id": b"p"}
    request = Request("GET", "/v2/queues/q/events", urlencode(texts), headers, upgrades=True)
    answer = service.run(service.app.front(request))
    assert isinstance(answer, SocketResponse)
    wanted = lens_of([{"sql": texts["sql"]}], "cloudevents")
    told = [(each.filters, each.form, each.demands, each.weight, each.parts) for each in (answer.lens, wanted)]
    assert told[0] == told[1]
    assert answer.lens.weight > 0
