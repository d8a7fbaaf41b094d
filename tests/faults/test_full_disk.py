"""A disk without room: writes are refused, what was acknowledged stays, and room heals it."""

import resource
import signal
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from tests.serving import ServerProcess

ROOM: Final = 600_000
BODY: Final = "x" * 10_000
TRIES_MAX: Final = 200


def leave_little_room() -> None:
    # Stands for a full disk, without needing one: no file may grow beyond this.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))


def connect(server: ServerProcess) -> httpx.Client:
    headers = {"Client-ID": str(uuid.uuid4()), "X-Project-Id": "p"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=30)


def post(client: httpx.Client) -> httpx.Response:
    return client.post("/v2/queues/q/messages", json={"messages": [{"body": BODY}, {"body": BODY}]})


def until_refused(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Make a request again and again, and return the first answer that is no success."""
    response = ask()
    for _ in range(TRIES_MAX):
        if not response.is_success:
            break
        response = ask()
    return response


def stored(client: httpx.Client) -> int:
    total: int = client.get("/v2/queues/q/stats").json()["messages"]["total"]
    return total


def test_a_full_disk_refuses_writes_keeps_what_it_has_and_heals(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/data"
    acknowledged: list[str] = []
    with ServerProcess(store, prepare=leave_little_room) as server, connect(server) as client:
        while (response := post(client)).status_code == 201:
            acknowledged += response.json()["resources"]
        assert len(acknowledged) >= 10
        # What needs less room than a post may still find some.
        for refused in (response, post(client), until_refused(lambda: client.post("/v2/queues/q/claims?limit=1"))):
            assert refused.status_code == 503
            assert refused.json()["title"] == "Service temporarily unavailable"
            assert int(refused.headers["retry-after"]) > 0
        assert stored(client) == len(acknowledged)
        assert {client.get(path).status_code for path in acknowledged} == {200}
        assert client.get("/healthz").status_code == 200
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        response = post(client)
        assert response.status_code == 201
        acknowledged += response.json()["resources"]
        server.kill()
    with ServerProcess(store) as server, connect(server) as client:
        assert {client.get(path).status_code for path in acknowledged} == {200}
        assert stored(client) == len(acknowledged)
