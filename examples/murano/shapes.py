"""The documents that Murano's services send each other, and the names of the queues that they send them to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = [
    "QUEUE_IDLE_S",
    "REPORTS",
    "RESULTS",
    "STEPS",
    "TASKS",
    "agent_queue",
    "execution_plan",
    "execution_result",
    "report",
    "results_queue",
    "task",
    "task_result",
]

TASKS: Final = "tasks"
RESULTS: Final = "task-results"
REPORTS: Final = "task-reports"
QUEUE_IDLE_S: Final = 86_400
"""How long the queues of an agent are kept while nobody uses them."""

STEPS: Final = ("install", "configure", "start")
"""What is done on each machine, one after the other."""


def agent_queue(environment: str, host: str) -> str:
    """Return the queue from which the agent on a machine takes its plans."""
    return f"e{environment}-h{host}".lower()


def results_queue(environment: str) -> str:
    """Return the queue to which the agents of an environment send what became of their plans."""
    return f"-execution-results-{environment}".lower()


def task(environment: str, hosts: Sequence[str], *, tenant: str, token: str) -> dict[str, Any]:
    """Return the model of an environment that is to be deployed."""
    services = [{"id": f"{environment}-{host}", "host": host, "type": "webServer"} for host in hosts]
    return {"id": environment, "tenant_id": tenant, "token": token, "services": services}


def task_result(model: Mapping[str, Any], *, deployed: bool) -> dict[str, Any]:
    """Return what became of a task: its model, without the token."""
    return {name: value for name, value in model.items() if name != "token"} | {"deployed": deployed}


def report(model: Mapping[str, Any], entity: str, text: str) -> dict[str, Any]:
    """Return what the user is told of the progress of a task."""
    return {"id": entity, "entity": "service", "text": text, "environment_id": model["id"]}


def execution_plan(plan_id: str, step: str, host: str, *, stamp: int) -> dict[str, Any]:
    """Return a plan of one script. An agent drops one whose ``stamp`` is not greater than its last one's."""
    return {
        "FormatVersion": "2.0.0",
        "ID": plan_id,
        "Stamp": stamp,
        "Action": "Execute",
        "Name": step,
        "Body": f"return {step}(args.host).stdout",
        "Parameters": {"host": host},
        "Scripts": {step: {"Type": "Application", "EntryPoint": "f1", "Files": [], "Options": {}}},
        "Files": {"f1": {"Name": f"{step}.sh", "BodyType": "Text", "Body": f"#!/bin/sh\necho {step} $1\n"}},
    }


def execution_result(result_id: str, plan: Mapping[str, Any], body: Any, *, time: str) -> dict[str, Any]:
    """Return what became of a plan, which says by ``SourceID`` of which one."""
    return {
        "FormatVersion": "2.0.0",
        "ID": result_id,
        "SourceID": plan["ID"],
        "Action": "Execution:Result",
        "ErrorCode": 0,
        "Body": body,
        "Time": time,
    }
