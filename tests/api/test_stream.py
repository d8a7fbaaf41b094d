"""Streams of server-sent events: what is posted, and what was missed."""

from contextlib import closing
from urllib.parse import urlencode

import pytest

from tests.api.calling import Service
from tests.api.streams import Refused, Stream


def test_what_is_posted_is_streamed_with_its_position(service: Service) -> None:
    with Stream(service) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["cache-control"] == "no-store"
        assert "x-openstack-request-id" in stream.headers
        assert stream.ready["event"] == "ready"
        assert stream.ready["data"] == {"position": stream.ready["id"]}
        (id_,) = service.post_bodies({"a": 1}, ttl=300)
        event = stream.event()
    assert list(event) == ["id", "data"]
    assert event["data"] == {
        "ttl": 300,
        "body": {"a": 1},
        "Message_Type": "Notification",
        "queue_name": "q",
        "message_id": id_,
        "position": event["id"],
    }


def test_a_stream_needs_no_client_id_and_tells_of_everybodys_messages(service: Service) -> None:
    with Stream(service, headers={"accept": "text/event-stream"}) as stream:
        service.post_bodies(1)
        assert stream.bodies(1) == [1]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_who_wants_something_else_than_events_is_refused(service: Service, accept: str) -> None:
    with pytest.raises(Refused, match=r"406.*text/event-stream"):
        Stream(service, headers={"accept": accept})


@pytest.mark.parametrize("way", ["header", "query"])
def test_whoever_reconnects_is_told_what_it_missed(service: Service, way: str) -> None:
    with Stream(service) as stream:
        service.post_bodies(1)
        last = stream.event()["id"]
    service.post_bodies(2, 3)
    query, headers = (urlencode({"since": last}), {}) if way == "query" else ("", {"last-event-id": last})
    with Stream(service, query=query, headers=headers) as stream:
        assert stream.ready["data"] == {"position": last, "recovered": True}
        service.post_bodies(4)
        assert stream.bodies(3) == [2, 3, 4]


def test_a_stream_says_when_something_is_missing(service: Service) -> None:
    with Stream(service) as stream:
        last = stream.ready["id"]
    service.post_bodies(1, 2)
    service.delete("/v2/queues/q/messages?pop=1")
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is False
        assert stream.bodies(1) == [2]


@pytest.mark.parametrize("history", [0, 3600])
def test_much_that_was_missed_comes_in_order_with_what_is_posted_meanwhile(service: Service, history: int) -> None:
    service.put("/v2/queues/q", json={"_history": history})
    with Stream(service) as stream:
        last = stream.ready["id"]
    for first in range(0, 240, 20):
        service.post_bodies(*range(first, first + 20))
    with Stream(service, headers={"last-event-id": last}) as stream:
        stream.deafen()
        service.post_bodies(*range(240, 260))
        stream.listen()
        assert stream.bodies(260) == list(range(260))
        assert stream.silent


def test_a_client_that_does_not_read_is_told_why_its_stream_ended_and_can_go_on(service: Service) -> None:
    big = "x" * 200_000
    with Stream(service) as stream:
        service.post_bodies(0)
        last = stream.event()["id"]
        stream.deafen()
        for _ in range(25):
            service.post_bodies(big)
        assert len(service.app.listeners) == 1
        stream.listen()
        seen = 0
        while (event := stream.event()).get("event") != "end":
            seen, last = seen + 1, event["id"]
        assert "wait to be read" in event["data"]["reason"]
        with pytest.raises(EOFError):
            stream.event()
    with Stream(service, headers={"last-event-id": last}) as stream:
        assert stream.ready["data"]["recovered"] is True
        assert stream.bodies(25 - seen) == [big] * (25 - seen)


def test_a_stream_that_ends_leaves_nobody_listening(service: Service) -> None:
    with Stream(service), Stream(service):
        assert len(service.app.listeners) == 2
    assert len(service.app.listeners) == 0


def test_streams_end_when_the_service_stops(service: Service) -> None:
    with Stream(service) as stream:
        service.app.listeners.close()
        assert stream.event() == {"event": "end", "data": {"reason": "The service is stopping."}}
        with pytest.raises(EOFError):
            stream.event()


def test_topics_are_streamed_apart_from_queues(service: Service) -> None:
    with Stream(service, "/v2/topics/q/stream") as stream:
        service.post_bodies(1)
        service.post("/v2/topics/q/messages", json={"messages": [{"body": 2}]})
        assert stream.bodies(1) == [2]


def test_a_queue_that_stores_nothing_is_heard_without_positions(service: Service) -> None:
    service.put("/v2/queues/q", json={"_persistence": "none"})
    with Stream(service) as stream:
        service.post_bodies(1)
        event = stream.event()
        assert list(event) == ["data"]
        assert event["data"]["body"] == 1


@pytest.mark.parametrize("since", ["x", "1", "-1.1"])
def test_a_position_that_is_none_is_refused(service: Service, since: str) -> None:
    with pytest.raises(Refused, match="position"):
        Stream(service, query=urlencode({"since": since}))
    assert len(service.app.listeners) == 0


def test_a_signed_url_opens_a_stream_to_whoever_has_it() -> None:
    with closing(Service("memory://", signed_url_keys="k" * 32)) as service:
        signed = service.post("/v2/queues/q/share", json={"paths": ["stream"]}).json()
        query = urlencode(
            {
                "URL-Paths": ",".join(signed["paths"]),
                "URL-Methods": ",".join(signed["methods"]),
                "X-Project-Id": signed["project"],
                "URL-Expires": signed["expires"],
                "URL-Signature": signed["signature"],
            }
        )
        with Stream(service, query=query, headers={"x-project-id": ""}) as stream:
            service.post_bodies(1)
            assert stream.bodies(1) == [1]
            last = stream.ready["id"]
        with Stream(service, query=f"{query}&since={last}", headers={"x-project-id": ""}) as stream:
            assert stream.bodies(1) == [1]
        with pytest.raises(Refused, match="404"):
            Stream(service, "/v2/queues/other/stream", query=query, headers={"x-project-id": ""})


def test_a_stream_that_cannot_go_on_says_so(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*what: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(service.app.listeners, "follow", fail)
    with Stream(service) as stream:
        assert stream.event() == {"event": "end", "data": {"reason": "The service failed. Its log says why."}}
