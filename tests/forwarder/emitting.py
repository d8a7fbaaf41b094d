"""Real notifications of Nova and Ironic, emitted by the real oslo.messaging into a real RabbitMQ."""

from typing import Any, Final

from tests.clients.foreign import script_runner
from tests.clients.rabbitmq import PASSWORD, USER, RabbitMQ

__all__ = ["IRONIC", "NOVA", "PLAIN", "emit", "url_of"]

_PRELUDE: Final = """
import datetime, logging, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import oslo_messaging
from oslo_config import cfg

URL = sys.argv[1].replace("amqp://", "rabbit://")
# Makes the options known that are set here.
oslo_messaging.get_notification_transport(cfg.CONF, url=URL)
cfg.CONF.set_override("driver", ["messagingv2"], group="oslo_messaging_notifications")

def configured(conf, project):
    conf([], project=project, default_config_files=[])
    conf.set_override("transport_url", URL)
    return conf

COUNT, PROJECTS = int(sys.argv[2]), sys.argv[3].split(",")
emitted = []
"""

NOVA: Final = """
import uuid
from nova import context, objects, rpc
from nova.notifications.objects import base, keypair
from nova.objects import fields, keypair as keypairs

conf = configured(cfg.CONF, "nova")
# As the service's own start does it.
rpc.set_defaults(control_exchange="nova")
conf.set_override("notification_format", "versioned", group="notifications")
rpc.init(conf)
objects.register_all()
for number in range(COUNT):
    project = PROJECTS[number % len(PROJECTS)]
    name = f"key-{number}"
    row = keypairs.KeyPair(user_id="u", name=name, fingerprint="f", public_key="k", type="ssh")
    keypair.KeypairNotification(
        priority=fields.NotificationPriority.INFO,
        event_type=base.EventType(
            object="keypair", action=fields.NotificationAction.CREATE, phase=fields.NotificationPhase.END
        ),
        publisher=base.NotificationPublisher(host="secret-host", source=fields.NotificationSource.API),
        payload=keypair.KeypairPayload(keypair=row),
    ).emit(context.RequestContext("user", project, auth_token="secret-token", roles=["member"]))
    emitted.append([project, name])
answer(emitted=emitted)
"""

IRONIC: Final = """
from ironic import objects
from ironic.common import context, rpc
from ironic.conf import CONF
from ironic.objects import chassis, fields, notification

configured(CONF, "ironic").set_override("notification_level", "debug")
rpc.set_defaults(control_exchange="ironic")
rpc.init(CONF)
objects.register_all()
for number in range(COUNT):
    project = PROJECTS[number % len(PROJECTS)]
    row = chassis.Chassis(
        uuid="1910f669-ce8b-43c2-b1d8-%012d" % number, description=f"chassis-{number}", extra={"weight": 12.5},
        created_at=datetime.datetime(2016, 4, 10, 10, 13, 3, tzinfo=datetime.timezone.utc), updated_at=None,
    )
    chassis.ChassisCRUDNotification(
        level=fields.NotificationLevel.WARNING,
        event_type=notification.EventType(object="chassis", action="update", status=fields.NotificationStatus.END),
        publisher=notification.NotificationPublisher(service="ironic-api", host="secret-host"),
        payload=chassis.ChassisCRUDPayload(row),
    ).emit(context.RequestContext(user_id="user", project_id=project, auth_token="secret-token"))
    emitted.append([project, f"chassis-{number}"])
answer(emitted=emitted)
"""

PLAIN: Final = """
conf = configured(cfg.CONF, "any")
oslo_messaging.set_transport_defaults("nova")
notifier = oslo_messaging.Notifier(
    oslo_messaging.get_notification_transport(conf), publisher_id="compute.secret-host", topics=["notifications"]
)
for number in range(COUNT):
    project = PROJECTS[number % len(PROJECTS)]
    payload = {"instance_id": f"i-{number}", "tenant_id": project, "host": "secret-host", "state": "active"}
    notifier.info({"project_id": "admin", "auth_token": "secret-token"}, "compute.instance.update", payload)
    emitted.append([project, f"i-{number}"])
answer(emitted=emitted)
"""


def url_of(broker: RabbitMQ) -> str:
    """Return the URL of a broker for whoever may do everything there."""
    return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{broker.port}/"


def emit(broker: RabbitMQ, script: str, count: int, *projects: str) -> list[tuple[str, str]]:
    """Emit notifications, for each of the projects in turn, and return the project and the name of each."""
    run = script_runner("notifications", _PRELUDE, url_of(broker), str(count), ",".join(projects))
    answer: Any = run(script)
    return [(project, name) for project, name in answer["emitted"]]
