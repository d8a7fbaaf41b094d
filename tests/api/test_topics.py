"""Topics: everything that a queue has but claims, under paths of their own."""

import pytest

from tests.api.calling import PATCH_TYPE, Service, refused

TOPIC = "/v2/topics/t"


def test_every_path_that_a_topic_tells_is_its_own(service: Service) -> None:
    posted = service.post(f"{TOPIC}/messages", json={"messages": [{"body": number} for number in range(3)]})
    paths = [*posted.json()["resources"], posted.headers["location"]]
    page = service.get(f"{TOPIC}/messages?echo=true&limit=2").json()
    paths += [each["href"] for each in page["messages"]] + [page["links"][0]["href"]]
    stats = service.get(f"{TOPIC}/stats").json()["messages"]
    paths += [stats["oldest"]["href"], stats["newest"]["href"]]
    paths += [each["href"] for each in service.get("/v2/topics").json()["topics"]]
    assert all(path.startswith("/v2/topics/t") for path in paths)
    assert all(service.get(path).status_code == 200 for path in paths)


def test_a_topic_has_metadata(service: Service) -> None:
    created = service.put(TOPIC, json={"a": 1, "_default_message_ttl": 100})
    assert (created.status_code, created.headers["location"]) == (201, TOPIC)
    assert service.put(TOPIC, json={"a": 2}).status_code == 204
    changes = [{"op": "replace", "path": "/metadata/a", "value": 3}]
    changed = service.patch(TOPIC, json=changes, headers={"content-type": PATCH_TYPE}).json()
    assert (changed["a"], changed["_default_message_ttl"], changed["_max_messages_post_size"]) == (3, 100, 262_144)
    refused(service.put("/v2/topics/other", json={"_default_message_ttl": 1}), 400, "_default_message_ttl")


def test_messages_of_a_topic_are_popped_and_deleted(service: Service) -> None:
    document = {"messages": [{"body": number} for number in range(4)]}
    paths = service.post(f"{TOPIC}/messages", json=document).json()["resources"]
    assert [each["body"] for each in service.delete(f"{TOPIC}/messages?pop=1").json()["messages"]] == [0]
    assert service.delete(paths[1]).status_code == 204
    assert service.delete(f"{TOPIC}/messages?ids={paths[2].rpartition('/')[2]}").status_code == 204
    left = service.get(f"{TOPIC}/messages?echo=true").json()["messages"]
    assert [each["body"] for each in left] == [3]
    assert service.post(f"{TOPIC}/purge").status_code == 204
    assert service.get(f"{TOPIC}/messages?echo=true").json() == {"messages": [], "links": []}


@pytest.mark.parametrize(("here", "there"), [("topics", "queues"), ("queues", "topics")])
def test_a_topic_and_a_queue_of_one_name_share_nothing(service: Service, here: str, there: str) -> None:
    (path,) = service.post(f"/v2/{here}/x/messages", json={"messages": [{"body": 1}]}).json()["resources"]
    service.put(f"/v2/{there}/x")
    refused(service.get(path.replace(here, there)), 404)
    assert service.delete(path.replace(here, there)).status_code == 204
    assert service.post(f"/v2/{there}/x/purge").status_code == 204
    assert service.delete(f"/v2/{there}/x").status_code == 204
    assert service.get(path).json()["body"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/claims"),
        ("POST", "/claims"),
        ("GET", "/claims/c"),
        ("PATCH", "/claims/c"),
        ("DELETE", "/claims/c"),
        ("PATCH", "/claims/c/messages/m"),
    ],
)
def test_a_topic_has_no_claims(service: Service, method: str, path: str) -> None:
    service.post(f"{TOPIC}/messages", json={"messages": [{"body": 1}]})
    response = service.call(method, TOPIC + path)
    assert (response.status_code, response.json()) == (404, {"title": "404 Not Found"})


@pytest.mark.parametrize("name", ["x" * 65, "a%20b", "abc%0A"])
def test_a_topics_name_has_the_rules_of_a_queues(service: Service, name: str) -> None:
    refused(service.put(f"/v2/topics/{name}"), 400, title="Invalid queue identification")
