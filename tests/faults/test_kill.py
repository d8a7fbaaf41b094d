"""The service is killed again and again under load, on the same data, and keeps every promise."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

from tests.faults.checker import check
from tests.faults.exchange import Connection
from tests.faults.history import Kind
from tests.faults.load import QUEUES, Clients, Trigger, view
from tests.serving import ServerProcess

KILLS: Final = 55
CONNECTIONS: Final = 8
SEED: Final = 20_260_101
STEPS_MAX: Final = 160

FLAGS: Final = ("--max-messages-per-page", "1000", "--log-level", "warning")


def killer(server: ServerProcess, random: Random) -> Trigger:
    """Return a trigger that kills at a random moment of the load: after some step, of either kind."""
    step, left = random.choice(("sent", "acknowledged")), random.randint(1, STEPS_MAX)

    def trigger(seen: str) -> None:
        nonlocal left
        if seen == step:
            left -= 1
            if left == 0:
                server.kill()

    return trigger


async def run(store: str, clients: Clients, random: Random) -> int:
    """Kill the service ``KILLS`` times under load, looking at all its data after each, and then empty it."""
    killed = 0
    for _ in range(KILLS):
        with ServerProcess(store, *FLAGS) as server:
            clients.history += [await view(server, queue) for queue in QUEUES]
            await clients.work(server, killer(server, random))
            killed += server.wait() == -9
    with ServerProcess(store, *FLAGS) as server:
        clients.history += [await view(server, queue) for queue in QUEUES]
        await drain(server, clients)
        clients.history += [await view(server, queue) for queue in QUEUES]
        assert server.stop() == 0
    return killed


async def drain(server: ServerProcess, clients: Clients) -> None:
    """End all claims, also those that no client knows of, and pop all messages."""
    connection = await Connection.open(server.host, server.port)
    for queue in QUEUES:
        while claims := (await connection.ask("GET", f"/v2/queues/{queue}/claims?limit=20")).document["claims"]:
            for claim in claims:
                await clients.release(connection, queue, claim["id"])
        while await clients.pop(connection, queue, 20):
            pass
    await connection.close()


def test_what_was_acknowledged_survives_every_kill_and_nothing_else_appears(tmp_path: Path) -> None:
    clients = Clients(SEED, CONNECTIONS)
    killed = asyncio.run(run(f"sqlite:///{tmp_path}", clients, Random(SEED)))
    assert killed == KILLS
    assert clients.strange == []
    assert check(clients.history) == []
    # The load was what it is meant to be: all kinds of requests, some cut off by the kills.
    done = Counter(event.kind for event in clients.history if event.done)
    assert all(done[kind] > KILLS for kind in Kind), done
    cut_off = {event.kind for event in clients.history if event.unknown}
    assert {Kind.POST, Kind.CLAIM, Kind.DELETE, Kind.POP} <= cut_off
    (last,) = {len(event.messages) for event in clients.history[-len(QUEUES) :]}
    assert last == 0
