"""A real Prometheus and its checker of rules, as Debian's package has them: ``python -m tests.clients.prometheus``."""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.clients import debian
from tests.clients.environments import FOLDER
from tests.closing import Closing
from tests.ports import free_port

__all__ = ["Prometheus", "main", "promtool"]

_COMMAND: Final = ".venv/bin/python -m tests.clients.prometheus"
_FOLDER: Final = FOLDER / "prometheus"
_S_MAX: Final = 30.0
_LOOK_S: Final = 0.1
_SCRAPES: Final = "200ms"


def promtool(root: Path = _FOLDER) -> str | None:
    """Return the path of the program that was unpacked, else of that of the system, if there is one."""
    return _found("promtool", root)


class Prometheus(Closing):
    """A running Prometheus on a free port of 127.0.0.1, which often asks the ``targets``: a URL for each job.

    It shows them a ``token`` as the guide to observing says. Everything it writes is in ``folder``. A missing package
    fails the test.
    """

    def __init__(self, folder: Path, targets: Mapping[str, str], *, token: str) -> None:
        path = _found("prometheus", _FOLDER)
        if path is None:
            pytest.fail(f"Prometheus is missing. Get it with: {_COMMAND}")
        jobs = [
            {
                "job_name": job,
                "authorization": {"credentials_file": "key.txt"},
                "static_configs": [{"targets": [url.removeprefix("http://")]}],
            }
            for job, url in targets.items()
        ]
        (folder / "key.txt").write_text(token)
        (folder / "prometheus.yml").write_text(
            json.dumps({"global": {"scrape_interval": _SCRAPES, "scrape_timeout": _SCRAPES}, "scrape_configs": jobs})
        )
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{free_port()}", trust_env=False, timeout=_S_MAX)
        self._log = folder / "prometheus.log"
        command = [
            *(path, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"),
            f"--web.listen-address={self._client.base_url.netloc.decode()}",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def query(self, expression: str) -> list[Any]:
        """Return the series that an expression has now."""
        answer = self._client.get("/api/v1/query", params={"query": expression}).raise_for_status()
        found: list[Any] = answer.json()["data"]["result"]
        return found

    def await_series(self, expression: str) -> list[Any]:
        """Return the series of an expression as soon as there are some; none if that takes too long."""
        deadline_s = time.monotonic() + _S_MAX
        while not (found := self.query(expression)) and time.monotonic() < deadline_s:
            time.sleep(_LOOK_S)
        return found

    def close(self) -> None:
        """Kill it: nobody needs what it has kept. Closing twice is harmless."""
        self._client.close()
        self._process.kill()
        self._process.wait()

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _S_MAX
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                if self._client.get("/-/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_LOOK_S)
        raise RuntimeError(f"Prometheus did not start:\n{self._log.read_text(errors='replace')}")


def _found(name: str, root: Path) -> str | None:
    unpacked = root / "usr/bin" / name
    return str(unpacked) if unpacked.exists() else shutil.which(name)


def main() -> None:
    """Get the program if it is missing."""
    if promtool() is None:
        debian.update("Prometheus")
        debian.unpack(("prometheus",), _FOLDER)


if __name__ == "__main__":
    main()
