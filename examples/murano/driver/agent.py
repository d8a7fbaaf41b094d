"""An agent: ``python -m examples.murano.driver.agent URL PROJECT QUEUE FOLDER``, until its input ends."""

import sys
import threading
from pathlib import Path
from typing import Any

from examples.murano import journal
from examples.murano.driver.transport import Bus
from examples.murano.plans import PlanFolder, carried_out

__all__ = ["Agent", "main"]


class Agent:
    """Stores plans, whereupon the driver acknowledges them, and carries them out in a thread of its own."""

    def __init__(self, bus: Bus, topic: str, plans: PlanFolder) -> None:
        self._bus = bus
        self._topic = topic
        self._plans = plans
        self._changed = threading.Event()
        self._ending = False
        self._worker = threading.Thread(target=self._work)
        self._changed.set()
        self._worker.start()

    def execute(self, _context: dict[str, Any], plan: dict[str, Any], reply_to: str) -> None:
        """Take a plan."""
        journal.say("got plan", plan=plan["ID"], queue=self._topic)
        if not self._plans.store(plan, reply_to):
            journal.say("dropped plan", plan=plan["ID"], queue=self._topic)
        self._changed.set()

    def stop(self) -> None:
        """Return when what was stored is carried out."""
        self._ending = True
        self._changed.set()
        self._worker.join()

    def _work(self) -> None:
        while not self._ending:
            self._changed.wait()
            self._changed.clear()
            for plan, reply_to in self._plans.unanswered():
                self._bus.cast(reply_to, "execution_result", result=carried_out(plan))
                self._plans.answered(plan)
                journal.say("answered plan", plan=plan["ID"])


def main() -> None:
    url, project, topic, folder = sys.argv[1:]
    bus = Bus(url, project)
    agent = Agent(bus, topic, PlanFolder(Path(folder)))
    # One thread: plans are taken in their order.
    stop = bus.serve(topic, "agent", agent, threads=1)
    sys.stdin.read()
    stop()
    agent.stop()
    bus.close()


if __name__ == "__main__":
    main()
