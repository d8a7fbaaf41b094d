"""Which resource an event tells of."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.format import Event, Received
from sukkal.formats import Registry, installed_formats
from sukkal.search import Change
from sukkal.service.recognising import Recogniser
from sukkal.service.resources import change_of

RECORDED: Final = Path(__file__).parents[1] / "vectors" / "oslo_notifications"
RECEIVED: Final = Received(project="p", queue_name="q", message_id="m", posted_ms=0, ttl_s=60)
RECOGNISER: Final = Recogniser(Registry(installed_formats()))


def change(document: Any) -> Change | None:
    return change_of(RECOGNISER.event(json.dumps(document).encode(), RECEIVED))


def notified(event_type: str, payload: Any) -> Change | None:
    return change({"message_id": "m", "publisher_id": "x", "event_type": event_type, "payload": payload})


@pytest.mark.parametrize(
    ("event_type", "payload", "wanted"),
    [
        ("compute.instance.create.end", {"instance_id": "i"}, Change("OS::Nova::Server", "i")),
        ("instance.update", {"nova_object.data": {"uuid": "i"}}, Change("OS::Nova::Server", "i")),
        ("compute.instance.delete.start", {"instance_id": "i"}, Change("OS::Nova::Server", "i")),
        ("compute.instance.delete.end", {"instance_id": "i"}, Change("OS::Nova::Server", "i", deleted=True)),
        ("instance.volume_attach.end", {"nova_object.data": {"uuid": "i"}}, Change("OS::Nova::Server", "i")),
        ("compute.instance.volume.delete", {"instance_id": "i"}, Change("OS::Nova::Server", "i", partial=True)),
        (
            "baremetal.node.delete.success",
            {"ironic_object.data": {"uuid": "n"}},
            Change("OS::Ironic::Node", "n", deleted=True),
        ),
        ("baremetal.chassis.create.end", {"ironic_object.data": {"uuid": "c"}}, Change("OS::Ironic::Chassis", "c")),
        ("port.create.end", {"port": {"id": "p"}}, Change("OS::Neutron::Port", "p")),
        ("port.delete.end", {"port_id": "p"}, Change("OS::Neutron::Port", "p", deleted=True)),
        ("network.update.end", {"network": {"id": "n"}}, Change("OS::Neutron::Net", "n")),
        ("volume.attach.end", {"volume_id": "v"}, Change("OS::Cinder::Volume", "v")),
        ("image.delete", {"id": "g"}, Change("OS::Glance::WebImage", "g", deleted=True)),
        ("identity.user.deleted", {"resource_info": "u"}, Change("OS::Keystone::User", "u", deleted=True)),
        ("x.zone.create", {"id": "z"}, Change("x.zone", "z")),
        ("x.zone.delete", {"id": "z"}, Change("x.zone", "z", deleted=True)),
        ("port.create.end", {"ports": [{"id": "p"}]}, None),
        ("single", {"id": "x"}, None),
        ("a.b", [1], None),
    ],
)
def test_a_notification_tells_of_a_resource(event_type: str, payload: Any, wanted: Change | None) -> None:
    assert notified(event_type, payload) == wanted


def heat(**payload: Any) -> Change | None:
    return change(
        {"timestamp": "2026-01-01T00:00:00", "version": "0.1", "type": "os.heat.event", "id": "e", "payload": payload}
    )


def test_an_event_of_heat_tells_of_its_stack_and_of_its_end() -> None:
    gone = {"stack_id": "s", "resource_action": "DELETE", "resource_status": "COMPLETE"}
    assert heat(**gone, physical_resource_id="s") == Change("OS::Heat::Stack", "s", deleted=True)
    assert heat(**gone, physical_resource_id="other") == Change("OS::Heat::Stack", "s", partial=True)
    assert heat() is None


def test_mistral_tells_of_executions_and_tasks() -> None:
    told = {"id": "x", "state": "SUCCESS", "workflow_name": "w", "updated_at": "2026-01-01 00:00:00"}
    assert change({**told, "event": "WORKFLOW_SUCCEEDED"}) == Change("OS::Mistral::Execution", "x")
    assert change({**told, "event": "TASK_SUCCEEDED", "workflow_execution_id": "e"}) == Change("OS::Mistral::Task", "x")


def test_aodh_tells_of_alarms() -> None:
    alarm = {"alarm_id": "a", "alarm_name": "n", "previous": "ok", "current": "alarm"}
    assert change(alarm) == Change("OS::Aodh::Alarm", "a")


def test_an_event_with_a_subject_tells_of_it_and_a_plain_message_of_nothing() -> None:
    event = Event(id="e", source="/s", type="com.example.order.shipped", subject="o1")
    assert change_of(event) == Change("com.example.order", "o1")
    assert change({"plain": "message"}) is None


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_notifications_of_services_tell_of_their_resources(path: Path) -> None:
    recorded = json.loads(path.read_text())
    told = [change(each) for each in (recorded if isinstance(recorded, list) else recorded.values())]
    if path.stem == "metadefs":
        assert set(told) == {None}  # They have names only.
    else:
        assert None not in told
