"""A software deployment of Heat, there and back, with the programs that run on a real server.

Heat posts what is to be done, the real os-collect-config takes it, the real scripts of heat-agents do it and post the
result, which Heat takes by a signed URL.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.clients import environments
from tests.clients.collector import OsCollectConfig
from tests.clients.keystone import PASSWORD, Keystone
from tests.serving import ServerProcess

CLIENT: Final = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
METADATA: Final = "stack-server-abc123"
SIGNALS: Final = "stack-deployment-xyz789"
PATIENCE_S: Final = 30
PLACES: Final = {
    "HEAT_CONFIG_HOOKS": "hooks",
    "HEAT_CONFIG_NOTIFY": "heat-config-notify",
    "HEAT_SHELL_CONFIG": "heat-config",
    "HEAT_CONFIG_DEPLOYED": "deployed",
    "HEAT_SCRIPT_WORKING": "working",
    "HEAT_SCRIPT_OUTPUTS": "outputs",
}
"""Where the scripts look for what is below /var on a server."""

# What os-apply-config does on a server: the deployments of the metadata become the file of heat-config.
APPLY: Final = """
import json, os, subprocess, sys
found = [json.load(open(path)) for path in os.environ["OS_CONFIG_FILES"].split(":")]
deployments = [each for metadata in found if "deployments" in metadata for each in metadata["deployments"]]
with open(os.environ["HEAT_SHELL_CONFIG"], "w") as file:
    json.dump(deployments, file)
sys.exit(subprocess.call([sys.executable, sys.argv[1]]))
"""


class Heat:
    """What Heat does on the wire: metadata into one queue, results out of another."""

    def __init__(self, url: str, token: str) -> None:
        self._user = {"client-id": CLIENT, "x-auth-token": token}
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False)
        asked = {"paths": ["messages"], "methods": ["GET", "DELETE"]}
        signed = self._http.post(f"/v2/queues/{SIGNALS}/share", json=asked, headers=self._user).json()
        self._signed = {
            "client-id": CLIENT,
            "url-signature": signed["signature"],
            "url-expires": signed["expires"],
            "url-methods": ",".join(signed["methods"]),
            "url-paths": ",".join(signed["paths"]),
            "x-project-id": signed["project"],
        }

    def close(self) -> None:
        self._http.close()

    def tell(self, *deployments: dict[str, Any]) -> None:
        """Post the metadata of a server."""
        document = {"messages": [{"body": {"deployments": deployments}, "ttl": 3_600}]}
        path = f"/v2/queues/{METADATA}/messages"
        self._http.post(path, json=document, headers=self._user).raise_for_status()

    def signal(self) -> Any:
        """Take the next result, if there is one."""
        path = f"/v2/queues/{SIGNALS}/messages?pop=1"
        messages = self._http.delete(path, headers=self._signed).raise_for_status().json()["messages"]
        return messages[0]["body"] if messages else None


class Server:
    """A server that Heat looks after: its programs, and where they keep what they know."""

    def __init__(self, keystone: Keystone, folder: Path) -> None:
        if environments.missing("heat_agents"):
            pytest.fail(f"The environment heat_agents is missing. Make it with: {environments.COMMAND}")
        source = environments.source_of("heat_agents")
        self._python = environments.python_of("heat_agents")
        self._keystone = keystone
        self._folder = folder
        hooks = folder / "hooks"
        hooks.mkdir()
        self._command(hooks / "script", source / "heat-config-script" / "install.d" / "hook-script.py")
        self._command(folder / "heat-config-notify", source / "heat-config" / "bin" / "heat-config-notify")
        apply = folder / "apply.py"
        apply.write_text(APPLY)
        heat_config = source / "heat-config" / "os-refresh-config" / "configure.d" / "55-heat-config"
        self._configure = self._command(folder / "configure", apply, heat_config)
        self._collector = OsCollectConfig.of(folder, keystone, "alpha-member", "alpha", METADATA, websockets=False)

    def _command(self, path: Path, *program: Path) -> Path:
        """Make a command of a program that looks for everything below the server's folder."""
        places = " ".join(f"{name}='{self._folder / place}'" for name, place in PLACES.items())
        words = " ".join(f"'{each}'" for each in (self._python, *program))
        path.write_text(f'#!/bin/sh\nexec env {places} {words} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def deployment(self, id_: str, script: str, *outputs: str) -> dict[str, Any]:
        """Return a deployment as Heat describes it to the server."""
        inputs = {
            "name_of_input": "wörld",
            "deploy_signal_transport": "ZAQAR_SIGNAL",
            "deploy_auth_url": self._keystone.url,
            "deploy_user_id": self._keystone.id_of("users", "alpha-member"),
            "deploy_password": PASSWORD,
            "deploy_project_id": self._keystone.id_of("projects", "alpha"),
            "deploy_region_name": "RegionOne",
            "deploy_queue_id": SIGNALS,
        }
        return {
            "id": id_,
            "name": id_,
            "group": "script",
            "config": script,
            "inputs": [{"name": name, "value": value, "type": "String"} for name, value in inputs.items()],
            "outputs": [{"name": name, "type": "String"} for name in outputs],
            "options": {},
        }

    def collect(self) -> None:
        """Look once for metadata, and do what they say."""
        self._collector.do("--one-time", "--command", str(self._configure))


@pytest.fixture
def server(keystone: Keystone, tmp_path: Path) -> Server:
    return Server(keystone, tmp_path)


@pytest.fixture
def heat(keystone: Keystone, guarded: ServerProcess) -> Iterator[Heat]:
    heat = Heat(guarded.url, keystone.token("alpha-member", "alpha"))
    yield heat
    heat.close()


def test_a_deployment_is_done_on_the_server_and_heat_gets_its_result(server: Server, heat: Heat) -> None:
    script = '#!/bin/sh\necho "hello $name_of_input"\necho oops >&2\nprintf 42 > "$heat_outputs_path.answer"\n'
    heat.tell(server.deployment("first", script, "answer"))
    assert heat.signal() is None
    server.collect()
    result = {"deploy_stdout": "hello wörld\n", "deploy_stderr": "oops\n", "deploy_status_code": 0, "answer": "42"}
    assert heat.signal() == result
    assert heat.signal() is None


def test_a_deployment_that_fails_is_told_as_such(server: Server, heat: Heat) -> None:
    heat.tell(server.deployment("failing", "#!/bin/sh\nexit 3\n"))
    server.collect()
    assert heat.signal() == {"deploy_stdout": "", "deploy_stderr": "", "deploy_status_code": 3}


def test_deployments_are_done_once_however_often_their_metadata_come(server: Server, heat: Heat) -> None:
    first, second = [server.deployment(name, f"#!/bin/sh\necho {name}\n") for name in ("one", "two")]
    for deployments in ([first], [first, second], [first, second]):
        heat.tell(*deployments)
        server.collect()
    results = [heat.signal(), heat.signal(), heat.signal()]
    assert [each and each["deploy_stdout"] for each in results] == ["one\n", "two\n", None]
