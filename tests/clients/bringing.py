"""Two services that speak the API, and the command that brings what one keeps to the other."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from tests.closing import Closing
from tests.serving import ROOT

__all__ = ["Api", "Import", "counts"]

_CLIENT: Final = "5d0f4a6e-5a43-4c94-a3c6-0d0b7d9f7f27"
_RUN_S_MAX: Final = 120


class Api(Closing):
    """A project of a service that speaks the API."""

    def __init__(self, url: str, project: str) -> None:
        headers = {"Client-ID": _CLIENT, "X-Project-Id": project}
        self.http = httpx.Client(base_url=f"{url}/v2", headers=headers, timeout=60, trust_env=False)

    def close(self) -> None:
        self.http.close()

    def __call__(self, method: str, path: str, document: Any = None, **more: Any) -> Any:
        answer = self.http.request(method, path, json=document, **more).raise_for_status()
        return answer.json() if answer.content else None

    def subscriptions(self, queue: str) -> list[Any]:
        """Return all subscriptions of a queue."""
        found: list[Any] = []
        path = f"/queues/{queue}/subscriptions?limit=20"
        while path:
            page = self("GET", path)
            found += page["subscriptions"]
            path = page["links"][0]["href"].removeprefix("/v2") if page["links"] else ""
        return found

    def post(self, queue: str, *bodies: Any, **more: Any) -> list[str]:
        messages = [{"body": body, **more} for body in bodies]
        resources = self("POST", f"/queues/{queue}/messages", {"messages": messages})["resources"]
        return [resource.rpartition("/")[2] for resource in resources]

    def messages(self, queue: str) -> list[Any]:
        found: list[Any] = []
        path = f"/queues/{queue}/messages?echo=true&limit=20"
        while path:
            page = self("GET", path)
            found += page["messages"]
            path = page["links"][0]["href"].removeprefix("/v2") if page["links"] and page["messages"] else ""
        return found

    def bodies(self, queue: str) -> list[Any]:
        return [message["body"] for message in self.messages(queue)]


class Import:
    """Runs the command, whose state is kept in a folder."""

    def __init__(self, zaqar: str, sukkal: str, project: str, folder: Path) -> None:
        self._command = [sys.executable, "-m", "sukkal.cli", "import", "--from-zaqar", zaqar, "--output", "json"]
        self._command += ["--project", project] if project else []
        self._folder = folder
        self._url = sukkal

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "SUKKAL_", "ZAQAR_"))}
        return {**kept, "PYTHONPATH": str(ROOT / "src"), "SUKKAL_URL": self._url, **more}

    def start(self, *flags: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._command, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            env=self.environment(more),
        )

    def run(self, *flags: str, code: int = 0, **more: str) -> dict[str, Any]:
        """Return the report, by queue."""
        with self.start(*flags, **more) as process:
            said, complained = process.communicate(timeout=_RUN_S_MAX)
        assert process.returncode == code, complained
        return {each["queue"]: each for each in json.loads(said)}

    def table(self, *flags: str, code: int = 0) -> str:
        """Return the report as people read it."""
        with self.start(*flags, "--output", "table") as process:
            said, complained = process.communicate(timeout=_RUN_S_MAX)
        assert process.returncode == code, complained
        return said

    def fail(self, code: int, *flags: str, **more: str) -> str:
        """Return what it complains about."""
        with self.start(*flags, **more) as process:
            _, complained = process.communicate(timeout=_RUN_S_MAX)
        assert process.returncode == code, complained
        return complained


def counts(report: Mapping[str, Any], *names: str) -> Sequence[int]:
    """Return some figures of a queue's report."""
    return [report[name] for name in names]
