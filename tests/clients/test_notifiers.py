"""What real objects of Nova and Ironic emit through the real oslo.messaging goes into an event and comes out again."""

import json
from typing import Any

import pytest

from sukkal.format import Event
from sukkal.formats import Registry, cloudevents, documents
from sukkal.testing.format_contract import RECEIVED
from tests.clients.foreign import script_runner

# A broker in memory, to which oslo.messaging's own driver for RabbitMQ talks.
PRELUDE = """
import datetime, logging, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import kombu
import oslo_messaging
from oslo_config import cfg

# Makes the options known that are set here.
oslo_messaging.get_notification_transport(cfg.CONF, url="kombu+memory:////")
cfg.CONF.set_override("driver", ["DRIVER"], group="oslo_messaging_notifications")

def configured(conf, project):
    conf([], project=project, default_config_files=[])
    conf.set_override("transport_url", "kombu+memory:////")
    return conf

def answer_with_what_came(*queues):
    with kombu.Connection("memory:////") as connection:
        channel = connection.channel()
        got = [channel.basic_get(queue) for queue in queues]
        answer(bodies=[message.body.decode() for message in got])
"""

NOVA = """
from nova import context, objects, rpc
from nova.notifications.objects import base, service
from nova.objects import fields

conf = configured(cfg.CONF, "nova")
conf.set_override("notification_format", "versioned", group="notifications")
rpc.init(conf)
objects.register_all()
row = objects.Service(
    host="host-\\u00e9", binary="nova-compute", topic="compute", report_count=1, disabled=False, disabled_reason=None,
    availability_zone=None, last_seen_up=datetime.datetime(2012, 10, 29, 13, 42, 5, tzinfo=datetime.timezone.utc),
    forced_down=False, uuid="fafac544-c165-4c65-8b4f-2e5a8b5f4a37",
)
service.ServiceStatusNotification(
    priority=fields.NotificationPriority.INFO,
    event_type=base.EventType(object="service", action=fields.NotificationAction.UPDATE),
    publisher=base.NotificationPublisher(host="host-\\u00e9", source=fields.NotificationSource.COMPUTE),
    payload=service.ServiceStatusPayload(row),
).emit(context.RequestContext("user", "project", roles=["admin"]))
answer_with_what_came("versioned_notifications.info")
"""

IRONIC = """
from ironic import objects
from ironic.common import context, rpc
from ironic.conf import CONF
from ironic.objects import chassis, fields, notification

configured(CONF, "ironic").set_override("notification_level", "debug")
rpc.init(CONF)
objects.register_all()
row = chassis.Chassis(
    uuid="1910f669-ce8b-43c2-b1d8-cf3d65be815e", description="bare 28", extra={"rack": 7, "weight": 12.5},
    created_at=datetime.datetime(2016, 4, 10, 10, 13, 3, tzinfo=datetime.timezone.utc), updated_at=None,
)
chassis.ChassisCRUDNotification(
    level=fields.NotificationLevel.WARNING,
    event_type=notification.EventType(object="chassis", action="update", status=fields.NotificationStatus.END),
    publisher=notification.NotificationPublisher(service="ironic-api", host="hostname02"),
    payload=chassis.ChassisCRUDPayload(row),
).emit(context.RequestContext(user_id="user", project_id="project"))
answer_with_what_came("ironic_versioned_notifications.warn")
"""

UNVERSIONED = """
conf = configured(cfg.CONF, "any")
notifier = oslo_messaging.Notifier(
    oslo_messaging.get_notification_transport(conf), publisher_id="compute.host", topics=["notifications"]
)
for level in ("audit", "debug", "info", "warn", "error", "critical", "sample"):
    payload = {"instance_id": "i-1", "n": [1, 1.5, 2**70, None, "\\u00e9\\U0001f600"]}
    payload["at"] = datetime.datetime(2026, 1, 31)
    getattr(notifier, level)({"project_id": "p-1"}, "compute.instance.update", payload)
levels = ("audit", "debug", "info", "warn", "error", "critical", "sample")
answer_with_what_came(*("notifications." + level for level in levels))
"""


def emitted(driver: str, script: str) -> list[Any]:
    """Return the documents that came to the broker."""
    run = script_runner("notifications", PRELUDE.replace("DRIVER", driver))
    return [documents.decode(body.encode()) for body in run(script)["bodies"]]


def through(document: Any, name: str) -> Event:
    """Return the event of a document that goes through the format of this name and comes out as it was."""
    registry = Registry()
    assert registry.recognise(document).name == name
    event = cloudevents.decode(cloudevents.encode(registry.to_event(document, RECEIVED)))
    assert documents.is_same(registry.to_native(event), document)
    return event


@pytest.mark.parametrize(("driver", "name"), [("messaging", "oslo"), ("messagingv2", "oslo-envelope")])
def test_a_notification_of_novas_objects_goes_through(driver: str, name: str) -> None:
    [document] = emitted(driver, NOVA)
    event = through(document, name)
    assert (event.type, event.source) == ("service.update", "/nova-compute%3Ahost-%C3%A9")
    assert event.subject == "fafac544-c165-4c65-8b4f-2e5a8b5f4a37"
    assert event.dataschema is not None
    assert event.dataschema.startswith("urn:os:nova:ServiceStatusPayload:1.")
    assert (event.extensions["severitytext"], event.extensions["severitynumber"]) == ("INFO", 9)
    assert event.data["nova_object.data"]["last_seen_up"] == "2012-10-29T13:42:05Z"


@pytest.mark.parametrize(("driver", "name"), [("messaging", "oslo"), ("messagingv2", "oslo-envelope")])
def test_a_notification_of_ironics_objects_goes_through(driver: str, name: str) -> None:
    [document] = emitted(driver, IRONIC)
    event = through(document, name)
    assert (event.type, event.source) == ("baremetal.chassis.update.end", "/ironic-api.hostname02")
    assert event.subject == "1910f669-ce8b-43c2-b1d8-cf3d65be815e"
    assert event.dataschema == "urn:os:ironic:ChassisCRUDPayload:1.0"
    assert (event.extensions["severitytext"], event.extensions["severitynumber"]) == ("WARN", 13)
    assert str(event.data["ironic_object.data"]["extra"]["weight"]) == "12.5"


@pytest.mark.parametrize(("driver", "name"), [("messaging", "oslo"), ("messagingv2", "oslo-envelope")])
def test_an_unversioned_notification_of_every_priority_goes_through(driver: str, name: str) -> None:
    came = emitted(driver, UNVERSIONED)
    assert len(came) == 7
    for document in came:
        event = through(document, name)
        assert event.subject == "i-1"
        assert event.extensions["severitynumber"] != 0
        assert event.data["n"][2] == 2**70


def test_the_envelope_of_an_event_is_closed_as_oslo_messaging_closes_it() -> None:
    for document in emitted("messagingv2", UNVERSIONED):
        event = through(document, "oslo-envelope")
        # Nothing of the notification had to be kept twice.
        remainder = json.loads(str(event.extensions["sukkalremainder"]))
        assert remainder["has"].keys() <= {"_unique_id", "_context_project_id"}
