"""An agent: ``python -m examples.murano.queues.agent URL PROJECT QUEUE FOLDER``, until its input ends."""

import sys
import threading
from pathlib import Path
from typing import Final

from examples.murano import journal
from examples.murano.plans import PlanFolder, carried_out
from examples.murano.queues.mq import MqClient

__all__ = ["main"]

_TURN_S: Final = 2


def run(mq: MqClient, queue: str, plans: PlanFolder, ending: threading.Event) -> None:
    """Take plans one at a time: store, acknowledge, carry out, answer."""
    answer_all(mq, plans)
    with mq.open(queue, prefetch=1) as subscription:
        while not ending.is_set():
            if (message := subscription.get_message(_TURN_S)) is None:
                continue
            journal.say("got plan", plan=message.body["ID"], queue=queue)
            new = plans.store(message.body, message.reply_to or "")
            message.ack()
            if not new:
                journal.say("dropped plan", plan=message.body["ID"], queue=queue)
            answer_all(mq, plans)


def answer_all(mq: MqClient, plans: PlanFolder) -> None:
    """Carry out what is on the disk, also what was left there by an agent that died."""
    for plan, reply_to in plans.unanswered():
        result = carried_out(plan)
        mq.send(result, reply_to, message_id=result["ID"])
        plans.answered(plan)
        journal.say("answered plan", plan=plan["ID"])


def main() -> None:
    url, project, queue, folder = sys.argv[1:]
    ending = threading.Event()
    with MqClient(url, project) as mq:
        running = threading.Thread(target=run, args=(mq, queue, PlanFolder(Path(folder)), ending))
        running.start()
        sys.stdin.read()
        ending.set()
        running.join()


if __name__ == "__main__":
    main()
