"""The Keystone that tests start behaves as they rely on."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients import environments
from tests.clients.keystone import ACCOUNTS, SERVICE_USER, Keystone


@pytest.fixture(scope="module")
def own(keystone: Keystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Return a copy of the shared Keystone, to be changed and stopped at will."""
    folder = tmp_path_factory.mktemp("copies") / "keystone"
    shutil.copytree(keystone.folder, folder)
    with Keystone(folder) as own:
        yield own


def test_a_token_says_who_it_is_and_what_he_may_do_where(keystone: Keystone) -> None:
    said = {}
    for user, (project, _) in ACCOUNTS.items():
        token = keystone.validate(keystone.token(user, project))
        assert token is not None
        assert token["user"]["name"] == user
        assert token["project"]["id"] == keystone.id_of("projects", project)
        said[user] = {role["name"] for role in token["roles"]}
    assert said["alpha-reader"] == said["beta-reader"] == {"reader"}
    assert said["alpha-member"] == said["beta-member"] == {"reader", "member"}
    assert said["alpha-admin"] == said["beta-admin"] == {"reader", "member", "manager", "admin"}
    assert said[SERVICE_USER] == {"service"}


def test_the_projects_have_different_ids_and_other_users(keystone: Keystone) -> None:
    assert keystone.id_of("projects", "alpha") != keystone.id_of("projects", "beta")
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        keystone.token("alpha-member", "beta")


def test_an_unscoped_token_is_valid_and_names_no_project(keystone: Keystone) -> None:
    token = keystone.validate(keystone.token("alpha-member"))
    assert token is not None
    assert not {"project", "roles", "catalog"} & set(token)


def test_a_revoked_token_is_not_valid_and_another_of_the_same_user_is(keystone: Keystone) -> None:
    revoked, other = keystone.token("alpha-member", "alpha"), keystone.token("alpha-member", "alpha")
    keystone.revoke(revoked)
    assert keystone.validate(revoked) is None
    assert keystone.validate(other) is not None


def test_a_token_can_have_expired_when_it_comes_and_the_next_lives_on(keystone: Keystone) -> None:
    assert keystone.validate(keystone.token("alpha-member", "alpha", lives_s=0)) is None
    assert keystone.validate(keystone.token("alpha-member", "alpha")) is not None


def test_a_forged_token_is_not_valid(keystone: Keystone) -> None:
    assert keystone.validate(keystone.token("alpha-member", "alpha")[:-4] + "AAAA") is None
    assert keystone.validate("forged") is None


def test_the_catalog_points_to_the_service_that_was_registered_last(own: Keystone) -> None:
    own.catalog("http://127.0.0.1:1")
    own.catalog("http://127.0.0.1:2", "ws://127.0.0.1:3")
    token = own.validate(own.token("alpha-member", "alpha"))
    assert token is not None
    found = {
        service["type"]: {(endpoint["interface"], endpoint["url"]) for endpoint in service["endpoints"]}
        for service in token["catalog"]
    }
    interfaces = ["admin", "internal", "public"]
    assert found == {
        "identity": {(interface, own.url) for interface in interfaces},
        "messaging": {(interface, "http://127.0.0.1:2") for interface in interfaces},
        "messaging-websocket": {(interface, "ws://127.0.0.1:3") for interface in interfaces},
    }


def test_the_service_user_acts_for_a_user_who_trusts_him(keystone: Keystone) -> None:
    trust_id = keystone.trust("alpha-member", "alpha")
    token = keystone.validate(keystone.token(SERVICE_USER, trust_id=trust_id))
    assert token is not None
    assert token["user"]["name"] == "alpha-member"
    assert token["project"]["name"] == "alpha"
    assert {role["name"] for role in token["roles"]} == {"reader", "member"}


def test_a_copy_knows_the_same_accounts_and_tokens_and_is_changed_alone(keystone: Keystone, own: Keystone) -> None:
    token = keystone.token("beta-member", "beta")
    assert own.url != keystone.url
    assert own.validate(token) is not None
    own.call("DELETE", f"/users/{own.id_of('users', 'beta-member')}")
    assert own.validate(token) is None
    assert keystone.validate(token) is not None


def test_what_an_account_loses_its_tokens_lose_at_once(own: Keystone) -> None:
    reader, admin = own.token("beta-reader", "beta"), own.token("beta-admin", "beta")
    assert own.validate(reader) is not None
    assert own.validate(admin) is not None
    own.call("PATCH", f"/users/{own.id_of('users', 'beta-reader')}", {"user": {"enabled": False}})
    assert own.validate(reader) is None
    ids = [own.id_of(kind, name) for kind, name in (("projects", "beta"), ("users", "beta-admin"), ("roles", "admin"))]
    own.call("DELETE", "/projects/{}/users/{}/roles/{}".format(*ids))
    assert own.validate(admin) is None


def test_a_paused_keystone_answers_when_it_is_resumed(own: Keystone) -> None:
    own.pause()
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(own.url, timeout=0.2)
    own.resume()
    assert httpx.get(own.url).status_code == httpx.codes.OK


def test_a_killed_keystone_refuses_and_knows_its_tokens_when_it_is_back(own: Keystone) -> None:
    token = own.token("alpha-member", "alpha")
    own.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(own.url)
    own.start()
    assert own.validate(token) is not None


def test_a_keystone_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "keystone.conf").mkdir()
    with pytest.raises(RuntimeError, match="IsADirectoryError"):
        Keystone(tmp_path)


def test_a_missing_environment_fails_the_test_and_names_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "missing", lambda name: True)
    with pytest.raises(pytest.fail.Exception, match=re.escape(environments.COMMAND)):
        Keystone(tmp_path)
