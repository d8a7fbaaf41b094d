"""The real Keystone as a process of its own, with the accounts that tests speak of."""

import os
import select
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.clients import environments
from tests.closing import Closing

__all__ = ["ACCOUNTS", "PASSWORD", "SERVICE_USER", "Keystone"]

PASSWORD: Final = "secret"
"""Of every user."""

SERVICE_USER: Final = "sukkal"

ACCOUNTS: Final[Mapping[str, tuple[str, str]]] = {
    f"{project}-{role}": (project, role) for project in ("alpha", "beta") for role in ("reader", "member", "admin")
} | {SERVICE_USER: ("service", "service")}
"""Each user's project and role there. The role ``service`` suffices to validate the tokens of others."""

_PROGRAM: Final = Path(__file__).with_name("keystone_program.py")
_START_S_MAX: Final = 60
_CALL_S_MAX: Final = 30
_DAY_S: Final = 86_400


class Keystone(Closing):
    """A running Keystone on a free port of 127.0.0.1. It is ready when the constructor returns.

    It keeps everything in ``folder``. A new folder gets the ``ACCOUNTS``; the copy of another Keystone's folder has
    them, and whatever else was made there, and starts sooner. Its port stays reserved until it is closed, so that it
    can be killed and started again where it was. A missing environment fails the test.
    """

    def __init__(self, folder: Path) -> None:
        if environments.missing("keystone"):
            pytest.fail(f"The environment keystone is missing. Make it with: {environments.COMMAND}")
        self.folder = folder
        new = not (folder / "keystone.db").exists()
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self._http = httpx.Client(timeout=_CALL_S_MAX, trust_env=False)
        self._admin_token = ""
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
            if new:
                self._make_accounts()
        except BaseException:
            self.close()
            raise

    # -- the process --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What clients call the auth URL."""
        return f"http://127.0.0.1:{self._reserved.getsockname()[1]}/v3"

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has written to stderr so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start it, after it was killed where it was before. It is ready when this returns."""
        assert self._process is None or self._process.returncode is not None, "it runs already"
        host, port = self._reserved.getsockname()
        command = [str(environments.python_of("keystone")), "-I", str(_PROGRAM), str(self.folder), host, str(port)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=kept
            )
        assert self._process.stdout is not None
        # It says one line, in one piece, and nothing if it fails.
        readable, _, _ = select.select([self._process.stdout], [], [], _START_S_MAX)
        if not readable or not self._process.stdout.readline():
            self.kill()
            raise RuntimeError(f"Keystone did not start:\n{self.log}")

    def kill(self) -> None:
        """End it and reap it: connections to it are refused. It does not matter if it runs no more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def pause(self) -> None:
        """Let it hang: connections to it are made and never answered."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on after ``pause``; what came in meanwhile is answered."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill it if it still runs and let go of its port. Closing twice is harmless."""
        self.kill()
        self._http.close()
        self._reserved.close()

    # -- tokens -------------------------------------------------------------------------------------------------------

    def token(
        self, user: str, project: str | None = None, *, trust_id: str | None = None, lives_s: int | None = None
    ) -> str:
        """Return a new token of a user for a project, through a trust, or for nothing at all (unscoped).

        It lives for an hour, or ``lives_s`` seconds: with 0 it has expired when it comes.
        """
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": _user(user)}}}
        if project is not None:
            auth["scope"] = {"project": {"name": project, "domain": {"id": "default"}}}
        if trust_id is not None:
            auth["scope"] = {"OS-TRUST:trust": {"id": trust_id}}
        lives = {} if lives_s is None else {"X-Seconds-To-Live": str(lives_s)}
        answer = self._http.post(f"{self.url}/auth/tokens", json={"auth": auth}, headers=lives).raise_for_status()
        return answer.headers["X-Subject-Token"]

    def validate(self, token: str) -> dict[str, Any] | None:
        """Return what the token stands for, as the service user is told it; None if it is not valid."""
        headers = {"X-Auth-Token": self.token(SERVICE_USER, "service"), "X-Subject-Token": token}
        answer = self._http.get(f"{self.url}/auth/tokens", headers=headers)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()["token"]
        return found

    def revoke(self, token: str) -> None:
        """Make a token invalid before its time."""
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        self._http.delete(f"{self.url}/auth/tokens", headers=headers).raise_for_status()

    def trust(self, user: str, project: str) -> str:
        """Let the service user act as a user who is a member of a project; return the id of the trust."""
        token = self.token(user, project)
        trust = {
            "trustor_user_id": self.id_of("users", user),
            "trustee_user_id": self.id_of("users", SERVICE_USER),
            "project_id": self.id_of("projects", project),
            "impersonation": True,
            "roles": [{"name": "member"}],
        }
        return str(self.call("POST", "/OS-TRUST/trusts", {"trust": trust}, token=token)["trust"]["id"])

    # -- everything else ----------------------------------------------------------------------------------------------

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> dict[str, Any]:
        """Do a call of the Identity API below ``/v3``, as its administrator or whom the token names.

        Raises ``httpx.HTTPStatusError``.
        """
        if token is None:
            token = self._admin_token = self._admin_token or self.token("admin", "admin", lives_s=_DAY_S)
        answer = self._http.request(method, self.url + path, json=body, headers={"X-Auth-Token": token})
        found: dict[str, Any] = answer.raise_for_status().json() if answer.content else {}
        return found

    def id_of(self, kind: str, name: str) -> str:
        """Return the id of one of the ``projects``, ``users`` or ``roles``."""
        [found] = self.call("GET", f"/{kind}?name={name}")[kind]
        return str(found["id"])

    def catalog(self, url: str, websocket_url: str | None = None) -> None:
        """Let the catalog point to this service, and no other, for messaging over HTTP and over WebSocket."""
        addresses = {"messaging": url, "messaging-websocket": websocket_url or url.replace("http", "ws", 1)}
        for kind, address in addresses.items():
            for service in self.call("GET", f"/services?type={kind}")["services"]:
                self.call("DELETE", f"/services/{service['id']}")
            service = {"type": kind, "name": kind.replace("messaging", "sukkal")}
            service_id = self.call("POST", "/services", {"service": service})["service"]["id"]
            for interface in ("public", "internal", "admin"):
                endpoint = {"service_id": service_id, "interface": interface, "url": address, "region_id": "RegionOne"}
                self.call("POST", "/endpoints", {"endpoint": endpoint})

    def _make_accounts(self) -> None:
        roles = {role["name"]: role["id"] for role in self.call("GET", "/roles")["roles"]}
        projects: dict[str, str] = {}
        for user, (project, role) in ACCOUNTS.items():
            if project not in projects:
                projects[project] = self.call("POST", "/projects", {"project": {"name": project}})["project"]["id"]
            user_id = self.call("POST", "/users", {"user": {"name": user, "password": PASSWORD}})["user"]["id"]
            self.call("PUT", f"/projects/{projects[project]}/users/{user_id}/roles/{roles[role]}")


def _user(name: str) -> dict[str, Any]:
    return {"name": name, "domain": {"id": "default"}, "password": PASSWORD}
