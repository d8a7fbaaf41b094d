"""python-zaqarclient's own WebSocket transport, and os-collect-config, which uses it, drive a running service."""

from collections.abc import Iterator

import pytest

from tests.clients.foreign import Script, script_runner
from tests.serving import ServerProcess

PRELUDE = """
import json, sys, types
from zaqarclient.transport import errors, get_transport_for, request

url = sys.argv[1].replace("http", "ws", 1)
conf = {"auth_opts": {"backend": "keystone", "options": {"os_auth_token": "t", "os_project_id": "clients"}}}

def send(transport, action, **body):
    return transport.send(request.Request(url, action, content=json.dumps(body)))

def collector():
    from os_collect_config import zaqar
    zaqar.CONF.register_opts(zaqar.opts, group="zaqar")
    zaqar.CONF.set_override("queue_id", "metadata", group="zaqar")
    catalog = {"messaging": sys.argv[1], "messaging-websocket": url}
    keystone = types.SimpleNamespace(
        service_catalog=types.SimpleNamespace(url_for=lambda service_type, **more: catalog[service_type])
    )
    return zaqar.Collector(), keystone
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


def test_os_collect_config_pops_its_metadata_over_http(zaqar: Script) -> None:
    found = zaqar("""
        with get_transport_for(url, options=conf) as ws:
            send(ws, "message_post", queue_name="metadata", messages=[{"body": {"over": "http"}}])
        collector, keystone = collector()
        http = {"auth_opts": {"backend": "noauth", "options": {"os_project_id": "clients"}}}
        answer(data=collector.get_data_wsgi(keystone, http))
    """)
    assert found["data"] == {"over": "http"}
