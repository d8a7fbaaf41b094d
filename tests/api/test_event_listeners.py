"""Event listeners: one call has a URL called when something happens to a workflow, a task or another resource."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.api.calling import Service, refused
from tests.api.sockets import Socket
from tests.api.test_deliveries import Obedient

BASE: Final = "/v2/listeners"
URL: Final = "https://example.org/hook"
EXECUTION: Final = "40588d71-f2d3-438a-8fba-af4fd97f8509"


@pytest.fixture
def sink() -> Obedient:
    return Obedient()


@pytest.fixture
def tested(start: Callable[..., Service], sink: Obedient) -> Service:
    """Return a service that delivers to URLs of the scheme ``test``."""
    return start(sink=sink)


def workflow(event: str, execution: str = EXECUTION, name: str = "book.flow") -> dict[str, Any]:
    """Return what Mistral tells of a workflow."""
    more = {"id": execution, "name": name, "workflow_name": name, "workflow_id": f"id-of-{name}"}
    return {"event": f"WORKFLOW_{event}", "state": "S", "updated_at": "2026-11-21 04:25:05", **more}


def task(event: str, name: str = "t1", flow: str = "book.flow") -> dict[str, Any]:
    """Return what Mistral tells of a task."""
    more = {"id": f"id-of-{name}", "name": name, "workflow_execution_id": EXECUTION}
    return {**workflow(event, name=flow), **more, "event": f"TASK_{event}"}


def notification(kind: str, subject: str = "vm-1") -> dict[str, Any]:
    return {"event_type": kind, "publisher_id": "compute.host", "payload": {"uuid": subject}, "message_id": kind}


def listen(service: Service, **document: Any) -> dict[str, Any]:
    response = service.post(BASE, json={"url": "test://x/hook", **document})
    assert response.status_code == 201, response.text
    shown: dict[str, Any] = response.json()
    return shown


def told(service: Service, sink: Obedient) -> list[str]:
    """Return the types of the events that were delivered, each with the name or id of what it happened to."""
    service.deliver()
    events = [json.loads(body) for body in sink.bodies()]
    return [f"{each['type']} {each.get('ostaskname') or each.get('subject') or each['source']}" for each in events]


def test_a_listener_is_shown_as_it_was_ordered(service: Service) -> None:
    order = {
        "task": "t2",
        "events": ["on-error", "mistral.task.skipped"],
        "workbook": "book",
        "heartbeat": {"within": 300},
        "url": URL,
        "method": "PUT",
        "headers": {"X-A": "b"},
        "queue": "own",
        "ttl": 600,
        "format": "native",
        "options": {"_retry_policy": {"retries_with_no_delay": 1}},
    }
    response = service.post(BASE, json=order)
    assert response.status_code == 201
    shown = response.json()
    assert shown.pop("id").startswith("queue~own~")
    assert shown.pop("age") == 0
    assert shown == order
    service.pass_s(5)
    assert service.get(response.headers["location"]).json() == response.json() | {"age": 5}


@pytest.mark.parametrize(("kind", "queue"), [("workflow", "mistral"), ("execution", "mistral"), ("task", "mistral")])
def test_listeners_for_mistral_are_at_its_queue(service: Service, kind: str, queue: str) -> None:
    shown = service.post(BASE, json={kind: "x", "url": URL}).json()
    assert (shown[kind], shown["queue"], shown["format"]) == ("x", queue, "cloudevents")
    assert service.post(BASE, json={"resource": "x", "url": URL}).json()["queue"] == "notifications"


def test_a_listener_is_an_ordinary_subscription(service: Service) -> None:
    id_ = service.post(BASE, json={"task": "t2", "url": URL}).json()["id"].rpartition("~")[2]
    [shown] = service.get("/v2/queues/mistral/subscriptions").json()["subscriptions"]
    assert (shown["id"], shown["subscriber"].partition("#")[0]) == (id_, URL)
    service.post_bodies(task("FAILED", "t2"), queue="mistral")
    ledger = service.get(f"/v2/queues/mistral/subscriptions/{id_}/deliveries").json()["deliveries"]
    assert [each["state"] for each in ledger] == ["waiting"]


ALL: Final = [
    *(workflow(event) for event in ("LAUNCHED", "PAUSED", "RESUMED", "SUCCEEDED", "FAILED", "CANCELLED", "RERUN")),
    *(task(event) for event in ("LAUNCHED", "SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED", "RERUN")),
    task("FAILED", "t2"),
    task("FAILED", "t1", flow="bookshelf.flow"),
    workflow("FAILED", execution="e-2", name="other"),
]

FLOW: Final = "mistral.workflow."


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ({"task": "t1", "events": ["on-error"], "workbook": "book"}, ["mistral.task.failed t1"]),
        ({"task": "id-of-t2", "events": ["on-error"]}, ["mistral.task.failed t2"]),
        ({"task": "t1", "events": ["on-enter", "on-skip"]}, ["mistral.task.launched t1", "mistral.task.skipped t1"]),
        ({"task": "t1", "events": ["mistral.task.rerun"]}, ["mistral.task.rerun t1"]),
        (
            {"task": "*", "events": ["on-complete"], "workbook": "book"},
            [
                *("mistral.task.succeeded t1", "mistral.task.failed t1", "mistral.task.cancelled t1"),
                *("mistral.task.skipped t1", "mistral.task.failed t2"),
            ],
        ),
        ({"task": "t2"}, ["mistral.task.failed t2"]),
        ({"workflow": "other"}, [f"{FLOW}failed /mistral/executions/e-2"]),
        ({"workflow": "id-of-other"}, [f"{FLOW}failed /mistral/executions/e-2"]),
        ({"workflow": "*", "events": ["on-pause"]}, [f"{FLOW}paused /mistral/executions/{EXECUTION}"]),
        ({"execution": "e-2", "events": ["on-exit"]}, [f"{FLOW}failed /mistral/executions/e-2"]),
        (
            {"execution": EXECUTION, "events": ["on-complete"]},
            [f"{FLOW}{end} /mistral/executions/{EXECUTION}" for end in ("succeeded", "failed", "cancelled")],
        ),
    ],
)
def test_a_listener_is_told_exactly_what_it_waits_for(
    tested: Service, sink: Obedient, order: dict[str, Any], wanted: list[str]
) -> None:
    listen(tested, **order)
    tested.post_bodies(*ALL, queue="mistral")
    assert told(tested, sink) == wanted


def test_a_resource_of_any_service_can_be_listened_to(tested: Service, sink: Obedient) -> None:
    listen(tested, resource="vm-1", events=["on-enter", "on-error", "compute.instance.resize.confirm"])
    kinds = [f"compute.instance.{kind}" for kind in ("create.start", "create.end", "create.error", "resize.confirm")]
    tested.post_bodies(*[notification(kind) for kind in kinds], queue="notifications")
    tested.post_bodies(notification("compute.instance.create.start", "vm-2"), queue="notifications")
    assert told(tested, sink) == [f"{kind} vm-1" for kind in (kinds[0], *kinds[2:])]


def heat_event(status: str, resource: str = "server") -> dict[str, Any]:
    payload = {"stack_id": "s-1", "resource_name": resource, "resource_action": "CREATE", "resource_status": status}
    moment = "2026-01-01T00:00:00"
    return {"timestamp": moment, "version": "0.1", "type": "os.heat.event", "id": f"{status}-1", "payload": payload}


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ("on-enter", ["IN_PROGRESS"]),
        ("on-success", ["COMPLETE"]),
        ("on-error", ["FAILED"]),
        ("on-complete", ["COMPLETE", "FAILED"]),
        ("on-exit", ["COMPLETE", "FAILED"]),
    ],
)
def test_events_of_a_stack_are_listened_to_by_the_status_that_they_tell_of(
    tested: Service, sink: Obedient, event: str, wanted: list[str]
) -> None:
    listen(tested, resource="server", events=[event])
    tested.post_bodies(*[heat_event(status) for status in ("IN_PROGRESS", "COMPLETE", "FAILED")], queue="notifications")
    tested.post_bodies(heat_event("FAILED", "volume"), queue="notifications")
    tested.deliver()
    assert [json.loads(body)["osstatus"] for body in sink.bodies()] == wanted


def test_several_listeners_may_have_the_same_url(tested: Service, sink: Obedient) -> None:
    ids = {listen(tested, task=name, events=["on-error"])["id"] for name in ("t1", "t2")}
    assert len(ids) == 2
    tested.post_bodies(*ALL, queue="mistral")
    assert sorted(told(tested, sink)) == ["mistral.task.failed t1", "mistral.task.failed t1", "mistral.task.failed t2"]


def test_the_same_listener_again_is_the_one_that_is_there_and_lives_longer(service: Service) -> None:
    order = {"task": "t1", "events": ["on-error"], "url": URL, "ttl": 600}
    first = service.post(BASE, json=order).json()
    service.pass_s(500)
    assert service.post(BASE, json=order).json() == first
    service.pass_s(500)
    assert service.get(f"{BASE}/{first['id']}").json()["age"] == 500
    refused(service.post(BASE, json={**order, "method": "PUT"}), 409, "PATCH")


def test_only_listeners_are_listed_and_the_list_goes_on(service: Service) -> None:
    made = []
    for number in range(3):
        plain = {"subscriber": f"{URL}/{number}"}
        service.post("/v2/queues/mistral/subscriptions", json=plain)
        made.append(service.post(BASE, json={"task": f"t{number}", "url": URL, "queue": f"q{number}"}).json()["id"])
    found: list[str] = []
    path: str | None = f"{BASE}?limit=2"
    while path:
        document = service.get(path).json()
        found += [each["id"] for each in document["listeners"]]
        path = document["links"][0]["href"] if document["links"] else None
    assert sorted(found) == sorted(made)
    refused(service.get(f"{BASE}?marker=x"), 400, "marker")


def test_a_listener_ends_when_it_is_deleted(tested: Service, sink: Obedient) -> None:
    path = f"{BASE}/{listen(tested, task='*')['id']}"
    assert tested.delete(path).status_code == 204
    tested.post_bodies(task("FAILED"), queue="mistral")
    assert told(tested, sink) == []
    refused(tested.get(path), 404)
    refused(tested.delete(path), 404)


def test_a_subscription_that_is_no_listener_is_not_found_as_one(service: Service) -> None:
    made = service.post("/v2/queues/q/subscriptions", json={"subscriber": URL}).json()["subscription_id"]
    refused(service.get(f"{BASE}/queue~q~{made}"), 404, "no listener")
    refused(service.delete(f"{BASE}/queue~q~{made}"), 404, "no listener")


def test_a_listener_whose_options_are_replaced_is_none_any_more(service: Service) -> None:
    id_ = service.post(BASE, json={"task": "t1", "url": URL}).json()["id"]
    service.patch(f"/v2/queues/mistral/subscriptions/{id_.rpartition('~')[2]}", json={"options": {}})
    assert service.get(BASE).json()["listeners"] == []


def test_a_listener_that_is_replaced_as_another_face_shows_it_stays_one(service: Service) -> None:
    made = service.post(BASE, json={"task": "t1", "events": ["on-error"], "url": URL, "method": "PUT"}).json()
    path = f"/v2/subscriptions/{made['id']}"
    shown = service.get(path).json()
    assert shown["filters"]
    assert service.put(path, json={**shown, "protocolsettings": {"method": "POST"}}).status_code == 200
    assert service.get(f"{BASE}/{made['id']}").json() == made | {"method": "POST"}


def test_no_project_sees_listeners_of_another(service: Service) -> None:
    id_ = service.post(BASE, json={"task": "t1", "url": URL}).json()["id"]
    assert service.get(BASE, project="other").json()["listeners"] == []
    refused(service.get(f"{BASE}/{id_}", project="other"), 404)
    refused(service.delete(f"{BASE}/{id_}", project="other"), 404)


def test_listeners_are_served_over_websocket_too(service: Service) -> None:
    with Socket(service) as socket:
        made = socket.ask("listener_create", {"task": "t1", "url": URL, "events": ["on-error"]})
        assert (made.status, made.body["events"]) == (201, ["on-error"])
        assert socket.ask("listener_get", {"listener_id": made.body["id"]}).body == made.body
        socket.ask("listener_create", {"task": "t2", "url": URL})
        first = socket.ask("listener_list", {"limit": 1}).body
        assert first["listeners"] == [made.body]
        rest = socket.ask("listener_list", {"marker": first["marker"]}).body
        assert ([each["task"] for each in rest["listeners"]], "marker" in rest) == (["t2"], False)
        assert socket.ask("listener_delete", {"listener_id": made.body["id"]}).status == 204
        assert socket.ask("listener_get", {"listener_id": made.body["id"]}).status == 404


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, ["exactly one", "workflow, execution, task, resource"]),
        ({"task": "t", "workflow": "w"}, ["exactly one"]),
        ({"task": ""}, ["task", "1 to 255"]),
        ({"task": 5}, ["$.task"]),
        ({"task": "t", "workbook": "x" * 256}, ["workbook"]),
        ({"resource": "r", "workbook": "b"}, ["workbook", "resource"]),
        ({"task": "t", "events": ["on-fire"]}, ["events", "on-error"]),
        ({"resource": "r", "events": ["on-pause"]}, ["events", "resource"]),
        ({"task": "t", "events": "on-error"}, ["$.events"]),
        ({"task": "t", "events": ["a.b"] * 51}, ["events", "50"]),
        ({"task": "t", "heartbeat": {"within": 9}}, ["heartbeat.within", "10"]),
        ({"task": "t", "heartbeat": {"within": 3_600}}, ["heartbeat.within", "3600", "ttl"]),
        ({"task": "t", "heartbeat": {"within": 60}, "ttl": 60}, ["heartbeat.within", "60", "ttl"]),
        ({"task": "t", "heartbeat": {"within": 60, "x": 1}}, ["$.heartbeat"]),
        ({"task": "t", "heartbeat": 60}, ["$.heartbeat"]),
        ({"task": "t", "url": None}, ["url"]),
        ({"task": "t", "url": "mailto:a@example.org"}, ["url"]),
        ({"task": "t", "url": f"{URL}#x"}, ["url", "fragment"]),
        ({"task": "t", "url": "gopher://example.org/"}, ["subscriber"]),
        ({"task": "t", "queue": 5}, ["queue"]),
        ({"task": "t", "queue": "a b"}, ["queue name"]),
        ({"task": "t", "ttl": 1}, ["TTL"]),
        ({"task": "t", "format": "xml"}, ["format"]),
        ({"task": "t", "options": 5}, ["options"]),
        ({"task": "t", "options": {"filters": []}}, ["options.filters"]),
        ({"task": "t", "options": {"_listener": {}}}, ["options._listener"]),
        ({"task": "t", "color": "red"}, ["color"]),
    ],
)
def test_a_listener_that_cannot_be_met_is_refused(service: Service, document: dict[str, Any], words: list[str]) -> None:
    refused(service.post(BASE, json={"url": URL, **document}), 400, *words)
