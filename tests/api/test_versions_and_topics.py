"""The older version of the API, and topics: the same operations at other places."""

import pytest

from tests.api.calling import Service, refused


def test_v1_1_shows_metadata_as_they_were_given(service: Service) -> None:
    assert service.get("/v1.1/queues/a").json() == {}
    assert service.put("/v1.1/queues/a", json={"k": 1}).headers["location"] == "/v1.1/queues/a"
    assert service.put("/v1.1/queues/a", json={"k": 2}).status_code == 204
    assert service.get("/v1.1/queues/a").json() == {"k": 1}
    listed = service.get("/v1.1/queues?detailed=true&limit=1").json()
    assert listed["queues"] == [{"name": "a", "metadata": {"k": 1}, "href": "/v1.1/queues/a"}]
    assert listed["links"][0]["href"] == "/v1.1/queues?limit=1&detailed=true&marker=a"
    assert "count" not in service.get("/v1.1/queues?with_count=true").json()


def test_v1_1_posts_claims_and_deletes(service: Service) -> None:
    ids = service.post_bodies(0, 1, 2, 3, version="v1.1", ttl=300)
    page = service.get("/v1.1/queues/q/messages?echo=true&limit=2").json()
    assert page["messages"][0]["href"] == f"/v1.1/queues/q/messages/{ids[0]}"
    assert page["links"][0]["href"].startswith("/v1.1/queues/q/messages?limit=2&echo=true&marker=")
    response = service.post("/v1.1/queues/q/claims?limit=2", json={"ttl": 60, "grace": 60})
    claim = response.headers["location"]
    assert claim.startswith("/v1.1/queues/q/claims/")
    href = response.json()["messages"][0]["href"]
    refused(service.delete(href.partition("?")[0]), 403)
    assert service.delete(href).status_code == 204
    assert service.patch(claim, json={"ttl": 100}).status_code == 204
    assert [each["body"] for each in service.get(claim).json()["messages"]] == [1]
    assert service.delete(claim).status_code == 204
    assert [each["body"] for each in service.delete("/v1.1/queues/q/messages?pop=2").json()["messages"]] == [1, 2]
    assert service.get("/v1.1/queues/q/stats").json()["messages"]["total"] == 1


def test_v1_1_knows_no_delay_and_no_attributes(service: Service) -> None:
    service.put(
        "/v2/queues/q", json={"_default_message_ttl": 100, "_default_message_delay": 60, "_max_messages_post_size": 40}
    )
    service.post_bodies("a body that is longer than forty bytes", version="v1.1", delay=60)
    (message,) = service.get("/v1.1/queues/q/messages?echo=true").json()["messages"]
    assert message["ttl"] == 3600


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/v1.1/queues/q", 405),
        ("POST", "/v1.1/queues/q/purge", 404),
        ("POST", "/v1.1/queues/q/share", 404),
        ("GET", "/v1.1/queues/q/claims", 405),
        ("GET", "/v1.1/topics", 404),
        ("GET", "/v1.1/queues/q/metadata", 404),
        ("HEAD", "/v1.1/queues/q", 405),
    ],
)
def test_v1_1_has_not(service: Service, method: str, path: str, status: int) -> None:
    assert service.call(method, path).status_code == status


def test_both_versions_are_faces_of_the_same_queue(service: Service) -> None:
    service.post_bodies("old", version="v1.1")
    service.post_bodies("new")
    assert service.bodies() == ["old", "new"]


def test_topics_are_queues_in_a_name_space_of_their_own(service: Service) -> None:
    assert service.put("/v2/topics/t", json={"a": 1}).headers["location"] == "/v2/topics/t"
    service.put("/v2/queues/t", json={"a": 2})
    assert service.get("/v2/topics/t").json()["a"] == 1
    assert service.get("/v2/topics").json()["topics"] == [{"name": "t", "href": "/v2/topics/t"}]
    assert service.get("/v2/queues").json()["queues"] == [{"name": "t", "href": "/v2/queues/t"}]
    posted = service.post("/v2/topics/t/messages", json={"messages": [{"body": 1}]})
    assert posted.json()["resources"][0].startswith("/v2/topics/t/messages/")
    (message,) = service.get("/v2/topics/t/messages?echo=true").json()["messages"]
    assert service.get(message["href"]).json() == message
    assert service.bodies(queue="t") == []
    assert service.get("/v2/topics/t/stats").json()["messages"]["total"] == 1
    assert service.post("/v2/topics/t/purge").status_code == 204
    assert service.get("/v2/topics/t/stats").json()["messages"]["total"] == 0
    assert service.delete("/v2/topics/t").status_code == 204
    assert service.get("/v2/queues/t").json()["a"] == 2
    assert service.post("/v2/topics/t/claims").status_code == 404
