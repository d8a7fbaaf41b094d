"""What projects may keep and how fast they may ask, from the file and from the admin API."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.calling import PATCH_TYPE, Service, refused

ADMIN = {"x-roles": "admin"}


def limit(service: Service, project: str = "p", **wanted: int) -> None:
    response = service.put(f"/v2/limits/{project}", json=wanted, headers=ADMIN, project="operators")
    assert response.status_code == 200, response.text


def post(service: Service, *bodies: Any, queue: str = "q", **more: Any) -> httpx.Response:
    return service.post(f"/v2/queues/{queue}/messages", json={"messages": [{"body": body} for body in bodies]}, **more)


def too_much(response: httpx.Response, *words: str, title: str = "Quota exceeded") -> None:
    refused(response, 429, *words, title=title)
    assert int(response.headers["retry-after"]) >= 1


def usage(service: Service, project: str = "p") -> dict[str, int]:
    return dict(service.get("/v2/usage", project=project).json()["usage"])


def test_without_limits_usage_is_shown(service: Service) -> None:
    document = {"queues": 0, "messages": 0, "bytes": 0, "subscriptions": 0}
    nothing = dict.fromkeys(["queues", "messages", "bytes", "subscriptions", "requests_per_s"])
    assert service.get("/v2/usage").json() == {"project": "p", "usage": document, "limits": nothing}
    service.pass_s(1)
    post(service, "abc", [1, 2])
    service.put("/v2/topics/t")
    assert usage(service) == {"queues": 2, "messages": 2, "bytes": len('"abc"') + len("[1,2]"), "subscriptions": 0}
    assert usage(service, "other") == document


def test_messages_are_limited(service: Service) -> None:
    limit(service, messages=3)
    assert post(service, 1, 2).status_code == 201
    too_much(post(service, 3, 4), "3 messages", "Delete some")
    assert post(service, 3).status_code == 201
    too_much(post(service, 4, queue="elsewhere"))
    assert post(service, 4, project="other").status_code == 201
    assert service.bodies() == [1, 2, 3]
    assert [each["name"] for each in service.get("/v2/queues").json()["queues"]] == ["q"]


def test_room_that_deletion_or_time_makes_can_be_used(service: Service) -> None:
    limit(service, messages=2)
    post(service, 1, 2)
    too_much(post(service, 3))
    service.delete("/v2/queues/q/messages?pop=1")
    service.pass_s(1)
    assert post(service, 3).status_code == 201
    too_much(post(service, 4))
    service.pass_s(3_600)
    assert post(service, 4, 5).status_code == 201


def test_bytes_are_limited(service: Service) -> None:
    limit(service, bytes=100)
    assert post(service, "x" * 58).status_code == 201
    too_much(post(service, "x" * 58), "100 bytes")
    assert post(service, "x" * 38).status_code == 201
    assert usage(service)["bytes"] == 100
    raw = service.post("/v2/queues/q/messages/raw", content=b"1")
    too_much(raw)


def test_a_history_costs_as_much_as_the_queue_until_it_ends(service: Service) -> None:
    service.put("/v2/queues/q", json={"_history": 120})
    limit(service, messages=6, bytes=100)
    assert post(service, 1, 2).status_code == 201
    assert usage(service) == {"queues": 1, "messages": 4, "bytes": 4, "subscriptions": 0}
    too_much(post(service, 3, 4), "6 messages", "`_history`", "purged")
    too_much(post(service, "x" * 50), "100 bytes", "`_history`")
    assert post(service, 3, 4, queue="plain").status_code == 201
    service.delete("/v2/queues/q/messages?pop=2")
    service.delete("/v2/queues/plain")
    service.pass_s(1)
    assert usage(service)["messages"] == 2
    too_much(post(service, 1, 2, 3))
    service.pass_s(3_600)
    assert usage(service)["messages"] == 0
    assert post(service, 1, 2, 3).status_code == 201


@pytest.mark.parametrize("way", ["purge", "switch off", "delete"])
def test_a_history_can_be_given_up_for_room(service: Service, way: str) -> None:
    service.put("/v2/queues/q", json={"_history": 3_600})
    limit(service, messages=4)
    post(service, 1, 2)
    service.delete("/v2/queues/q/messages?pop=2")
    service.pass_s(1)
    assert usage(service)["messages"] == 2
    too_much(post(service, 1, 2, 3, queue="other"))
    if way == "purge":
        service.post("/v2/queues/q/purge", json={"resource_types": ["messages"]})
    elif way == "delete":
        service.delete("/v2/queues/q")
    else:
        change = [{"op": "replace", "path": "/metadata/_history", "value": 0}]
        service.patch("/v2/queues/q", json=change, headers={"content-type": PATCH_TYPE})
    service.pass_s(1)
    assert usage(service)["messages"] == 0
    assert post(service, 1, 2, 3, queue="other").status_code == 201


def test_queues_are_limited_however_they_come_about(service: Service) -> None:
    limit(service, queues=2)
    assert service.put("/v2/queues/a").status_code == 201
    assert post(service, 1, queue="b").status_code == 201
    too_much(service.put("/v2/queues/c"), "2 queues")
    too_much(service.put("/v2/topics/c"))
    too_much(post(service, 1, queue="c"))
    change = [{"op": "add", "path": "/metadata/k", "value": 1}]
    headers = {"content-type": PATCH_TYPE}
    too_much(service.patch("/v2/queues/c", json=change, headers=headers))
    assert service.patch("/v2/queues/a", json=change, headers=headers).status_code == 200
    assert service.put("/v2/queues/a").status_code == 204
    assert post(service, 2, queue="b").status_code == 201
    service.delete("/v2/queues/a")
    service.pass_s(1)
    assert service.put("/v2/queues/c").status_code == 201


def test_subscriptions_are_limited(service: Service) -> None:
    limit(service, subscriptions=2, queues=1)

    def subscribe(number: int, queue: str = "q") -> httpx.Response:
        document = {"subscriber": f"http://hooks.example.org/{number}"}
        return service.post(f"/v2/queues/{queue}/subscriptions", json=document)

    assert subscribe(1).status_code == 201
    too_much(subscribe(2, queue="r"), "1 queues")
    assert subscribe(2).status_code == 201
    too_much(subscribe(3), "2 subscriptions")
    assert subscribe(1).status_code == 201
    assert usage(service)["subscriptions"] == 2
    id_ = subscribe(1).json()["subscription_id"]
    service.delete(f"/v2/queues/q/subscriptions/{id_}")
    service.pass_s(1)
    assert subscribe(3).status_code == 201


def test_a_limit_below_what_is_there_takes_nothing_away(service: Service) -> None:
    post(service, 1, 2, 3)
    limit(service, messages=1, queues=0)
    too_much(post(service, 4))
    assert service.bodies() == [1, 2, 3]
    claim, messages = service.claim()
    assert claim
    assert len(messages) == 3


def test_a_repeated_post_is_let_through_as_long_as_there_is_room(service: Service) -> None:
    limit(service, messages=5)
    for _ in range(3):
        assert post(service, 1, headers={"idempotency-key": "k"}).status_code == 201
    service.pass_s(1)
    assert usage(service)["messages"] == 1


def test_posts_at_the_same_moment_do_not_exceed_the_limit(service: Service) -> None:
    limit(service, messages=10)

    async def many() -> list[int]:
        document = {"messages": [{"body": 1}]}
        posts = [service.request("POST", f"/v2/queues/q{n % 3}/messages", json=document) for n in range(40)]
        return [response.status_code for response in await asyncio.gather(*posts)]

    statuses = service.run(many())
    assert sorted(set(statuses)) == [201, 429]
    assert statuses.count(201) == 10
    service.pass_s(1)
    assert usage(service)["messages"] == 10


def test_requests_are_limited_by_the_second(service: Service) -> None:
    limit(service, requests_per_s=3)
    for _ in range(3):
        assert service.get("/v2/ping").status_code == 204
    response = service.get("/v2/ping")
    too_much(response, "3 requests per second", title="Too many requests")
    assert response.headers["retry-after"] == "1"
    too_much(post(service, 1), title="Too many requests")
    assert service.get("/v2/ping", project="other").status_code == 204
    service.pass_s(0.334)
    assert service.get("/v2/ping").status_code == 204
    too_much(service.get("/v2/ping"), title="Too many requests")
    service.pass_s(10)
    assert [service.get("/v2/ping").status_code for _ in range(4)] == [204, 204, 204, 429]


def test_no_requests_at_all(service: Service) -> None:
    limit(service, requests_per_s=0)
    too_much(service.get("/v2/ping"), "no requests", title="Too many requests")


def test_who_sets_limits_can_undo_them(service: Service) -> None:
    limit(service, "operators", requests_per_s=0)
    too_much(service.get("/v2/ping", headers=ADMIN, project="operators"), title="Too many requests")
    too_much(service.get("/v2/limits", project="operators"), title="Too many requests")
    assert service.delete("/v2/limits/operators", headers=ADMIN, project="operators").status_code == 204


def test_limits_are_for_administrators(service: Service) -> None:
    for method, path in (
        ("GET", "/v2/limits"),
        ("GET", "/v2/limits/p"),
        ("PUT", "/v2/limits/p"),
        ("DELETE", "/v2/limits/p"),
    ):
        refused(service.call(method, path), 403, title="Not authorized")
    limit(service, messages=3, requests_per_s=-1)
    shown = service.get("/v2/limits/p", headers=ADMIN).json()
    assert shown["limits"] == {
        **dict.fromkeys(["queues", "bytes", "subscriptions", "requests_per_s"]),
        "messages": 3,
    }
    listed = service.get("/v2/limits", headers=ADMIN).json()
    assert listed == {"limits": [{"project": "p", "limits": {"messages": 3, "requests_per_s": -1}}]}
    assert service.delete("/v2/limits/p", headers=ADMIN).status_code == 204
    refused(service.delete("/v2/limits/p", headers=ADMIN), 404, "No limits")
    assert service.get("/v2/usage").json()["limits"]["messages"] is None


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"mesages": 1}, "mesages"),
        ({"messages": "1"}, "messages"),
        ({"messages": -2}, ">= -1"),
        ({"messages": 1.5}, "messages"),
        ({"messages": 2**70}, "64 bits"),
    ],
)
def test_wrong_limits_are_refused(service: Service, document: dict[str, Any], words: str) -> None:
    refused(service.put("/v2/limits/p", json=document, headers=ADMIN), 400, words)
    assert service.get("/v2/limits", headers=ADMIN).json() == {"limits": []}


def test_limits_outlive_the_process(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}")
    for number in range(30):
        limit(service, f"p{number:02}", messages=number)
    service.close()
    service = Service(f"sqlite:///{tmp_path}", first_id=1_000)
    assert len(service.get("/v2/limits", headers=ADMIN).json()["limits"]) == 30
    too_much(post(service, 1, project="p00"))
    assert post(service, 1, project="p01").status_code == 201
    service.close()


FILE = """
[default]
messages = 2
queues = 5

[projects.rich]
messages = -1

[projects."with space"]
messages = 1
"""


def test_the_file_limits_everybody_and_some(start: Callable[..., Service], tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(FILE)
    service = start(limits_file=str(file))

    def limits(project: str) -> tuple[int | None, int | None]:
        shown = service.get("/v2/usage", project=project).json()["limits"]
        return shown["messages"], shown["queues"]

    assert (limits("p"), limits("rich"), limits("with space")) == ((2, 5), (None, 5), (1, 5))
    limit(service, "rich", messages=7)
    assert limits("rich") == (7, 5)
    file.write_text("[default]\nmessages = 4\n")
    service.app.reloading.reload()
    assert (limits("p"), limits("rich"), limits("with space")) == ((4, None), (7, None), (4, None))
    file.write_text("[default]\nmessages = 'many'\n")
    service.app.reloading.reload()
    assert limits("p") == (4, None)


def test_metrics_show_what_limited_projects_keep(service: Service) -> None:
    limit(service, messages=3, queues=2)
    post(service, "abc")
    post(service, 1, project="unlimited")
    assert "sukkal_project" not in service.get("/metrics").text
    assert "sukkal_project" not in service.get("/metrics", client=None, project=None).text
    metrics = service.get("/metrics", headers=ADMIN).text
    assert 'sukkal_project_used{project="p",resource="messages"} 1.0' in metrics
    assert 'sukkal_project_limit{project="p",resource="messages"} 3.0' in metrics
    assert 'sukkal_project_limit{project="p",resource="bytes"}' not in metrics
    assert "unlimited" not in metrics
