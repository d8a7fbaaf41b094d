"""What readers of events are told of each native shape, as the reference says."""

from typing import Any

import pytest
from tests.formats.natives import heat_events, mistral_events, oslo_notifications

from sukkal.format import Event
from sukkal.formats import Registry, documents
from sukkal.formats.times import naive_utc
from sukkal.testing.format_contract import RECEIVED

POSTED = "2023-11-14T22:13:20.001Z"


def made(document: Any) -> Event:
    return Registry().to_event(documents.decode(documents.encode(document)), RECEIVED)


def told(event: Event) -> tuple[str, str, str, str | None, str | None]:
    return event.id, event.source, event.type, event.subject, event.time


def test_a_notification_of_nova_is_told_by_its_publisher_and_object() -> None:
    payload = {
        "nova_object.namespace": "nova",
        "nova_object.name": "InstanceActionPayload",
        "nova_object.version": "1.8",
        "nova_object.data": {"uuid": "178b0921", "state": "active"},
    }
    event = made(
        {
            "message_id": "m-1",
            "publisher_id": "nova-compute:host 1",
            "event_type": "instance.delete.end",
            "priority": "INFO",
            "payload": payload,
            "timestamp": "2016-08-31 23:32:12.587987",
            "_context_project_id": "p-1",
            "_context_user_name": "ada",
        }
    )
    assert told(event) == (
        "m-1",
        "/nova-compute%3Ahost%201",
        "instance.delete.end",
        "178b0921",
        "2016-08-31T23:32:12.587987Z",
    )
    assert event.data == payload
    assert event.dataschema == "urn:os:nova:InstanceActionPayload:1.8"
    assert event.extensions == {
        "ospublisherid": "nova-compute:host 1",
        "osprojectid": "p-1",
        "severitytext": "INFO",
        "severitynumber": 9,
        "sukkalformat": "oslo",
        "sukkalremainder": '{"has":{"_context_project_id":"p-1","_context_user_name":"ada"},"lacks":[]}',
    }


def test_a_notification_without_a_context_needs_no_remainder() -> None:
    event = made(
        {
            "message_id": "m-1",
            "publisher_id": "ironic-api.hostname02",
            "event_type": "baremetal.node.power_set.error",
            "priority": "error",
            "payload": {},
            "timestamp": "2016-08-31 23:32:12",
        }
    )
    assert event.time == "2016-08-31T23:32:12Z"
    assert event.extensions == {
        "ospublisherid": "ironic-api.hostname02",
        "severitytext": "error",
        "severitynumber": 17,
        "sukkalformat": "oslo",
    }


@pytest.mark.parametrize("document", oslo_notifications())
def test_a_notification_that_a_listener_was_given_has_its_id_time_and_project(document: Any) -> None:
    event = made(document)
    context, metadata, payload = document["ctxt"], document["metadata"], document["payload"]
    readable = naive_utc(metadata["timestamp"]) is not None
    projects = {context.get("project_id"), context.get("tenant"), payload.get("tenant_id"), payload.get("owner")}
    assert event.id == metadata["message_id"]
    assert event.time == (metadata["timestamp"].replace(" ", "T") + "Z" if readable else POSTED)
    assert event.extensions.get("osprojectid") in projects
    assert event.data == documents.decode(documents.encode(document["payload"]))


def test_most_notifications_that_listeners_were_given_say_what_they_tell_of_and_of_which_project() -> None:
    events = [made(document) for document in oslo_notifications()]
    assert len(events) > 70
    assert sum("osprojectid" in event.extensions for event in events) > len(events) * 3 // 4
    assert sum(event.subject is not None for event in events) > len(events) * 3 // 4


@pytest.mark.parametrize(
    ("payload", "subject"),
    [
        ({"instance_id": "i", "id": 7}, "i"),
        ({"volume_id": "v"}, "v"),
        ({"snapshot_id": "s", "volume_id": "v"}, "v"),
        ({"port": {"id": "p"}}, "p"),
        ({"port_id": "p"}, "p"),
        ({"port_id": 5}, None),
        ({"port": {"id": "p"}, "more": 1}, None),
        ({"id": "é"}, "é"),
        ({"id": "a\x00"}, None),
        ({"ironic_object.data": {"uuid": "u"}, "id": "i"}, "u"),
        ("text", None),
        (None, None),
    ],
)
def test_the_subject_is_the_id_of_what_a_notification_tells_of(payload: Any, subject: str | None) -> None:
    assert made({"event_type": "e", "publisher_id": "p", "payload": payload}).subject == subject


def test_an_event_of_a_stack_is_told_by_stack_and_resource() -> None:
    [document] = heat_events()
    event = made(document)
    assert told(event) == ("e-1", "/heat/stacks/stackid", "os.heat.event", "server", "2026-01-01T00:00:00.000123Z")
    assert event.data == document["payload"]
    assert event.extensions == {"osversion": "0.1", "osstatus": "COMPLETE", "sukkalformat": "heat"}


def test_a_message_of_a_workflow_is_told_by_its_execution() -> None:
    payload = {"status": "RUNNING", "execution": {"id": "e/1", "root_execution_id": "e-0"}, "plan_name": "overcloud"}
    event = made({"type": "tripleo.deployment.v1.deploy_plan", "payload": payload})
    assert told(event) == (
        "message-1",
        "/mistral/executions/e%2F1",
        "tripleo.deployment.v1.deploy_plan",
        "overcloud",
        POSTED,
    )
    assert event.extensions == {"osexecutionid": "e/1", "correlationid": "e-0", "sukkalformat": "tripleo"}


def test_the_older_message_of_a_workflow_is_told_likewise() -> None:
    event = made({"name": "tripleo.plan.v1.create", "execution_id": "e-1", "data": {"status": "SUCCESS"}})
    assert told(event) == ("message-1", "/mistral/executions/e-1", "tripleo.plan.v1.create", None, POSTED)
    assert event.data == {"status": "SUCCESS"}
    assert event.extensions == {"osexecutionid": "e-1", "sukkalformat": "tripleo-named"}


def test_workflows_and_their_tasks_have_the_same_source() -> None:
    events = [made(document) for document in mistral_events()]
    assert {event.source for event in events} == {"/mistral/executions/40588d71-f2d3-438a-8fba-af4fd97f8509"}
    assert {(event.type, event.subject) for event in events} == {
        ("mistral.workflow.launched", None),
        ("mistral.workflow.failed", None),
        ("mistral.task.launched", "eb378e86-a3f1-4e53-aed9-a63ff083b3d4"),
        ("mistral.task.succeeded", "eb378e86-a3f1-4e53-aed9-a63ff083b3d4"),
        ("mistral.task.launched", "408bbcb4-f55e-40bb-b4c2-fda8098f1929"),
        ("mistral.task.failed", "408bbcb4-f55e-40bb-b4c2-fda8098f1929"),
    }
    assert {event.time for event in events} == {"2026-11-21T04:25:05Z"}


def test_a_webhook_of_mistral_that_is_sent_again_has_the_same_id_and_no_other_has_it() -> None:
    documents_sent = mistral_events()
    ids = [made(document).id for document in documents_sent]
    distinct = {documents.encode_ascii(document) for document in documents_sent}
    assert len(distinct) < len(documents_sent)  # one was sent to two receivers
    assert len(set(ids)) == len(distinct)


def test_what_happens_to_a_task_twice_in_a_second_is_two_events() -> None:
    document = mistral_events()[0] | {"event": "TASK_DELAYED", "updated_at": "2026-11-21 04:25:05"}
    same, other = made(dict(reversed(document.items()))), made(document | {"state_info": "tried again"})
    assert made(document).id == same.id != other.id
    assert Registry().to_native(other)["state_info"] == "tried again"


def test_an_alarm_is_told_by_its_state() -> None:
    alarm = {"alarm_name": "cpu high", "alarm_id": "a-1", "severity": "critical", "previous": "ok"}
    event = made(alarm | {"current": "insufficient data"})
    assert told(event) == ("message-1", "/aodh/alarms/a-1", "aodh.alarm.insufficient_data", "cpu high", POSTED)
    assert event.extensions == {"severitytext": "critical", "severitynumber": 21, "sukkalformat": "aodh"}


@pytest.mark.parametrize("document", [{"deploy_stdout": "hi"}, [1], "text", None])
def test_any_other_message_is_told_by_its_queue(document: Any) -> None:
    event = made(document)
    assert told(event) == ("message-1", "/v2/queues/a-queue", "org.openstack.zaqar.message", None, POSTED)
    assert event.data == document
    assert event.extensions == {
        "osprojectid": "a project",
        "expirytime": "2023-11-14T22:18:20.001Z",
        "sukkalformat": "raw",
    }


def test_what_cannot_be_an_attribute_is_replaced_and_comes_back() -> None:
    document = {
        "message_id": "",
        "publisher_id": "\x00",
        "event_type": "",
        "priority": 5,
        "payload": 0,
        "timestamp": "2016-02-30 00:00:00",
    }
    event = made(document)
    assert told(event) == ("message-1", "/v2/queues/a-queue", "org.openstack.notification", None, POSTED)
    assert event.extensions.keys() == {"sukkalformat", "sukkalremainder"}
    assert Registry().to_native(event) == document
