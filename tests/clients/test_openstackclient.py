"""The real ``openstack`` command works with a service that asks Keystone, and each project has its own queues."""

import json
import re
from typing import Final

import pytest

from tests.clients import environments
from tests.clients.foreign import script_runner
from tests.clients.keystone import Keystone
from tests.clients.openstackclient import OpenStack
from tests.serving import ServerProcess

CLIENT_ID: Final = "3381af92-2b9e-11e3-b191-71861300734c"


SIGNED: Final = """
import json, sys
from zaqarclient.queues import client as clients
from zaqarclient.transport import errors

signed = json.loads(sys.argv[2])
options = {
    "signature": signed["Signature"],
    "expires": signed["Expires"],
    "methods": signed["Methods"].split(","),
    "paths": signed["Paths"].split(","),
    "os_project_id": signed["Project ID"],
}
client = clients.Client(sys.argv[1], version=2, conf={"auth_opts": {"backend": "signed-url", "options": options}})

def queue(name):
    return client.queue(name, auto_create=False)
"""


@pytest.fixture
def alpha(keystone: Keystone, guarded: ServerProcess) -> OpenStack:
    return OpenStack.of(keystone, "alpha-member", "alpha", OS_MESSAGE_CLIENT_ID=CLIENT_ID)


@pytest.fixture
def beta(keystone: Keystone, guarded: ServerProcess) -> OpenStack:
    return OpenStack.of(keystone, "beta-member", "beta", OS_MESSAGE_CLIENT_ID=CLIENT_ID)


def test_queues_are_created_listed_and_deleted_in_ones_own_project(alpha: OpenStack, beta: OpenStack) -> None:
    assert alpha.show("messaging", "queue", "create", "ours") == {"Name": "ours"}
    assert beta.show("messaging", "queue", "create", "theirs") == {"Name": "theirs"}
    beta.do("messaging", "queue", "delete", "ours")
    listed = alpha.show("messaging", "queue", "list", "--marker", "our")
    assert {"Name": "ours"} in listed
    assert {"Name": "theirs"} not in listed
    alpha.do("messaging", "queue", "delete", "ours")
    assert {"Name": "ours"} not in alpha.show("messaging", "queue", "list", "--marker", "our")
    assert {"Name": "theirs"} in beta.show("messaging", "queue", "list", "--marker", "the")


def test_messages_are_posted_listed_claimed_and_counted_in_ones_own_project(alpha: OpenStack, beta: OpenStack) -> None:
    alpha.do("messaging", "message", "post", "work", json.dumps([{"body": {"n": n}, "ttl": 300} for n in range(2)]))
    beta.do("messaging", "message", "post", "work", json.dumps([{"body": "theirs", "ttl": 300}]))
    listed = alpha.show("messaging", "message", "list", "work", "--echo")
    assert [(message["Body"], message["TTL"]) for message in listed] == [({"n": 0}, 300), ({"n": 1}, 300)]
    claimed = alpha.show("messaging", "claim", "create", "work", "--ttl", "60", "--grace", "60")
    assert [(one["Messages"], one["Message_ID"]) for one in claimed] == [
        (message["Body"], message["ID"]) for message in listed
    ]
    assert len({one["Claim_ID"] for one in claimed}) == 1
    ours = alpha.show("messaging", "queue", "stats", "work")["Stats"]["messages"]
    theirs = beta.show("messaging", "queue", "stats", "work")["Stats"]["messages"]
    assert (ours["claimed"], ours["free"], ours["total"]) == (2, 0, 2)
    assert (theirs["claimed"], theirs["free"], theirs["total"]) == (0, 1, 1)


def test_a_signed_url_lets_a_program_without_account_read_this_queue(
    alpha: OpenStack, keystone: Keystone, guarded: ServerProcess
) -> None:
    alpha.do("messaging", "message", "post", "signed", json.dumps([{"body": "word", "ttl": 300}]))
    signed = alpha.show("messaging", "queue", "signed", "url", "signed", "--ttl-seconds", "600")
    assert signed["Project ID"] == keystone.id_of("projects", "alpha")
    read = script_runner("zaqarclient", SIGNED, guarded.url, json.dumps(signed))
    assert read("answer(bodies=[message.body for message in queue('signed').messages()])") == {"bodies": ["word"]}
    refused = read("""
        try:
            answer(refused=len(list(queue("another").messages())))
        except errors.TransportError as error:
            answer(refused=type(error).__name__)
    """)
    assert refused["refused"] in {"UnauthorizedError", "ForbiddenError", "ResourceNotFound"}


@pytest.mark.parametrize("wrong", ["revoked", "expired", "forged"])
def test_a_token_that_is_not_valid_is_refused(keystone: Keystone, guarded: ServerProcess, wrong: str) -> None:
    token = keystone.token("alpha-member", "alpha", lives_s=0 if wrong == "expired" else None)
    if wrong == "revoked":
        keystone.revoke(token)
    if wrong == "forged":
        token = token[:-4] + "AAAA"
    ran = OpenStack.bearing(token, guarded.url)("messaging", "queue", "list")
    assert ran.returncode == 1
    assert "401" in ran.stderr


def test_a_missing_environment_fails_the_test_and_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "missing", lambda name: True)
    with pytest.raises(pytest.fail.Exception, match=re.escape(environments.COMMAND)):
        OpenStack.bearing("token", "http://127.0.0.1:1")
