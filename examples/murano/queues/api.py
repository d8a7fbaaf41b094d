"""The API: ``python -m examples.murano.queues.api URL PROJECT NAME TASKS``, until its input ends.

It sends so many tasks, and says what it is told of these and of the tasks of others.
"""

import sys
import threading
import uuid

from examples.murano import journal, shapes
from examples.murano.queues.mq import MqClient

__all__ = ["main"]

_TURN_S = 2


def main() -> None:
    url, project, name, tasks = sys.argv[1:]
    ending = threading.Event()
    with MqClient(url, project) as mq:
        for queue in (shapes.TASKS, shapes.RESULTS, shapes.REPORTS):
            mq.declare(queue)
        listeners = [
            threading.Thread(target=listen, args=(mq, queue, did, ending))
            for queue, did in ((shapes.RESULTS, "got result"), (shapes.REPORTS, "got report"))
        ]
        for listener in listeners:
            listener.start()
        for number in range(int(tasks)):
            model = shapes.task(f"{name}{number}", ("web", "db"), tenant="t1", token=uuid.uuid4().hex)
            mq.send(model, shapes.TASKS, message_id=model["id"])
            journal.say("sent task", task=model["id"])
        sys.stdin.read()
        ending.set()
        for listener in listeners:
            listener.join()


def listen(mq: MqClient, queue: str, did: str, ending: threading.Event) -> None:
    """Say what comes to a queue."""
    with mq.open(queue, prefetch=10) as subscription:
        while not ending.is_set():
            if message := subscription.get_message(_TURN_S):
                journal.say(did, task=message.id, document=message.body)
                message.ack()


if __name__ == "__main__":
    main()
