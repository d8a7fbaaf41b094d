"""The API: ``python -m examples.murano.driver.api URL PROJECT NAME TASKS``, until its input ends.

It sends so many tasks, and says what it is told of these and of the tasks of others.
"""

import sys
import uuid
from typing import Any

from examples.murano import journal, shapes
from examples.murano.driver.transport import Bus

__all__ = ["main"]


class Results:
    """Says what became of tasks."""

    def process_result(self, _context: dict[str, Any], result: dict[str, Any]) -> None:
        journal.say("got result", task=result["id"], document=result)


class Reports:
    """Says what the user is told of progress."""

    def info(self, _context: dict[str, Any], _publisher: str, _type: str, payload: Any, _metadata: Any) -> None:
        journal.say("got report", task=payload["environment_id"], document=payload)


def main() -> None:
    url, project, name, tasks = sys.argv[1:]
    bus = Bus(url, project)
    stops = [bus.serve(shapes.RESULTS, name, Results()), bus.hear(Reports())]
    for number in range(int(tasks)):
        model = shapes.task(f"{name}{number}", ("web", "db"), tenant="t1", token=uuid.uuid4().hex)
        bus.cast(shapes.TASKS, "handle_task", task=model)
        journal.say("sent task", task=model["id"])
    sys.stdin.read()
    for stop in stops:
        stop()
    bus.close()


if __name__ == "__main__":
    main()
