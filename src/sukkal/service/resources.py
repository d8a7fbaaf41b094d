"""Which resource an event tells of, and whether it is gone.

The names of the types are those that Heat and Searchlight use. What no row of the table knows is a resource too if it
has a subject: of the type that the event's type is without what happened.
"""

from collections.abc import Mapping
from typing import Final

from sukkal.format import Event
from sukkal.formats.members import first_text
from sukkal.search import Change

__all__ = ["change_of"]

_PHASES: Final = frozenset({"start", "end", "error", "success", "fail"})
_ENDS: Final = frozenset({"delete", "deleted", "destroy", "destroyed", "remove", "removed"})
_UNDER_WAY: Final = frozenset({"start", "error", "fail"})

_NAMES: Final[Mapping[str, str]] = {
    "compute.instance": "OS::Nova::Server",
    "instance": "OS::Nova::Server",
    "compute.server": "OS::Nova::Server",
    "keypair": "OS::Nova::KeyPair",
    "flavor": "OS::Nova::Flavor",
    "server_group": "OS::Nova::ServerGroup",
    "servergroup": "OS::Nova::ServerGroup",
    "aggregate": "OS::Nova::HostAggregate",
    "baremetal.node": "OS::Ironic::Node",
    "baremetal.port": "OS::Ironic::Port",
    "baremetal.portgroup": "OS::Ironic::PortGroup",
    "baremetal.chassis": "OS::Ironic::Chassis",
    "network": "OS::Neutron::Net",
    "subnet": "OS::Neutron::Subnet",
    "port": "OS::Neutron::Port",
    "router": "OS::Neutron::Router",
    "floatingip": "OS::Neutron::FloatingIP",
    "security_group": "OS::Neutron::SecurityGroup",
    "security_group_rule": "OS::Neutron::SecurityGroupRule",
    "volume": "OS::Cinder::Volume",
    "snapshot": "OS::Cinder::Snapshot",
    "backup": "OS::Cinder::Backup",
    "dns.zone": "OS::Designate::Zone",
    "dns.recordset": "OS::Designate::RecordSet",
    "image": "OS::Glance::WebImage",
    "identity.user": "OS::Keystone::User",
    "identity.project": "OS::Keystone::Project",
    "identity.group": "OS::Keystone::Group",
    "orchestration.stack": "OS::Heat::Stack",
}
"""Notifications: the beginning of their type, and the resource that they are about."""

_IDS: Final = (("resource_info",), ("stack_identity",), ("keypair_id",), ("aggregate_id",))
"""Where the id is in notifications whose event has no subject."""


def change_of(event: Event) -> Change | None:
    """Return the resource of an event, ``None`` if it tells of none."""
    if event.type == "os.heat.event":
        return _of_heat(event)
    if event.type.startswith("mistral."):
        return _of_mistral(event)
    if event.type.startswith("aodh.alarm."):
        alarm = first_text(event.data, (("alarm_id",),))
        return Change("OS::Aodh::Alarm", alarm) if alarm else None
    return _of_notification(event)


def _of_heat(event: Event) -> Change | None:
    stack = first_text(event.data, (("stack_id",),))
    if stack is None:
        return None
    about = first_text(event.data, (("physical_resource_id",),))
    status = first_text(event.data, (("resource_status",),))
    action = first_text(event.data, (("resource_action",),))
    whole = about == stack
    return Change(
        "OS::Heat::Stack", stack, deleted=whole and (action, status) == ("DELETE", "COMPLETE"), partial=not whole
    )


def _of_mistral(event: Event) -> Change | None:
    id_ = first_text(event.data, (("id",),))
    kind = "OS::Mistral::Task" if event.type.startswith("mistral.task.") else "OS::Mistral::Execution"
    return Change(kind, id_) if id_ else None


def _of_notification(event: Event) -> Change | None:
    words = event.type.split(".")
    phase = words.pop() if len(words) > 1 and words[-1] in _PHASES else ""
    action = words[-1]
    kind = next((name for name in _stems(words) if name in _NAMES), None)
    id_ = event.subject or (first_text(event.data, _IDS) if kind is not None else None)
    named = _NAMES[kind] if kind is not None else ".".join(words[:-1])
    if not id_ or not named:
        return None
    # `image.member.delete` is not the end of the image, and tells of the member only.
    partial = kind is not None and len(words) > kind.count(".") + 2
    gone = not partial and action in _ENDS and phase not in _UNDER_WAY
    return Change(named, id_, deleted=gone, partial=partial)


def _stems(words: list[str]) -> list[str]:
    return [".".join(words[:length]) for length in (2, 1)]
