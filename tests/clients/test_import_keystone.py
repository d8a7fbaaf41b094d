"""Who asks Zaqar and who asks the service are users of one Keystone, or not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.clients.keystone import PASSWORD, SERVICE_USER, Keystone
from tests.clients.zaqar import Zaqar
from tests.serving import ROOT, ServerProcess

CLIENT: Final = "9a0f6f0f-4b4c-4f3f-9a1e-1f0f7f3b8f11"
_RUN_S_MAX: Final = 120

_TOKENS: Final = """
[keystone_authtoken]
www_authenticate_uri = {url}
auth_url = {url}
auth_type = password
username = {user}
password = {password}
project_name = service
user_domain_id = default
project_domain_id = default
"""


@pytest.fixture(scope="module")
def zaqar(keystone: Keystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zaqar]:
    tokens = _TOKENS.format(url=keystone.url, user=SERVICE_USER, password=PASSWORD)
    with Zaqar(tmp_path_factory.mktemp("zaqar"), auth="keystone", more=tokens) as zaqar:
        yield zaqar


def _ask(url: str, token: str, method: str, path: str, document: Any = None) -> Any:
    headers = {"Client-ID": CLIENT, "X-Auth-Token": token}
    with httpx.Client(base_url=f"{url}/v2", headers=headers, timeout=60, trust_env=False) as http:
        answer = http.request(method, path, json=document).raise_for_status()
    return answer.json() if answer.content else None


def _user(keystone: Keystone, user: str, **project: str) -> dict[str, str]:
    return {
        "OS_AUTH_URL": keystone.url,
        "OS_USERNAME": user,
        "OS_PASSWORD": PASSWORD,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        **project,
    }


def _bring(zaqar: Zaqar, sukkal: str, folder: Path, *flags: str, **more: str) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "SUKKAL_", "ZAQAR_"))}
    command = [sys.executable, "-m", "sukkal.cli", "import", "--from-zaqar", zaqar.url, "--output", "json", *flags]
    environment = {**kept, "PYTHONPATH": str(ROOT / "src"), "SUKKAL_URL": sukkal, **more}
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=_RUN_S_MAX, check=False, cwd=folder, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_user_brings_the_project_of_both(
    zaqar: Zaqar, guarded: ServerProcess, keystone: Keystone, tmp_path: Path
) -> None:
    token = keystone.token("alpha-member", "alpha")
    _ask(zaqar.url, token, "POST", "/queues/mine/messages", {"messages": [{"body": "alpha's"}]})
    user = _user(keystone, "alpha-member", OS_PROJECT_NAME="alpha")
    [report] = _bring(zaqar, guarded.url, tmp_path, **user)
    assert (report["queue"], report["messages"]) == ("mine", 1)
    [message] = _ask(guarded.url, token, "GET", "/queues/mine/messages?echo=true")["messages"]
    assert message["body"] == "alpha's"


def test_a_user_of_several_projects_brings_them_all(
    zaqar: Zaqar, guarded: ServerProcess, keystone: Keystone, tmp_path: Path
) -> None:
    projects = [keystone.id_of("projects", project) for project in ("alpha", "beta")]
    member = keystone.id_of("roles", "member")
    keystone.call("PUT", f"/projects/{projects[1]}/users/{keystone.id_of('users', 'alpha-admin')}/roles/{member}")
    for project in ("alpha", "beta"):
        token = keystone.token(f"{project}-member", project)
        _ask(zaqar.url, token, "POST", "/queues/ours/messages", {"messages": [{"body": project}]})
    flags = [flag for project in projects for flag in ("--project", project)]
    reports = _bring(zaqar, guarded.url, tmp_path, *flags, "--queues", "ours", **_user(keystone, "alpha-admin"))
    assert sorted((each["project"], each["messages"]) for each in reports) == sorted((each, 1) for each in projects)
    for project in ("alpha", "beta"):
        token = keystone.token(f"{project}-member", project)
        [message] = _ask(guarded.url, token, "GET", "/queues/ours/messages?echo=true")["messages"]
        assert message["body"] == project


def test_a_token_of_zaqars_opens_it_and_the_service_may_be_open(
    zaqar: Zaqar, keystone: Keystone, tmp_path: Path
) -> None:
    token = keystone.token("beta-member", "beta")
    _ask(zaqar.url, token, "POST", "/queues/theirs/messages", {"messages": [{"body": "beta's"}]})
    with ServerProcess("memory://") as sukkal:
        flags = ("--queues", "theirs", "--project", "here")
        [report] = _bring(zaqar, sukkal.url, tmp_path, *flags, ZAQAR_TOKEN=token)
    assert (report["project"], report["messages"]) == ("here", 1)
