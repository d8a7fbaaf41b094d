"""Posting messages over HTTP."""

from typing import Any

import pytest

from tests.api.calling import Service, refused

TTL = "The TTL for a message may not exceed 1209600 seconds, and must be at least 60 seconds long."
DELAY = "The Delay TTL for a message may not exceed 900 seconds,and must be at least 0 seconds long."


def test_posting_returns_the_paths_of_the_messages_in_order(service: Service) -> None:
    response = service.post("/v2/queues/q/messages", json={"messages": [{"body": number} for number in range(3)]})
    assert response.status_code == 201
    paths = response.json()["resources"]
    assert [service.get(path).json()["body"] for path in paths] == [0, 1, 2]
    ids = ",".join(path.rpartition("/")[2] for path in paths)
    assert response.headers["location"] == f"/v2/queues/q/messages?ids={ids}"
    assert [each["body"] for each in service.get(response.headers["location"]).json()["messages"]] == [0, 1, 2]


@pytest.mark.parametrize(
    "body",
    [
        "null",
        '"text"',
        '{"b": 1, "a": {"z": [], "y": 1.50}}',
        '"\\u00e9\\n é 😀"',
        "123456789012345678901234567890",
        "-0.0",
        "1E400",
        '{"a":1,"a":2}',
    ],
)
def test_a_body_comes_back_byte_for_byte(service: Service, body: str) -> None:
    content = f'{{"messages": [{{"ttl": 60, "body":  {body} }}]}}'.encode()
    service.post("/v2/queues/q/messages", content=content)
    for response in (service.get("/v2/queues/q/messages?echo=true"), service.post("/v2/queues/q/claims")):
        assert f'"body":{body}'.encode() in response.content


def test_a_message_is_listed_with_what_zaqar_shows_and_nothing_else(service: Service) -> None:
    (id_,) = service.post_bodies({"a": 1}, ttl=300)
    service.pass_s(7.9)
    shown = {"id": id_, "href": f"/v2/queues/q/messages/{id_}", "ttl": 300, "age": 7, "body": {"a": 1}}
    assert service.get("/v2/queues/q/messages?echo=true").json()["messages"] == [shown]
    assert service.get(f"/v2/queues/q/messages/{id_}").json() == shown
    assert service.get(f"/v2/queues/q/messages?ids={id_}").json() == {"messages": [shown]}
    detailed = service.get("/v2/queues/q/messages?echo=true&detailed=true").json()["messages"]
    assert detailed == [shown | {"claim_count": 0}]


def test_what_a_message_does_not_say_is_the_queues_to_say(service: Service) -> None:
    service.post_bodies("before")
    service.put("/v2/queues/own", json={"_default_message_ttl": 100, "_default_message_delay": 5})
    service.post_bodies("own", queue="own")
    service.post_bodies("both", queue="own", ttl=200, delay=0)
    messages = service.get("/v2/queues/own/messages?echo=true&include_delayed=true").json()["messages"]
    assert [(each["body"], each["ttl"]) for each in messages] == [("own", 100), ("both", 200)]
    assert service.bodies(queue="own") == ["both"]
    service.pass_s(5)
    assert service.bodies(queue="own") == ["both", "own"]
    assert service.get("/v2/queues/q/messages?echo=true").json()["messages"][0]["ttl"] == 3600


def test_unknown_members_of_a_message_are_ignored(service: Service) -> None:
    assert service.post_bodies(1, zzz=2, id="mine")
    assert service.bodies() == [1]


@pytest.mark.parametrize(
    ("body", "words", "title"),
    [
        ({}, "No messages were found in the request body.", "Invalid API request"),
        ([{"body": 1}], "No messages were found in the request body.", "Invalid API request"),
        ("text", "could not be parsed", "Invalid request body"),
        ({"messages": []}, "No messages to enqueu.", "Invalid API request"),
        ({"messages": {"body": 1}}, "messages", "Invalid request body"),
        ({"messages": None}, "messages", "Invalid request body"),
        ({"messages": [5]}, "messages[0]", "Invalid request body"),
        ({"messages": [{"body": 1}, None]}, "messages[1]", "Invalid request body"),
        ({"messages": [{"ttl": 60}]}, 'Missing "body" field.', "Invalid request body"),
        (
            {"messages": [{"body": 1, "ttl": "60"}]},
            'The value of the "ttl" field must be a int.',
            "Invalid request body",
        ),
        (
            {"messages": [{"body": 1, "ttl": None}]},
            'The value of the "ttl" field must be a int.',
            "Invalid request body",
        ),
        (
            {"messages": [{"body": 1, "ttl": 60.5}]},
            'The value of the "ttl" field must be a int.',
            "Invalid request body",
        ),
        (
            {"messages": [{"body": 1, "ttl": True}]},
            'The value of the "ttl" field must be a int.',
            "Invalid request body",
        ),
        ({"messages": [{"body": 1, "ttl": 2**70}]}, TTL, "Invalid API request"),
        (
            {"messages": [{"body": 1, "delay": "5"}]},
            'The value of the "delay" field must be a int.',
            "Invalid request body",
        ),
        ({"messages": [{"body": 1, "ttl": 59}]}, TTL, "Invalid API request"),
        ({"messages": [{"body": 1, "ttl": 1209601}]}, TTL, "Invalid API request"),
        ({"messages": [{"body": 1, "delay": -1}]}, DELAY, "Invalid API request"),
        ({"messages": [{"body": 1, "delay": 901}]}, DELAY, "Invalid API request"),
        ({"messages": [{"body": 1}, {"body": 2, "ttl": 1}]}, TTL, "Invalid API request"),
        ({"messages": [{"body": 1}] * 1_001}, "1000", "Invalid API request"),
        (
            {"messages": [{"body": "x" * 262_144}]},
            "Message collection size is too large. Max size 262144",
            "Invalid API request",
        ),
    ],
)
def test_a_post_that_cannot_be_stored_is_refused_and_leaves_nothing(
    service: Service, body: Any, words: str, title: str
) -> None:
    refused(service.post("/v2/queues/q/messages", json=body), 400, words, title=title)
    assert service.get("/v2/queues").json()["queues"] == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"zzz",
        b'{"messages": [{"body": 1}]} {}',
        b'{"messages": [{"body": NaN}]}',
        b'{"messages": [{"body": "\xff"}]}',
        b'{"messages": [{"body": "a\nb"}]}',
        b'{"messages": [{"body": 01}]}',
        b'{"messages": [{"body": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
        b"[" * 200_000,
        b"\x00",
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_not_json_is_refused_and_leaves_nothing(service: Service, content: bytes) -> None:
    refused(service.post("/v2/queues/q/messages", content=content), 400, title="Invalid request body")
    assert service.get("/v2/queues").json()["queues"] == []


def test_a_queue_may_take_smaller_posts_only(service: Service) -> None:
    service.put("/v2/queues/q", json={"_max_messages_post_size": 100})
    refused(service.post("/v2/queues/q/messages", json={"messages": [{"body": "x" * 100}]}), 400, "Max size 100")
    assert service.post_bodies("x")


def test_a_repeated_post_is_stored_once(service: Service) -> None:
    def post(key: str, body: Any = 1) -> Any:
        message = {"messages": [{"body": body}]}
        return service.post("/v2/queues/q/messages", json=message, headers={"idempotency-key": key})

    first, again = post("k"), post("k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert post("other").json() != first.json()
    refused(post("k", 2), 409, "key", title="Resource conflict")
    assert service.bodies() == [1, 1]
    service.pass_s(86_400)
    assert post("k", 2).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a b"])
def test_an_idempotency_key_has_a_form(service: Service, key: str) -> None:
    response = service.post("/v2/queues/q/messages", json={"messages": [{"body": 1}]}, headers={"idempotency-key": key})
    refused(response, 400, "Idempotency-Key", "255")
    assert service.get("/v2/queues").json()["queues"] == []
