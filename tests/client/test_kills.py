"""Programs that are killed or interrupted in the middle of their work."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from sukkal.client import SyncClient
from tests.client.service_here import ServiceHere

ROOT: Final = Path(__file__).parents[2]
FACES: Final = ["async", "sync"]


def hang(service: ServiceHere, face: str, queue: str = "q", said: str = "0") -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.client.hanging", service.url, face, queue],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert not said or process.stdout.readline() == f"{said}\n"
    return process


def end(process: "subprocess.Popen[str]", how: signal.Signals) -> str:
    process.send_signal(how)
    return process.communicate(timeout=30)[1]


@pytest.mark.parametrize("face", FACES)
def test_what_a_killed_program_held_comes_back_when_its_lease_ends(service: ServiceHere, face: str) -> None:
    with SyncClient(service.url, project="p") as client:
        queue = client.queue("q")
        queue.post_many(range(3))
        end(hang(service, face), signal.SIGKILL)
        assert queue.stats().claimed == 2
        service.clock.advance(61_000)
        again = {message.body: message.claim_count for message in queue.consume(wait=0, until_empty=True)}
        assert again == {0: 2, 1: 2, 2: 1}
        assert queue.stats().total == 0


@pytest.mark.parametrize("face", FACES)
def test_an_interrupted_program_gives_back_what_it_held_at_once(service: ServiceHere, face: str) -> None:
    with SyncClient(service.url, project="p") as client:
        queue = client.queue("q")
        queue.post_many(range(3))
        end(hang(service, face), signal.SIGINT)
        assert (queue.stats().free, queue.stats().claimed) == (3, 0)


@pytest.mark.parametrize("face", FACES)
def test_a_program_that_is_interrupted_while_it_waits_ends_and_holds_nothing(service: ServiceHere, face: str) -> None:
    with SyncClient(service.url, project="p") as client:
        queue = client.queue("q")
        process = hang(service, face, said="")
        service.await_waiting("q")
        said = end(process, signal.SIGINT)
        assert "KeyboardInterrupt" in said
        assert "RuntimeError" not in said, said
        queue.post(0)
        with queue.one(wait=0) as message:
            assert message is not None
            assert message.claim_count == 1
