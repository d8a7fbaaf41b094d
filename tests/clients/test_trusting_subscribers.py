"""Subscribers that are called as the user who ordered: the receiver asks the real Keystone about the token."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.api.calling import CLIENT, Service, refused
from tests.clients.conftest import guarded_by
from tests.clients.keystone import PASSWORD, SERVICE_USER, Keystone
from tests.sinks.webhook_receiver import WebhookReceiver

SUBSCRIPTIONS: Final = "/v2/queues/q/subscriptions"
PATIENCE_S: Final = 30
LONG_S: Final = 10**9
HEATS_TTL_S: Final = 220_367_260_800


class Rig:
    """A service that trusts a Keystone, and a web server that wants tokens."""

    def __init__(self, keystone: Keystone) -> None:
        self.keystone = keystone
        self.service = Service(
            "memory://",
            auth="keystone",
            keystone_auth_url=keystone.url,
            keystone_username=SERVICE_USER,
            keystone_password=PASSWORD,
            keystone_timeout_s=30,
            webhook_allow="127.0.0.1",
        )
        self.receiver = WebhookReceiver()
        self.service.run(self.receiver.__aenter__())
        self.url = f"trust+http://127.0.0.1:{self.receiver.port}/v2/executions"
        self.token = keystone.token("alpha-member", "alpha")
        self._earlier: frozenset[str] = frozenset()
        self._earlier = frozenset(self.trusts())

    def close(self) -> None:
        self.service.run(self.receiver.__aexit__(None, None, None))
        self.service.close()

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        return self.service.call(method, path, headers={"X-Auth-Token": token or self.token}, **more)

    def subscribe(self, token: str | None = None, **more: Any) -> httpx.Response:
        document = {"subscriber": self.url, "ttl": LONG_S, **more}
        return self.call("POST", SUBSCRIPTIONS, token, json=document)

    def shown(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"{SUBSCRIPTIONS}/{id_}").json()
        return found

    def post(self, body: Any, token: str | None = None) -> None:
        path = "/v2/queues/q/messages"
        assert self.call("POST", path, token, json={"messages": [{"body": body}]}).status_code == 201
        self.service.deliver()

    def trusts(self) -> list[str]:
        """Return the trusts that the user has given since this began; other tests use the same Keystone."""
        giver = self.keystone.id_of("users", "alpha-member")
        found = self.keystone.call("GET", f"/OS-TRUST/trusts?trustor_user_id={giver}", token=self.token)["trusts"]
        return [trust["id"] for trust in found if trust["id"] not in self._earlier]

    def end_trusts(self) -> None:
        assert self.service.app.trusts is not None
        self.service.run(self.service.app.trusts.end_due())

    @property
    def tokens(self) -> list[str]:
        """The tokens that have come to the receiver."""
        return [taken.headers["X-Auth-Token"] for taken in self.receiver.taken]


@pytest.fixture
def rig(keystone: Keystone) -> Iterator[Rig]:
    rig = Rig(keystone)
    yield rig
    for trust_id in rig.trusts():
        keystone.call("DELETE", f"/OS-TRUST/trusts/{trust_id}", token=rig.token)
    rig.close()


def subscribed(response: httpx.Response) -> str:
    assert response.status_code == 201, response.text
    return str(response.json()["subscription_id"])


def test_the_receiver_is_called_as_the_one_who_ordered(rig: Rig) -> None:
    id_ = subscribed(rig.subscribe(options={"post_headers": {"X-Own": "1"}}))
    [trust_id] = rig.trusts()
    assert rig.shown(id_)["options"] == {"post_headers": {"X-Own": "1"}, "_trust_id": trust_id}
    rig.post(1, rig.keystone.token("alpha-admin", "alpha"))
    [taken] = rig.receiver.taken
    assert (taken.path, taken.headers["X-Own"]) == ("/v2/executions", "1")
    known = rig.keystone.validate(taken.headers["X-Auth-Token"])
    assert known is not None
    assert (known["user"]["name"], known["project"]["name"]) == ("alpha-member", "alpha")
    assert known["OS-TRUST:trust"]["id"] == trust_id
    assert "member" in {role["name"] for role in known["roles"]}


def test_one_token_serves_many_deliveries_until_a_receiver_refuses_it(rig: Rig) -> None:
    subscribed(rig.subscribe(options={"_retry_schedule": [1, 1]}))
    rig.post(1)
    rig.post(2)
    assert len(set(rig.tokens)) == 1
    rig.receiver.status = 401
    rig.post(3)
    rig.receiver.status = 200
    rig.service.pass_s(5)
    rig.service.deliver()
    assert len(set(rig.tokens)) == 2
    assert len(rig.tokens) == 4


def test_the_trust_ends_with_the_subscription(rig: Rig) -> None:
    ids = [subscribed(rig.subscribe(subscriber=f"{rig.url}/{number}")) for number in range(3)]
    rig.post(1)
    assert len(rig.trusts()) == 3
    rig.call("DELETE", f"{SUBSCRIPTIONS}/{ids[0]}")
    rig.end_trusts()
    assert len(rig.trusts()) == 2
    rig.call("POST", "/v2/queues/q/purge", json={"resource_types": ["subscriptions"]})
    rig.end_trusts()
    assert rig.trusts() == []
    subscribed(rig.subscribe())
    rig.call("DELETE", "/v2/queues/q")
    rig.end_trusts()
    assert rig.trusts() == []
    assert [rig.keystone.validate(token) for token in set(rig.tokens)] == [None] * 3


def test_the_trust_of_a_receiver_that_is_gone_ends_and_who_subscribes_again_gives_another(rig: Rig) -> None:
    id_ = subscribed(rig.subscribe())
    before = rig.trusts()
    rig.receiver.status = 410
    rig.post(1)
    rig.end_trusts()
    assert rig.trusts() == []
    assert subscribed(rig.subscribe()) == id_
    rig.receiver.status = 200
    rig.post(2)
    assert rig.trusts() != before
    assert len(rig.receiver.taken) == 2


def test_the_trust_lasts_as_long_as_the_subscription(rig: Rig) -> None:
    id_ = subscribed(rig.subscribe(ttl=HEATS_TTL_S))
    [trust_id] = rig.trusts()
    trust = rig.keystone.call("GET", f"/OS-TRUST/trusts/{trust_id}", token=rig.token)["trust"]
    assert trust["expires_at"].startswith("900")
    rig.call("PATCH", f"{SUBSCRIPTIONS}/{id_}", json={"ttl": LONG_S})
    rig.end_trusts()
    [other] = rig.trusts()
    assert other != trust_id
    trust = rig.keystone.call("GET", f"/OS-TRUST/trusts/{other}", token=rig.token)["trust"]
    assert trust["expires_at"].startswith("2055")
    rig.call("PATCH", f"{SUBSCRIPTIONS}/{id_}", json={"options": {"_trust_id": other, "method": "PUT"}})
    rig.end_trusts()
    assert rig.trusts() == [other]
    rig.call("PATCH", f"{SUBSCRIPTIONS}/{id_}", json={"subscriber": "https://hooks.example.org/"})
    rig.end_trusts()
    assert rig.trusts() == []


def test_whoever_changes_a_subscription_is_the_one_in_whose_name_it_is_delivered(rig: Rig) -> None:
    id_ = subscribed(rig.subscribe())
    [before] = rig.trusts()
    other = rig.keystone.token("alpha-admin", "alpha")
    options = rig.shown(id_)["options"]
    assert rig.call("PATCH", f"{SUBSCRIPTIONS}/{id_}", other, json={"options": options}).status_code == 204
    rig.end_trusts()
    assert rig.trusts() == []
    rig.post(1)
    known = rig.keystone.validate(rig.tokens[0])
    assert known is not None
    assert known["user"]["name"] == "alpha-admin"
    assert known["OS-TRUST:trust"]["id"] == rig.shown(id_)["options"]["_trust_id"] != before
    assert rig.call("PATCH", f"{SUBSCRIPTIONS}/{id_}", json={"ttl": 2 * LONG_S}).status_code == 204
    assert len(rig.trusts()) == 1


def test_the_running_service_ends_trusts_by_itself(keystone: Keystone) -> None:
    headers = {"x-auth-token": keystone.token("beta-member", "beta"), "client-id": CLIENT}
    giver = keystone.id_of("users", "beta-member")

    def trusts() -> int:
        path = f"/OS-TRUST/trusts?trustor_user_id={giver}"
        return len(keystone.call("GET", path, token=headers["x-auth-token"])["trusts"])

    with guarded_by(keystone, "memory://") as server, httpx.Client(base_url=server.url, headers=headers) as http:
        document = {"subscriber": "trust+https://mistral.example.org/", "ttl": 86_400}
        assert http.post(SUBSCRIPTIONS, json=document).status_code == 201
        assert trusts() == 1
        assert http.delete("/v2/queues/q").status_code == 204
        deadline_s = time.monotonic() + PATIENCE_S
        while trusts():
            assert time.monotonic() < deadline_s


@pytest.mark.parametrize("option", ["_trust_id", "trust_id"])
def test_a_trust_of_ones_own_is_used_and_left_to_its_giver(rig: Rig, option: str) -> None:
    own = rig.keystone.trust("alpha-member", "alpha")
    id_ = subscribed(rig.subscribe(options={option: own}))
    rig.post(1)
    known = rig.keystone.validate(rig.tokens[0])
    assert known is not None
    assert known["OS-TRUST:trust"]["id"] == own
    rig.call("DELETE", f"{SUBSCRIPTIONS}/{id_}")
    rig.end_trusts()
    assert rig.trusts() == [own]


def test_nobody_can_use_the_trust_of_another(rig: Rig) -> None:
    own = rig.keystone.trust("alpha-member", "alpha")
    for user, project in (("beta-member", "beta"), ("alpha-admin", "alpha")):
        refused(rig.subscribe(rig.keystone.token(user, project), options={"_trust_id": own}), 403, "_trust_id")
    refused(rig.subscribe(options={"_trust_id": "none"}), 403, "_trust_id")
    refused(rig.subscribe(options={"_trust_id": 5}), 400, "_trust_id")


def test_a_token_of_a_trust_makes_no_other_trust(rig: Rig) -> None:
    own = rig.keystone.trust("alpha-member", "alpha")
    refused(rig.subscribe(rig.keystone.token(SERVICE_USER, trust_id=own)), 403, "trust")
    assert rig.call("GET", SUBSCRIPTIONS).json()["subscriptions"] == []


def test_a_token_in_the_options_is_refused(rig: Rig) -> None:
    refused(rig.subscribe(options={"post_headers": {"x-auth-token": "t"}}), 400, "X-Auth-Token")
    assert rig.trusts() == []


def test_what_cannot_be_stored_leaves_no_trust(rig: Rig) -> None:
    id_ = subscribed(rig.subscribe(subscriber="https://hooks.example.org/"))
    subscribed(rig.subscribe())
    [trust_id] = rig.trusts()
    assert rig.call("PATCH", f"{SUBSCRIPTIONS}/{id_}", json={"subscriber": rig.url}).status_code == 409
    rig.end_trusts()
    assert rig.trusts() == [trust_id]


def test_a_trust_is_ended_when_keystone_is_back(keystone: Keystone, tmp_path: Path) -> None:
    shutil.copytree(keystone.folder, tmp_path / "keystone")
    with Keystone(tmp_path / "keystone") as own:
        rig = Rig(own)
        id_ = subscribed(rig.subscribe())
        own.kill()
        assert rig.call("DELETE", f"{SUBSCRIPTIONS}/{id_}").status_code == 204
        rig.end_trusts()
        own.start()
        assert len(rig.trusts()) == 1
        rig.end_trusts()
        assert rig.trusts() == []
        rig.close()


def test_without_keystone_there_are_no_such_subscribers() -> None:
    service = Service("memory://")
    document = {"subscriber": "trust+https://example.org/"}
    refused(service.post(SUBSCRIPTIONS, json=document), 400, "supported")
    service.close()
