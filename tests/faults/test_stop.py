"""SIGTERM under load: what runs is answered, what was acknowledged stays, those who wait are let go."""

import asyncio
import json
import time
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.faults.checker import check
from tests.faults.exchange import HEADERS, Connection, Died
from tests.faults.load import QUEUES, Clients, Trigger, view
from tests.serving import ServerProcess

FLAGS: Final = ("--max-messages-per-page", "1000")
STEPS: Final = 200
STOPS: Final = 3


def stopper(server: ServerProcess, steps: int) -> Trigger:
    left = steps

    def trigger(seen: str) -> None:
        nonlocal left
        if seen == "acknowledged":
            left -= 1
            if left == 0:
                server.terminate()

    return trigger


async def stop_under_load(store: str, clients: Clients, random: Random) -> list[int]:
    codes = []
    for _ in range(STOPS):
        with ServerProcess(store, *FLAGS) as server:
            clients.history += [await view(server, queue) for queue in QUEUES]
            await clients.work(server, stopper(server, random.randint(1, STEPS)))
            codes.append(server.wait())
    with ServerProcess(store, *FLAGS) as server:
        clients.history += [await view(server, queue) for queue in QUEUES]
    return codes


def test_a_stop_under_load_loses_nothing_acknowledged(tmp_path: Path) -> None:
    clients = Clients(seed=1, connections=8)
    assert asyncio.run(stop_under_load(f"sqlite:///{tmp_path}", clients, Random(1))) == [0] * STOPS
    assert check(clients.history) == []
    assert clients.strange == []


async def half_a_post(server: ServerProcess, queue: str) -> tuple[Connection, bytes]:
    """Begin a post, wait until the service has asked for its body, and return the body that is still to be sent."""
    body = json.dumps({"messages": [{"body": "in flight", "ttl": 300}]}).encode()
    head = [f"POST /v2/queues/{queue}/messages HTTP/1.1", "Host: test", f"Content-Length: {len(body)}"]
    head += ["Expect: 100-continue", *(f"{name}: {value}" for name, value in HEADERS.items())]
    connection = await Connection.open(server.host, server.port)
    await connection.send_bytes("\r\n".join([*head, "", ""]).encode("ascii"))
    assert (await connection.receive()).status == 100
    return connection, body


async def stop_while_they_wait(store: str, kind: str) -> None:
    with ServerProcess(store, "--http-server", kind) as server:
        claiming, listing, idle = [await Connection.open(server.host, server.port) for _ in range(3)]
        await idle.ask("GET", "/v2/ping")
        await claiming.send("POST", "/v2/queues/empty/claims?wait=60", {})
        await listing.send("GET", "/v2/queues/empty/messages?wait=60")
        posting, body = await half_a_post(server, "late")
        began_s = time.monotonic()
        server.terminate()
        assert (await claiming.receive()).status == 204
        listed = await listing.receive()
        assert (listed.status, listed.document["messages"]) == (200, [])
        # Those who waited have been answered, so the service has begun to stop; what it had begun to read, it takes.
        await posting.send_bytes(body)
        posted = await posting.receive()
        assert posted.status == 201
        with pytest.raises(Died):
            await idle.receive()
        assert server.wait() == 0
        assert time.monotonic() - began_s < 30, "it waited for something that nobody was doing"
        for connection in (claiming, listing, idle, posting):
            await connection.close()
    with ServerProcess(store) as server:
        connection = await Connection.open(server.host, server.port)
        found = await connection.ask("GET", "/v2/queues/late/messages?echo=true")
        assert [message["body"] for message in found.document["messages"]] == ["in flight"]
        await connection.close()


@pytest.mark.parametrize("kind", ["own", "uvicorn"])
def test_a_stop_answers_what_was_begun_and_lets_those_who_wait_go(tmp_path: Path, kind: str) -> None:
    asyncio.run(stop_while_they_wait(f"sqlite:///{tmp_path}", kind))


async def stop_with_half_a_request(store: str, kind: str) -> int:
    with ServerProcess(store, "--shutdown-grace-s", "1", "--http-server", kind) as server:
        connection, _ = await half_a_post(server, "never")
        server.terminate()
        code = server.wait()
        await connection.close()
        return code


@pytest.mark.parametrize("kind", ["own", "uvicorn"])
def test_a_client_that_never_ends_its_request_does_not_keep_the_service(tmp_path: Path, kind: str) -> None:
    assert asyncio.run(stop_with_half_a_request(f"sqlite:///{tmp_path}", kind)) == 0


def test_an_idle_service_stops_at_once(tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}") as server:
        assert server.stop() == 0
        assert "Traceback" not in server.stderr


def test_a_store_in_memory_stops_the_same_way() -> None:
    with ServerProcess("memory://") as server:
        assert server.stop() == 0
        assert "Traceback" not in server.stderr
