"""python-zaqarclient's own WebSocket transport drives a running service."""

from collections.abc import Iterator

import pytest

from tests.clients.foreign import Script, script_runner
from tests.serving import ServerProcess

PRELUDE = """
import json, sys
from zaqarclient.transport import errors, get_transport_for, request

url = sys.argv[1].replace("http", "ws", 1)
conf = {"auth_opts": {"backend": "keystone", "options": {"os_auth_token": "t", "os_project_id": "clients"}}}

def send(transport, action, **body):
    return transport.send(request.Request(url, action, content=json.dumps(body)))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('data')}") as server:
        yield server


@pytest.fixture
def zaqar(server: ServerProcess) -> Script:
    return script_runner("zaqarclient_websocket", PRELUDE, server.url)


def test_its_transport_authenticates_posts_and_pops(zaqar: Script) -> None:
    found = zaqar("""
        with get_transport_for(url, options=conf) as ws:
            created = send(ws, "queue_create", queue_name="ws")
            posted = send(ws, "message_post", queue_name="ws", messages=[{"body": {"a": 1}, "ttl": 300}])
            popped = send(ws, "message_delete_many", queue_name="ws", pop=1)
        messages = json.loads(popped.content)["messages"]
        answer(
            statuses=[each.status_code for each in (created, posted, popped)],
            bodies=[message["body"] for message in messages],
        )
    """)
    assert found == {"statuses": [201, 201, 200], "bodies": [{"a": 1}]}


def test_it_reads_our_errors(zaqar: Script) -> None:
    found = zaqar("""
        with get_transport_for(url, options=conf) as ws:
            try:
                send(ws, "claim_get", queue_name="ws", claim_id="none")
            except errors.ResourceNotFound as error:
                answer(text=str(error))
    """)
    assert "Claim none does not exist in queue ws for project clients" in found["text"]


def test_it_subscribes_is_told_what_is_posted_and_unsubscribes(zaqar: Script) -> None:
    found = zaqar("""
        with get_transport_for(url, options=conf) as ws, get_transport_for(url, options=conf) as poster:
            def post(text):
                send(poster, "message_post", queue_name="told", messages=[{"body": text, "ttl": 300}])
            created = send(ws, "subscription_create", queue_name="told", ttl=600)
            id_ = json.loads(created.content)["subscription_id"]
            listed = json.loads(send(ws, "subscription_list", queue_name="told").content)["subscriptions"]
            post("one")
            post("two")
            told = [ws.recv(), ws.recv()]
            send(ws, "subscription_delete", queue_name="told", subscription_id=id_)
            post("three")
            left = json.loads(send(ws, "subscription_list", queue_name="told").content)["subscriptions"]
        answer(status=created.status_code, own=[each["id"] == id_ for each in listed], told=told, left=left)
    """)
    told = [{"ttl": 300, "body": text, "Message_Type": "Notification", "queue_name": "told"} for text in ("one", "two")]
    assert found == {"status": 201, "own": [True], "told": told, "left": []}
