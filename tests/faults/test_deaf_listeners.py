"""Listeners that stop reading or vanish, over real sockets: they are let go, and cost neither memory nor time."""

import asyncio
import contextlib
import json
import os
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.exchange import HEADERS, Connection
from tests.faults.listeners import Told, stream, subscription
from tests.faults.listening import Place
from tests.faults.test_connections import peak_memory_bytes
from tests.faults.test_websockets import TEXT, Raw, masked
from tests.serving import ServerProcess

PATIENCE_S: Final = 60
POSTS: Final = 250
BODY_BYTES: Final = 200_000
DEAF: Final = 8
MIB: Final = 1_048_576
# The kernel's buffers and the client's hold some of what is posted; all of it together has to be far more.
GROWTH_BYTES_MAX: Final = 96 * MIB

KINDS: Final = pytest.mark.parametrize("kind", [subscription, stream])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    flags = ("--client-read-timeout-s", "1", "--log-level", "warning")
    with ServerProcess(f"sqlite:///{tmp_path}/data", *flags) as server:
        usual = sockets(server)
        # A position in a queue that is not there says nothing about one that is made later.
        request = urllib.request.Request(f"{server.url}/v2/queues/q", method="PUT", headers=HEADERS)
        urllib.request.urlopen(request, timeout=30).close()
        asyncio.run(until(lambda: sockets(server) == usual))
        yield server
        assert "Traceback" not in server.stderr, server.stderr[-3_000:]


def sockets(server: ServerProcess) -> int:
    """Return how many sockets the service has open."""
    folder, count = Path(f"/proc/{server.pid}/fd"), 0
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(folder / name).startswith("socket:")
    return count


async def until(happens: Callable[[], bool]) -> None:
    """Look again and again until something happens."""
    async with asyncio.timeout(PATIENCE_S):
        while not happens():  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(0.01)


async def post(server: ServerProcess, *numbers: int) -> None:
    connection = await Connection.open(server.host, server.port)
    for number in numbers:
        body = {"n": number, "pad": "x" * BODY_BYTES}
        answer = await connection.ask("POST", "/v2/queues/q/messages", {"messages": [{"body": body}]})
        assert answer.status == 201
    await connection.close()


async def numbers(told: Told, last: int) -> list[int]:
    """Return the numbers of the messages that a listener is told, to the last one or to the end."""
    found = []
    async for each in told:
        found.append(each["body"]["n"])
        if found[-1] == last:
            break
    return found


async def outlast(server: ServerProcess, kind: Any) -> None:
    """Let some listeners read nothing while much is posted."""
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(aclosing(each(server, "q", None))) for each in (subscription, stream)]
        for other in others:
            await anext(other)
        usual, before = sockets(server), peak_memory_bytes(server)
        deaf = [await stack.enter_async_context(aclosing(kind(server, "q", None))) for _ in range(DEAF)]
        places = [Place.of((await anext(each))["position"]) for each in deaf]
        assert sockets(server) == usual + DEAF
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            hearing = [group.create_task(numbers(other, POSTS - 1)) for other in others]
            group.create_task(post(server, *range(POSTS)))
        for each in hearing:
            assert each.result() == list(range(POSTS)), "others hear everything while the deaf ones are there"
        grown = peak_memory_bytes(server) - before
        assert grown < GROWTH_BYTES_MAX, f"{grown / MIB:.0f} MiB"
        await until(lambda: sockets(server) == usual)
        # Whoever was cut off reads what is on its way, and comes back for the rest.
        heard = []
        async for each in deaf[0]:
            places[0] = Place.of(each["position"])
            heard.append(each["body"]["n"])
        assert len(heard) < POSTS
        async with aclosing(kind(server, "q", places[0])) as back:
            assert (await anext(back))["recovered"] is True
            assert heard + await numbers(back, POSTS - 1) == list(range(POSTS))


@KINDS
def test_who_reads_nothing_is_let_go_and_may_come_back_and_nobody_else_notices(
    server: ServerProcess, kind: Any
) -> None:
    asyncio.run(outlast(server, kind))


@KINDS
def test_who_stops_in_the_middle_of_what_it_missed_is_let_go(server: ServerProcess, kind: Any) -> None:
    async def run() -> None:
        async with aclosing(kind(server, "q", None)) as first:
            place = Place.of((await anext(first))["position"])
        await post(server, *range(POSTS))
        await until(lambda: sockets(server) == usual)
        before = peak_memory_bytes(server)
        async with aclosing(kind(server, "q", place)) as deaf:
            assert (await anext(deaf))["recovered"] is True
            await until(lambda: sockets(server) == usual)
            heard = await numbers(deaf, POSTS - 1)
        assert heard == list(range(len(heard)))
        assert len(heard) < POSTS
        assert peak_memory_bytes(server) - before < 32 * MIB

    usual = sockets(server)
    asyncio.run(run())


def test_a_socket_whose_client_has_vanished_is_let_go(tmp_path: Path) -> None:
    # Nothing tells of such a client: no end of the connection, no answer to a ping or to the closing frame.
    with ServerProcess(f"sqlite:///{tmp_path}/data", "--websocket-idle-timeout-s", "1") as server:
        usual = sockets(server)
        raw = Raw(server)
        frame = {"action": "subscription_create", "headers": HEADERS, "body": {"queue_name": "q"}}
        raw.send(masked(TEXT, json.dumps(frame).encode()))
        assert json.loads(raw.receive()[1])["headers"]["status"] == 201
        assert sockets(server) == usual + 1
        asyncio.run(until(lambda: sockets(server) == usual))
        raw.socket.close()


def test_a_client_that_breaks_off_is_let_go_at_once(server: ServerProcess) -> None:
    usual = sockets(server)
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    raw.sendall(b"GET /v2/queues/q/stream HTTP/1.1\r\nHost: x\r\nX-Project-Id: p\r\n\r\n")
    assert b"200" in raw.recv(65_536)
    assert sockets(server) == usual + 1
    raw.close()
    asyncio.run(until(lambda: sockets(server) == usual))
