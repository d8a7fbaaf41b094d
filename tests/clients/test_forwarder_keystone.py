"""The forwarder in a cloud with Keystone: a user with an inherited role posts into every project, and only there."""

import json
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.clients.conftest import guarded_by
from tests.clients.keystone import PASSWORD, Keystone
from tests.forwarder.running import ForwarderProcess, eventually

HEADERS: Final = {"Client-ID": "3381af92-2b9e-11e3-b191-71861300734c", "Content-Type": "application/json"}
SEEN: Final = ("alpha-member", "beta-member")


class Cloud:
    """A Keystone with a user for the forwarder, and a service that it guards."""

    def __init__(self, keystone: Keystone, url: str) -> None:
        self.keystone = keystone
        self.url = url
        self.ids = {name: keystone.id_of("projects", name) for name in ("alpha", "beta")}
        self._tokens = {user: keystone.token(user, user.partition("-")[0]) for user in SEEN}
        role = keystone.id_of("roles", "member")
        user = keystone.call("POST", "/users", {"user": {"name": "forwarder", "password": PASSWORD}})["user"]["id"]
        place = f"/OS-INHERIT/domains/default/users/{user}/roles/{role}/inherited_to_projects"
        keystone.call("PUT", place)

    def ask(self, user: str, path: str, document: Any = None) -> Any:
        """Send a request as a user and return the answer's document."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.url + path, body, {**HEADERS, "X-Auth-Token": self._tokens[user]})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def bodies(self, user: str, queue: str) -> list[Any]:
        """Return what lies in a queue of a user's project."""
        found = self.ask(user, f"/v2/queues/{queue}/messages?echo=true")
        return [message["body"] for message in found["messages"]]

    def configuration(self) -> dict[str, Any]:
        """Return routes from a queue in alpha to the queues of all projects, and dead letters in alpha."""
        user = {"auth_url": f"{self.keystone.url}", "username": "forwarder", "password": "${PASSWORD}"}
        access = {"keystone": {**user, "user_domain_id": "default"}}
        there = {"url": self.url, "access": access}
        return {
            "sources": {"inbox": {"kind": "queue", "project": self.ids["alpha"], "queues": {"out": "inbox"}, **there}},
            "publishers": {"out": {"kind": "queue", "from": ["inbox"], "queue": "mine", **there}},
            "dead_letters": {"project": self.ids["alpha"], "queue": "dead", **there},
            "attempts": 2,
            "longest_pause_s": 0.1,
            "metrics_listen": "127.0.0.1:0",
        }


def notification(project: str) -> dict[str, Any]:
    payload = {"tenant_id": project, "instance_id": "i-1"}
    return {"message_id": f"for-{project}", "publisher_id": "compute.h", "event_type": "t", "payload": payload}


def test_a_user_with_an_inherited_role_posts_into_every_project_and_what_has_none_is_a_dead_letter(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "keystone"
    folder.mkdir()
    with Keystone(folder) as keystone, guarded_by(keystone, "memory://") as server:
        cloud = Cloud(keystone, server.url)
        projects = [cloud.ids["alpha"], cloud.ids["beta"], "gone"]
        messages = {"messages": [{"body": notification(project)} for project in projects]}
        cloud.ask("alpha-member", "/v2/queues/inbox/messages", messages)
        with ForwarderProcess(tmp_path, cloud.configuration(), env={"PASSWORD": PASSWORD}) as forwarder:
            eventually("all are settled", lambda: bool(cloud.bodies("alpha-member", "dead")))
            eventually("both are accepted", lambda: all(cloud.bodies(user, "mine") for user in SEEN))
            assert forwarder.stop() == 0
        for user in SEEN:
            [event] = cloud.bodies(user, "mine")
            assert event["osprojectid"] == cloud.ids[user.partition("-")[0]]
        [letter] = cloud.bodies("alpha-member", "dead")
        assert json.loads(letter["notification"]) == notification("gone")
        assert letter["route"] == "inbox.out"
        assert cloud.bodies("alpha-member", "inbox") == []
