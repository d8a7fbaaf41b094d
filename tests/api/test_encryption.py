"""Encrypted queues: what is stored cannot be read, what is asked for can, and keys may be replaced."""

import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.service.encryption import is_sealed
from tests.api.calling import Service, refused

KEY: Final = base64.b64encode(b"1" * 32).decode()
OTHER_KEY: Final = base64.b64encode(b"2" * 32).decode()
SECRET: Final = "the door code is 4711"


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start(encryption_keys=f"k1:{KEY}")


def encrypt(service: Service, queue: str = "q", **metadata: Any) -> None:
    response = service.put(f"/v2/queues/{queue}", json={"_enable_encrypt_messages": True, **metadata})
    assert response.status_code == 201, response.text


def stored_bytes(folder: Path) -> bytes:
    """Return all that is in the store's files."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_every_way_to_read_shows_what_was_posted(service: Service) -> None:
    encrypt(service)
    posted = [SECRET, {"a": [1, None, "é"]}, None, 5]
    ids = service.post_bodies(*posted)
    service.post_bodies("old", version="v1.1")
    assert service.bodies() == [*posted, "old"]
    assert service.get(f"/v2/queues/q/messages?ids={','.join(ids)}").json()["messages"][1]["body"] == posted[1]
    assert service.get(f"/v2/queues/q/messages/{ids[1]}").json()["body"] == posted[1]
    assert service.get(f"/v1.1/queues/q/messages/{ids[1]}").json()["body"] == posted[1]
    ends = service.get("/v2/queues/q/stats").json()["messages"]
    assert (ends["oldest"]["body"], ends["newest"]["body"]) == (SECRET, "old")
    claim, messages = service.claim("?limit=2", ttl=60)
    assert [message["body"] for message in messages] == posted[:2]
    assert [message["body"] for message in service.get(claim).json()["messages"]] == posted[:2]
    popped = service.delete("/v2/queues/q/messages?pop=5").json()["messages"]
    assert [message["body"] for message in popped] == [*posted[2:], "old"]


def test_nothing_of_a_body_is_in_the_files(tmp_path: Path) -> None:
    for encrypted in (False, True):
        folder = tmp_path / str(encrypted)
        service = Service(f"sqlite:///{folder}", encryption_keys=f"k1:{KEY}")
        service.put("/v2/queues/q", json={"_enable_encrypt_messages": encrypted, "_dead_letter_queue": "dead"})
        service.patch(
            "/v2/queues/q",
            headers={"content-type": "application/openstack-messaging-v2.0-json-patch"},
            json=[{"op": "add", "path": "/metadata/_max_claim_count", "value": 1}],
        )
        service.post_bodies(SECRET)
        service.claim(ttl=60)
        service.pass_s(61)
        service.sweep()
        assert service.bodies(queue="dead") == [SECRET]
        service.close()
        assert (SECRET.encode() in stored_bytes(folder)) is not encrypted
        assert KEY.encode() not in stored_bytes(folder)
        assert base64.b64decode(KEY) not in stored_bytes(folder)


def test_the_same_body_is_never_stored_the_same(tmp_path: Path) -> None:
    for first_id in (1, 1_000):
        service = Service(f"sqlite:///{tmp_path}", encryption_keys=f"k1:{KEY}", first_id=first_id)
        service.put("/v2/queues/q", json={"_enable_encrypt_messages": True})
        service.post_bodies(*["same"] * 50, queue="q")
        service.close()
    with closing(sqlite3.connect(next(tmp_path.glob("*.sqlite3")))) as database:
        bodies = [row[0] for row in database.execute("SELECT body FROM messages")]
    assert len(set(bodies)) == 50 * 2
    assert all(is_sealed(body) for body in bodies)


def test_a_queue_that_does_not_ask_for_it_is_not_encrypted(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}", encryption_keys=f"k1:{KEY}")
    service.post_bodies(SECRET)
    service.close()
    assert SECRET.encode() in stored_bytes(tmp_path)


def test_without_a_key_it_is_refused(start: Callable[..., Service]) -> None:
    service = start()
    document = {"_enable_encrypt_messages": True}
    refused(service.put("/v2/queues/q", json=document), 400, "no encryption key", "`encryption_keys`")
    assert service.get("/v2/queues").json()["queues"] == []
    assert service.put("/v2/queues/q", json={"_enable_encrypt_messages": False}).status_code == 201


def reopened(tmp_path: Path, **settings: Any) -> Service:
    return Service(f"sqlite:///{tmp_path}", **settings)


def test_keys_are_replaced_while_old_messages_are_there(tmp_path: Path) -> None:
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    encrypt(service)
    service.post_bodies("first")
    service.close()
    service = reopened(tmp_path, encryption_keys=f"k2:{OTHER_KEY},k1:{KEY}", first_id=1_000)
    service.post_bodies("second")
    assert service.bodies() == ["first", "second"]
    service.close()
    service = reopened(tmp_path, encryption_keys=f"k2:{OTHER_KEY}")
    assert service.delete("/v2/queues/q/messages?ids=none").status_code == 204
    last = service.run(service.request("GET", "/v2/queues/q/messages?limit=1&echo=true"))
    refused(last, 503, "'k1'")
    service.close()


@pytest.mark.parametrize("keys", ["", f"k1:{OTHER_KEY}", f"k2:{KEY}"], ids=["no key", "another key", "another id"])
def test_what_cannot_be_read_is_told_and_lost_to_nobody(tmp_path: Path, keys: str) -> None:
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    encrypt(service)
    (id_,) = service.post_bodies(SECRET)
    service.close()
    service = reopened(tmp_path, encryption_keys=keys)
    for method, path in (
        ("GET", "/v2/queues/q/messages?echo=true"),
        ("GET", f"/v2/queues/q/messages/{id_}"),
        ("GET", "/v2/queues/q/stats"),
        ("POST", "/v2/queues/q/claims"),
        ("DELETE", "/v2/queues/q/messages?pop=1"),
    ):
        response = service.run(service.request(method, path))
        refused(response, 503, id_, "key", title="Service temporarily unavailable")
        assert response.headers["retry-after"]
    service.close()
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    claim, messages = service.claim()
    assert claim
    assert [message["body"] for message in messages] == [SECRET]
    service.close()


def test_what_cannot_be_read_is_neither_counted_as_claimed_nor_buried(tmp_path: Path) -> None:
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    encrypt(service, _max_claim_count=2, _dead_letter_queue="dead")
    (id_,) = service.post_bodies(SECRET, ttl=600)
    service.close()
    service = reopened(tmp_path)
    service.pass_s(30)
    for _ in range(5):
        for method, path in (("POST", "/v2/queues/q/claims"), ("DELETE", "/v2/queues/q/messages?pop=1")):
            assert service.run(service.request(method, path)).status_code == 503
    service.sweep()
    service.close()
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    service.pass_s(30)
    message = service.get(f"/v2/queues/q/messages/{id_}?detailed=true").json()
    assert (message["body"], message["ttl"], message["age"], message["claim_count"]) == (SECRET, 600, 30, 0)
    service.close()


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v2/queues/q/claims"), ("DELETE", "/v2/queues/q/messages?pop=1")]
)
def test_what_cannot_be_read_after_all_is_put_back_as_it_was(
    service: Service, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    encrypt(service, _conflate=True)
    service.post_bodies("old", ttl=3_600)
    store: Any = service.app.services.claims._store
    freed: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(store, "_may_hold_sealed", _says_no)  # as if the message had come a moment later
        patched.setattr(store, "_freed", lambda key, count: freed.append(count))
        patched.setattr(store._encryption, "_keys", {})
        refused(service.run(service.request(method, path)), 503, "key")
    assert freed == [1]
    assert service.bodies() == ["old"]
    service.post_bodies("new")
    assert service.bodies() == ["new"]


async def _says_no(*_: object) -> bool:
    return False


def test_a_stored_body_cannot_be_moved_to_another_message_or_project(tmp_path: Path) -> None:
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    encrypt(service)
    first, second = service.post_bodies("first", "second")
    service.close()
    with sqlite3.connect(next(tmp_path.glob("*.sqlite3"))) as database:
        database.execute(
            "UPDATE messages SET body = (SELECT body FROM messages WHERE id = ?) WHERE id = ?", (first, second)
        )
    database.close()
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    assert service.get(f"/v2/queues/q/messages/{first}").json()["body"] == "first"
    refused(service.run(service.request("GET", f"/v2/queues/q/messages/{second}")), 503, "changed")
    service.close()


def test_posting_to_an_encrypted_queue_without_a_key_stores_nothing(tmp_path: Path) -> None:
    service = reopened(tmp_path, encryption_keys=f"k1:{KEY}")
    encrypt(service)
    service.close()
    service = reopened(tmp_path)
    response = service.run(service.request("POST", "/v2/queues/q/messages", json={"messages": [{"body": SECRET}]}))
    refused(response, 503, "no key")
    assert service.bodies() == []
    service.close()
    assert SECRET.encode() not in stored_bytes(tmp_path)


def test_keys_of_a_file_are_read_again(start: Callable[..., Service], tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# ours\nk1 {KEY}\n")
    service = start(encryption_keys_file=str(file))
    encrypt(service)
    service.post_bodies("first")
    file.write_text(f"k2:{OTHER_KEY}\nk1:{KEY}\n")
    service.app.reloading.reload()
    service.post_bodies("second")
    assert service.bodies() == ["first", "second"]
    file.write_text("k2:short\n")
    service.app.reloading.reload()
    assert service.bodies() == ["first", "second"]
