"""The conductor: ``python -m examples.murano.queues.conductor URL PROJECT NAME IDLE PATIENCE``, until its input ends.

The queues of agents go when nobody has used them for IDLE seconds. A result is waited for PATIENCE seconds.
"""

import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from examples.murano import journal, shapes
from examples.murano.deployment import deploy
from examples.murano.queues.mq import MqClient, MqMessage, Subscription

__all__ = ["Environment", "main"]

_ENVIRONMENTS_MAX: Final = 4
_TURN_S: Final = 2


class Environment:
    """The queues by which a conductor talks to the agents of one environment, and reports."""

    def __init__(self, mq: MqClient, results: Subscription, environment: str, *, idle_s: int) -> None:
        self._mq = mq
        self._results = results
        self._environment = environment
        self._idle_s = idle_s

    def send_plan(self, host: str, plan: Mapping[str, Any]) -> None:
        """Send a plan to the agent of a machine, which may not be there yet."""
        queue = shapes.agent_queue(self._environment, host)
        self._mq.declare(queue, ttl_s=self._idle_s)
        self._mq.send(plan, queue, message_id=plan["ID"], reply_to=shapes.results_queue(self._environment))

    def next_result(self, patience_s: float) -> Mapping[str, Any] | None:
        """Return the next result from any agent, ``None`` if there is none in time."""
        if (message := self._results.get_message(patience_s)) is None:
            return None
        message.ack()
        result: Mapping[str, Any] = message.body
        return result

    def report(self, document: Mapping[str, Any]) -> None:
        """Tell the user of progress."""
        self._mq.send(document, shapes.REPORTS, message_id=self._environment)


class Conductor:
    """Does tasks, each in a thread."""

    def __init__(self, mq: MqClient, name: str, *, idle_s: int, patience_s: float) -> None:
        self._mq = mq
        self._name = name
        self._idle_s = idle_s
        self._patience_s = patience_s

    def run(self, ending: threading.Event) -> None:
        """Take tasks until that is ended; those that were taken are done first."""
        for queue in (shapes.TASKS, shapes.RESULTS, shapes.REPORTS):
            self._mq.declare(queue)
        with (
            self._mq.open(shapes.TASKS, prefetch=_ENVIRONMENTS_MAX) as tasks,
            ThreadPoolExecutor(_ENVIRONMENTS_MAX) as threads,
        ):
            while not ending.is_set():
                if message := tasks.get_message(_TURN_S):
                    threads.submit(self._work, message).add_done_callback(lambda done: done.result())

    def _work(self, message: MqMessage) -> None:
        model = message.body
        journal.say("began task", task=message.id, conductor=self._name)
        results = shapes.results_queue(model["id"])
        self._mq.declare(results, ttl_s=self._idle_s)
        with self._mq.open(results, prefetch=1) as subscription:
            environment = Environment(self._mq, subscription, model["id"], idle_s=self._idle_s)
            result = deploy(model, environment, patience_s=self._patience_s)
        self._mq.send(result, shapes.RESULTS, message_id=message.id)
        # Only now: if this conductor dies before, another one gets the task.
        message.ack()
        journal.say("ended task", task=message.id, conductor=self._name)


def main() -> None:
    url, project, name, idle_s, patience_s = sys.argv[1:]
    ending = threading.Event()
    with MqClient(url, project) as mq:
        conductor = Conductor(mq, name, idle_s=int(idle_s), patience_s=float(patience_s))
        running = threading.Thread(target=conductor.run, args=(ending,))
        running.start()
        sys.stdin.read()
        ending.set()
        running.join()


if __name__ == "__main__":
    main()
