"""What a conductor does with a task, whatever carries its messages."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from examples.murano import journal, shapes

__all__ = ["Ways", "deploy"]


class Ways(Protocol):
    """How a conductor reaches the agents of one environment, and its user."""

    def send_plan(self, host: str, plan: Mapping[str, Any]) -> None:
        """Send a plan to the agent of a machine, which may not be there yet."""
        ...

    def next_result(self, patience_s: float) -> Mapping[str, Any] | None:
        """Return the next result from any agent, ``None`` if there is none in time."""
        ...

    def report(self, document: Mapping[str, Any]) -> None:
        """Tell the user of progress."""
        ...


def deploy(model: Mapping[str, Any], ways: Ways, *, patience_s: float) -> dict[str, Any]:
    """Do all steps on all machines of an environment and return the result of the task.

    The machines work at the same time: their results come in any order, and are matched by the plans' ids.
    """
    for step in shapes.STEPS:
        expected: dict[str, Mapping[str, Any]] = {}
        for service in model["services"]:
            # Taken from the clock, so that the plans of whoever does this task again are newer.
            plan = shapes.execution_plan(uuid.uuid4().hex, step, service["host"], stamp=int(time.time() * 10_000))
            expected[plan["ID"]] = service
            ways.send_plan(service["host"], plan)
            journal.say("sent plan", plan=plan["ID"], step=step, task=model["id"], host=service["host"])
        while expected:
            if (result := ways.next_result(patience_s)) is None:
                journal.say("gave up", task=model["id"], plans=list(expected))
                return shapes.task_result(model, deployed=False)
            if (service := expected.pop(result["SourceID"], None)) is None:
                # Of a plan that a conductor had sent which died, or told twice.
                journal.say("dropped result", source=result["SourceID"], task=model["id"])
                continue
            journal.say("matched result", source=result["SourceID"], task=model["id"], host=service["host"])
            ways.report(shapes.report(model, service["id"], f"{step}: done"))
    return shapes.task_result(model, deployed=True)
