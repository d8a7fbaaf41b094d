"""The real python-zaqarclient reaches a service that asks Keystone, in each way in which it can be told who it is."""

import json
from typing import Final

import pytest

from tests.clients.foreign import Script, script_runner
from tests.clients.keystone import PASSWORD, Keystone
from tests.serving import ServerProcess

PRELUDE: Final = """
import json, sys
from keystoneauth1 import session as sessions
from keystoneauth1.identity import v3
from zaqarclient.queues import client as clients
from zaqarclient.transport import errors

url, account, projects, token = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]

def connect(url=None, session=None, **options):
    conf = {"auth_opts": {"backend": "keystone", "options": options}}
    return clients.Client(url, version=2, conf=conf, session=session)

def posted_and_read(client, queue):
    client.queue(queue).post({"body": queue, "ttl": 60})
    return [message.body for message in client.queue(queue).messages(echo=True)]
"""


@pytest.fixture
def zaqar(keystone: Keystone, guarded: ServerProcess) -> Script:
    account = {
        "auth_url": keystone.url,
        "username": "alpha-member",
        "password": PASSWORD,
        "project_name": "alpha",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    projects = {name: keystone.id_of("projects", name) for name in ("alpha", "beta")}
    token = keystone.token("alpha-member", "alpha")
    return script_runner("zaqarclient", PRELUDE, guarded.url, json.dumps(account), json.dumps(projects), token)


def test_by_name_and_password_it_finds_the_service_in_the_catalog(zaqar: Script) -> None:
    found = zaqar("""
        client = connect(**{"os_" + name: value for name, value in account.items()})
        answer(bodies=posted_and_read(client, "by-password"))
    """)
    assert found == {"bodies": ["by-password"]}


def test_by_a_session_it_finds_the_service_in_the_catalog(zaqar: Script) -> None:
    found = zaqar("""
        client = connect(session=sessions.Session(auth=v3.Password(**account)))
        answer(bodies=posted_and_read(client, "by-session"))
    """)
    assert found == {"bodies": ["by-session"]}


def test_by_a_token_and_a_project_it_goes_to_the_address_given(zaqar: Script) -> None:
    found = zaqar("""
        client = connect(url, os_auth_token=token, os_project_id=projects["alpha"])
        answer(bodies=posted_and_read(client, "by-token"))
    """)
    assert found == {"bodies": ["by-token"]}


def test_the_project_is_the_tokens_whatever_the_header_says(zaqar: Script) -> None:
    found = zaqar("""
        posted_and_read(connect(url, os_auth_token=token, os_project_id=projects["beta"]), "lied")
        beta = connect(**{"os_" + name: value for name, value in account.items()} | {
            "os_username": "beta-member", "os_project_name": "beta"
        })
        alpha = connect(url, os_auth_token=token)
        # Others' tests have queues there, too, with names that this client does not know.
        answer(**{name: [queue.name for queue in client.queues(limit=1, marker="lie")[0]]
                  for name, client in {"alpha": alpha, "beta": beta}.items()})
    """)
    assert "lied" in found["alpha"]
    assert "lied" not in found["beta"]


def test_without_a_valid_token_it_is_told_that_it_is_unauthorized(zaqar: Script) -> None:
    found = zaqar("""
        try:
            answer(refused=len(list(connect(url, os_auth_token="forged").queues()[0])))
        except errors.UnauthorizedError as error:
            answer(refused=error.code)
    """)
    assert found == {"refused": 401}
