"""Documents of every native shape: those that real programs sent, from ``tests/vectors``, and some like theirs."""

import json
from pathlib import Path
from typing import Any, Final

__all__ = [
    "VECTORS",
    "alarms",
    "heat_events",
    "mistral_events",
    "older_tripleo_messages",
    "oslo_notifications",
    "oslo_wire",
    "tripleo_messages",
]

VECTORS: Final = Path(__file__).parents[1] / "vectors"


def oslo_notifications() -> list[Any]:
    """Return the notifications that listeners of Nova, Neutron, Cinder, Glance and Designate were given."""
    files = sorted((VECTORS / "oslo_notifications").glob("*.json"))
    found = [each for file in files for each in json.loads(file.read_text(encoding="utf-8")).values()]
    return [each for each in found if "event_type" in each]


def oslo_wire(*, in_envelopes: bool) -> list[Any]:
    """Return the notifications that a broker was given by oslo.messaging."""
    lines = (VECTORS / "oslo_wire.jsonl").read_text(encoding="utf-8").splitlines()
    return [each for each in map(json.loads, lines) if ("oslo.message" in each) == in_envelopes]


def heat_events() -> list[Any]:
    """Return the bodies that Heat's event sink posted."""
    return [body for body in _posted_bodies() if body.get("type") == "os.heat.event"]


def mistral_events() -> list[Any]:
    """Return the bodies that Mistral's webhook publisher sent."""
    return [each["body"] for each in _requests() if each["path"].startswith("/sink/")]


def tripleo_messages() -> list[Any]:
    """Return messages such as TripleO's workflows post."""
    execution = {"id": "e-1", "name": "tripleo.plan", "root_execution_id": "e-0"}
    return [
        {
            "type": "tripleo.validations.v1.run_validation",
            "payload": {"status": "SUCCESS", "stdout": "", "validation_name": "dns", "execution": execution},
        },
        {
            "type": "tripleo.deployment.v1.deploy_plan",
            "payload": {"status": "RUNNING", "message": "é", "execution_id": "e-2", "plan_name": "overcloud"},
        },
        {
            "type": "tripleo.ansible-playbook.deploy.yaml",
            "payload": {"message": "ok", "plan_name": "overcloud", "status": "RUNNING", "execution": {"id": "e"}},
        },
    ]


def older_tripleo_messages() -> list[Any]:
    """Return messages such as its first workflows posted."""
    return [{"name": "tripleo.baremetal.v1.introspect", "execution_id": "e-3", "data": {"status": "SUCCESS"}}]


def alarms() -> list[Any]:
    """Return messages such as Aodh posts."""
    return [
        {
            "alarm_name": "cpu high",
            "alarm_id": "a-1",
            "severity": "critical",
            "previous": "insufficient data",
            "current": "alarm",
            "reason": "Transition to alarm",
            "reason_data": {"type": "threshold", "count": 1, "most_recent": 91.50, "disposition": "outside"},
        }
    ]


def _requests() -> list[Any]:
    text = (VECTORS / "real-client-requests.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _posted_bodies() -> list[Any]:
    posts = [each["body"]["messages"] for each in _requests() if each["body"] and "messages" in each["body"]]
    return [message["body"] for messages in posts for message in messages]
