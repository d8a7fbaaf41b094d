"""The index of a real service that is killed, or whose files are damaged or cannot be made."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from tests.serving import ServerProcess

HEADERS: Final = {"client-id": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52", "x-project-id": "p"}
PATIENCE_S: Final = 60
KILLS: Final = 6
SEED: Final = 20_260_101
POSTS_MAX: Final = 60


def connect(server: ServerProcess) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers=HEADERS, timeout=30)


def event(number: int, text: str = "word") -> dict[str, Any]:
    """Return a notification."""
    return {
        "message_id": f"n{number}",
        "publisher_id": "compute.host1",
        "event_type": "compute.instance.update",
        "payload": {"instance_id": f"i{number % 7}", "text": text},
    }


def post(client: httpx.Client, number: int, text: str = "word") -> bool:
    """Post an event and tell whether it was acknowledged."""
    message = {"messages": [{"body": event(number, text)}]}
    return client.post("/v2/queues/q/messages", json=message).status_code == 201


def found(client: httpx.Client, query: str = "", kind: str = "events") -> Counter[str]:
    """Return how often each event is found, from all pages."""
    ids: Counter[str] = Counter()
    path: str | None = f"/v2/{kind}?limit=20{query}"
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        ids.update(hit["event"]["id"] for hit in document[kind])
        path = document["links"][0]["href"] if document["links"] else None
    return ids


def hits(client: httpx.Client) -> Counter[str]:
    """Return how often the saved search has told of each event."""
    ids: Counter[str] = Counter()
    path = "/v2/queues/hits/messages?limit=20&echo=true"
    while (page := client.get(path).json())["messages"]:
        ids.update(message["body"]["id"] for message in page["messages"])
        path = page["links"][0]["href"]
    return ids


def until(holds: Callable[[], bool]) -> None:
    """Look until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, "it took too long"
        time.sleep(0.05)


def post_until_killed(server: ServerProcess, first: int, posts: int) -> list[int]:
    """Post on several connections, kill the service after so many posts, and return the numbers acknowledged."""
    acknowledged: list[int] = []
    lock = threading.Lock()

    def work(worker: int) -> None:
        with connect(server) as client:
            for number in range(first + worker, first + 1_000, 4):
                try:
                    done = post(client, number)
                except httpx.TransportError:
                    return
                with lock:
                    acknowledged.extend([number] if done else [])
                    if len(acknowledged) == posts:
                        server.kill()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged


def test_each_acknowledged_event_is_found_once_and_told_once_after_kills(tmp_path: Path) -> None:
    store, random = f"sqlite:///{tmp_path}/data", Random(SEED)
    acknowledged: list[int] = []
    for number in range(KILLS):
        with ServerProcess(store) as server:
            if not number:
                with connect(server) as client:
                    assert client.put("/v2/queues/q", json={"_search": True}).status_code == 201
                    saved = client.put("/v2/searches/s", json={"resource_id": "i3", "queue": "hits"})
                    assert saved.status_code == 201
            acknowledged += post_until_killed(server, number * 1_000, random.randint(5, POSTS_MAX))
    wanted = {f"n{number}" for number in acknowledged}
    with ServerProcess(store) as server, connect(server) as client:
        until(lambda: wanted <= found(client).keys())
        times = found(client)
        assert set(times.values()) == {1}
        # What was stored and not acknowledged, by a kill between the two, is found as well: so many at most.
        assert len(times.keys() - wanted) <= KILLS * 4
        of_type = {type_["type"]: type_["count"] for type_ in client.get("/v2/events/types").json()["types"]}
        assert of_type == {"compute.instance.update": len(times)}
        assert len(found(client, kind="resources")) == 7
        told = {id_: 1 for id_ in times if int(id_[1:]) % 7 == 3}
        # What was indexed when the service died, but not told, is told when it is delivered again.
        until(lambda: hits(client).keys() >= told.keys())
        assert hits(client) == told
        assert server.stop() == 0


def test_posts_go_on_when_the_index_is_damaged_and_what_waited_is_found_when_it_was_deleted(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/data"
    with ServerProcess(store) as server, connect(server) as client:
        client.put("/v2/queues/q", json={"_search": True})
        assert post(client, 1)
        until(lambda: found(client).keys() == {"n1"})
        assert server.stop() == 0
    [path] = (tmp_path / "data" / "search").glob("*.sqlite3")
    path.write_bytes(b"no database " * 10_000)
    with ServerProcess(store) as server, connect(server) as client:
        assert post(client, 2)
        assert post(client, 3)
        assert client.get("/v2/events").status_code == 503
        until(lambda: "sukkal_index_failures_total 0.0" not in client.get("/metrics").text)
        assert client.get("/v2/queues/q/messages?echo=true").status_code == 200
        path.unlink()
        until(lambda: found(client).keys() == {"n2", "n3"})
        assert "is damaged: delete it" in server.stderr
        assert server.stop() == 0


def test_posts_go_on_where_the_index_cannot_be_written_and_are_found_when_it_can(tmp_path: Path) -> None:
    place = tmp_path / "data" / "search"
    place.parent.mkdir()
    place.write_text("where the index would be")
    with ServerProcess(f"sqlite:///{tmp_path}/data") as server, connect(server) as client:
        client.put("/v2/queues/q", json={"_search": True})
        assert all(post(client, number) for number in range(30))
        until(lambda: "sukkal_index_failures_total 0.0" not in client.get("/metrics").text)
        assert client.delete("/v2/queues/q/messages?pop=20").status_code == 200
        assert found(client) == {}
        place.unlink()
        until(lambda: found(client) == {f"n{number}": 1 for number in range(30)})
        assert server.stop() == 0
