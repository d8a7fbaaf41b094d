"""Whose a notification is, and what of it is for administrators only, in documents as services send them."""

import json
from typing import Any, Final

import pytest

from sukkal.formats import Registry, cloudevents, installed_formats
from sukkal.forwarder.masks import ADMIN_FIELDS, TENANTS_OWN, Masks, Rule
from sukkal.forwarder.normalising import Unreadable
from sukkal.forwarder.pipeline import Audience, Passed, Pipeline, Selection
from sukkal.forwarder.tenants import Tenants
from sukkal.source import Arrival

HOST: Final = "cmp-secret"


def passed(document: Any, *, audience: Audience = Audience.TENANT) -> Passed | None:
    masks = Masks([Rule(drop=ADMIN_FIELDS, spare=TENANTS_OWN)])
    pipeline = Pipeline(Registry(installed_formats()), Selection(), Tenants(), masks, audience)
    return pipeline.passed(Arrival(body=json.dumps(document).encode(), place="q", id="m", token=None), now_ms=0)


def owner(document: Any) -> str | None:
    found = passed(document)
    return found.notification.project if found is not None else None


def data(document: Any) -> Any:
    found = passed(document)
    assert found is not None
    return found.notification.event.data


def oslo(event_type: str, payload: Any, **more: Any) -> dict[str, Any]:
    named = {"message_id": "m", "publisher_id": f"compute:{HOST}", "event_type": event_type, "priority": "ERROR"}
    return {**named, "timestamp": "2026-01-01 00:00:00.000000", "payload": payload, **more}


def port(project: str) -> dict[str, Any]:
    return {"id": f"port-of-{project}", "tenant_id": project, "project_id": project}


def test_the_traceback_of_a_versioned_fault_is_for_administrators_and_its_message_for_tenants() -> None:
    fault = {
        "nova_object.name": "ExceptionPayload",
        "nova_object.data": {"exception_message": "The disk is too small.", "traceback": f"File ... {HOST}"},
    }
    payload = {
        "nova_object.name": "InstanceCreatePayload",
        "nova_object.data": {"uuid": "u", "tenant_id": "p-1", "host": HOST, "node": HOST, "fault": fault},
    }
    found = passed(oslo("instance.create.error", payload))
    assert found is not None
    text = cloudevents.encode(found.notification.event).decode()
    assert "The disk is too small." in text
    assert "traceback" not in text
    assert HOST not in text


@pytest.mark.parametrize(
    "member",
    [
        *("launched_on", "attached_host", "src_host", "hosts", "force_hosts", "force_nodes", "host", "node"),
        *("source_compute", "source_host", "source_node", "dest_compute", "dest_host", "dest_node"),
        *("provider_location", "connection_info", "connector", "OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:x"),
    ],
)
def test_where_a_thing_is_in_the_cloud_is_for_administrators(member: str) -> None:
    payload = {"tenant_id": "p-1", "id": "u", "list": [{"deep": {member: HOST, "keep": {member: {"x": HOST}}}}]}
    assert data(oslo("t", payload)) == {"tenant_id": "p-1", "id": "u", "list": [{"deep": {"keep": {}}}]}


@pytest.mark.parametrize("own", ["metadata", "properties", "tags"])
def test_what_tenants_have_named_themselves_stays(own: str) -> None:
    theirs = {"host": "db", "password": "x", "node": {"hosts": 1}, "OS-EXT-SRV-ATTR:host": 1}
    payload = {"tenant_id": "p-1", own: theirs, "volume": {own: [theirs], "host": HOST}}
    assert data(oslo("t", payload)) == {"tenant_id": "p-1", own: theirs, "volume": {own: [theirs]}}


def test_masks_of_the_operators_own_lead_into_what_tenants_have_named() -> None:
    event = cloudevents.decode(
        b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"metadata": {"host": 1}}}'
    )
    assert Masks([Rule(drop=["/**/host"])]).of(event).data == {"metadata": {}}


@pytest.mark.parametrize("wrapped", [[port("p-1"), port("p-2")], [port("p-2"), {"id": "x"}, port("p-1")]])
def test_what_is_of_several_projects_is_given_to_none_of_them(wrapped: Any) -> None:
    document = oslo("port.create.end", {"ports": wrapped}, _context_project_id="admin")
    with pytest.raises(Unreadable, match="several projects: p-1, p-2"):
        passed(document)
    found = passed(document, audience=Audience.OPERATOR)
    assert found is not None
    assert found.notification.project is None


def test_several_things_of_one_project_are_its_own() -> None:
    assert owner(oslo("port.create.end", {"ports": [port("p-1"), port("p-1")]}, _context_project_id="admin")) == "p-1"


@pytest.mark.parametrize("name", ["network", "subnet", "port", "router", "floatingip", "security_group", "trunk"])
def test_what_a_service_wraps_says_whose_it_is(name: str) -> None:
    assert owner(oslo("t", {name: port("p-1")}, _context_project_id="admin")) == "p-1"
    assert owner(oslo("t", {f"{name}s": [port("p-1")]}, _context_project_id="admin")) == "p-1"


@pytest.mark.parametrize("named", ["properties", "metadata", "image_meta", "anything"])
def test_a_table_that_users_fill_does_not_say_whose_it_is(named: str) -> None:
    payload = {"id": "i", "owner": None, named: {"project_id": "victim", "tenant_id": "victim", "owner": "victim"}}
    assert owner(oslo("image.update", payload, _context_project_id="p-1")) == "p-1"
    assert owner(oslo("image.update", payload)) is None


@pytest.mark.parametrize(
    ("document", "project"),
    [
        ({"event": "TASK_FAILED", "id": "1", "name": "t", "state": "ERROR", "workflow_name": "w"}, None),
        (
            {"event": "TASK_FAILED", "id": "1", "name": "t", "state": "ERROR", "workflow_name": "w"}
            | {"project_id": "p-1", "updated_at": "2026-01-01 00:00:00"},
            "p-1",
        ),
        ({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"project_id": "p-1"}}, "p-1"),
        ({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"tenant_id": "p-1"}}, "p-1"),
        (
            {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "osprojectid": "p-1"}
            | {"data": {"tenant_id": "p-2"}},
            "p-1",
        ),
    ],
)
def test_a_document_of_a_queue_belongs_to_the_project_of_its_event(document: Any, project: str | None) -> None:
    assert owner(document) == project
