"""The conductor: ``python -m examples.murano.driver.conductor URL PROJECT NAME IDLE PATIENCE``, until its input ends.

The queues of agents go when nobody has used them for IDLE seconds. A result is waited for PATIENCE seconds.
"""

import queue
import sys
from collections.abc import Mapping
from typing import Any

from examples.murano import journal, shapes
from examples.murano.deployment import deploy
from examples.murano.driver.transport import EXCHANGE, REPORT, Bus
from examples.murano.queues.mq import MqClient
from sukkal.oslo.naming import topic_queue

__all__ = ["Environment", "main"]


class Environment:
    """How a conductor talks to the agents of one environment, and reports: also what they send their results to."""

    def __init__(self, bus: Bus, mq: MqClient, environment: str, *, idle_s: int) -> None:
        self._bus = bus
        self._mq = mq
        self._environment = environment
        self._idle_s = idle_s
        self._results: queue.Queue[Mapping[str, Any]] = queue.Queue()

    def declare(self, topic: str) -> None:
        """Have the queue of a topic go when it is not used, for which oslo.messaging has no word."""
        self._mq.declare(topic_queue(EXCHANGE, topic), ttl_s=self._idle_s)

    def send_plan(self, host: str, plan: Mapping[str, Any]) -> None:
        """Send a plan to the agent of a machine, which may not be there yet."""
        topic = shapes.agent_queue(self._environment, host)
        self.declare(topic)
        self._bus.cast(topic, "execute", plan=plan, reply_to=shapes.results_queue(self._environment))

    def execution_result(self, _context: dict[str, Any], result: dict[str, Any]) -> None:
        """Take a result from an agent."""
        self._results.put(result)

    def next_result(self, patience_s: float) -> Mapping[str, Any] | None:
        """Return the next result from any agent, ``None`` if there is none in time."""
        try:
            return self._results.get(timeout=patience_s)
        except queue.Empty:
            return None

    def report(self, document: Mapping[str, Any]) -> None:
        """Tell the user of progress."""
        self._bus.notify("conductor", REPORT, document)


class Conductor:
    """Does tasks, each in a thread of the server's. The driver acknowledges a task when its method has returned."""

    def __init__(self, bus: Bus, mq: MqClient, name: str, *, idle_s: int, patience_s: float) -> None:
        self._bus = bus
        self._mq = mq
        self._name = name
        self._idle_s = idle_s
        self._patience_s = patience_s

    def handle_task(self, _context: dict[str, Any], task: dict[str, Any]) -> None:
        """Do a task and send its result."""
        journal.say("began task", task=task["id"], conductor=self._name)
        environment = Environment(self._bus, self._mq, task["id"], idle_s=self._idle_s)
        results = shapes.results_queue(task["id"])
        environment.declare(results)
        stop = self._bus.serve(results, self._name, environment)
        try:
            result = deploy(task, environment, patience_s=self._patience_s)
        finally:
            stop()
        self._bus.cast(shapes.RESULTS, "process_result", result=result)
        journal.say("ended task", task=task["id"], conductor=self._name)


def main() -> None:
    url, project, name, idle_s, patience_s = sys.argv[1:]
    bus = Bus(url, project)
    with MqClient(url, project) as mq:
        conductor = Conductor(bus, mq, name, idle_s=int(idle_s), patience_s=float(patience_s))
        stop = bus.serve(shapes.TASKS, name, conductor)
        sys.stdin.read()
        stop()
    bus.close()


if __name__ == "__main__":
    main()
