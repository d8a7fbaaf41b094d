"""The forwarder as a process of its own, and what came to the places that it forwards to."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.closing import Closing
from tests.serving import ROOT, FailedToStart

__all__ = ["ForwarderProcess", "eventually", "found_events", "queue_events"]

_READY: Final = re.compile(rb"^Sukkal forwards(?:, metrics are at (\S+))?$", re.MULTILINE)
_START_S_MAX: Final = 30
_STOP_S_MAX: Final = 60
_S_MAX: Final = 60


class ForwarderProcess(Closing):
    """A running ``sukkal forward`` with a configuration, which is written into ``folder``.

    Raises ``FailedToStart``. Leaving the context kills the process if it still runs.
    """

    def __init__(self, folder: Path, configuration: Mapping[str, Any], *, env: Mapping[str, str] | None = None) -> None:
        file = folder / "forward.yaml"
        # JSON is YAML.
        file.write_text(json.dumps(configuration), encoding="utf-8")
        self._log = tempfile.TemporaryFile()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SUKKAL_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sukkal.cli", "forward", "--config", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**kept, "PYTHONPATH": str(ROOT / "src"), **(env or {})},
        )
        try:
            self.metrics_url = self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def stderr(self) -> str:
        """What it has written to stderr so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def wait_until_bound(self, routes: Sequence[str]) -> None:
        """Wait until the sources of all routes know how much they have: then their AMQP queues are there."""
        eventually(
            "every route has its queue",
            lambda: all(self.measured("sukkal_forwarder_waiting", route=each, default=-1) >= 0 for each in routes),
        )

    def is_idle(self, routes: Sequence[str]) -> bool:
        """Tell whether nothing waits and nothing is on its way."""
        kinds = ("sukkal_forwarder_waiting", "sukkal_forwarder_held")
        return all(self.measured(kind, route=each, default=-1) == 0 for kind in kinds for each in routes)

    def measured(self, name: str, default: float = 0, **labels: str) -> float:
        """Return a number of its metrics, ``default`` if it is not there."""
        with urllib.request.urlopen(self.metrics_url, timeout=_START_S_MAX) as answer:
            page = answer.read().decode()
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        for line in page.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name and wanted <= set((found[2] or "").split(",")):
                return float(found[3])
        return default

    def kill(self) -> None:
        """End it as a crash would: SIGKILL, without a word. It is reaped."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop, by SIGTERM, and return the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_STOP_S_MAX)

    def close(self) -> None:
        """Kill it if it still runs. Closing twice is harmless."""
        if self._process.poll() is None:
            self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not self._log.closed:
            # Shown with a test that fails.
            sys.stdout.write(self.stderr)
        self._log.close()

    def _wait_until_ready(self) -> str:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline_s = time.monotonic() + _START_S_MAX
        said = b""
        while (found := _READY.search(said)) is None:
            readable, _, _ = select.select([pipe], [], [], max(deadline_s - time.monotonic(), 0))
            if not readable:
                raise TimeoutError(f"not ready after {_START_S_MAX} s:\n{self.stderr}")
            part = os.read(pipe, 65_536)
            if not part:
                raise FailedToStart(self._process.wait(_STOP_S_MAX), self.stderr)
            said += part
        return (found[1] or b"").decode("ascii")


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Look again and again whether something holds. Fails if it takes too long."""
    deadline_s = time.monotonic() + _S_MAX
    while not holds():
        assert time.monotonic() < deadline_s, f"not within {_S_MAX} s: {what}"
        # Only a pause between two looks: how long it is decides nothing.
        select.select([], [], [], 0.05)


def queue_events(url: str, project: str, queue: str) -> list[dict[str, Any]]:
    """Return the bodies of all messages of a queue."""
    pages = _pages(url, project, f"/v2/queues/{queue}/messages?limit=20&echo=true", "messages")
    return [message["body"] for message in pages]


def found_events(url: str, project: str) -> list[dict[str, Any]]:
    """Return all events that a search finds."""
    return [hit["event"] for hit in _pages(url, project, "/v2/events?limit=20", "events")]


def _pages(url: str, project: str, path: str, name: str) -> list[Any]:
    headers = {"X-Project-Id": project, "Client-ID": "3381af92-2b9e-11e3-b191-71861300734c"}
    found: list[Any] = []
    while True:
        with urllib.request.urlopen(urllib.request.Request(url + path, headers=headers), timeout=30) as answer:
            document = json.load(answer)
        found += document[name]
        following = [link["href"] for link in document["links"] if link["rel"] == "next"]
        if not (document[name] and following):
            return found
        [path] = following
