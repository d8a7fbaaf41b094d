"""A NATS server as it comes from PyPI, for one measurement."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.closing import Closing

from bench.wire import BenchError

__all__ = ["NATSServer"]

_START_S_MAX: Final = 30.0
_STOP_S_MAX: Final = 30.0
_LOOK_S: Final = 0.02
_READY: Final = "Server is ready"
_CONFIGURATION: Final = """
listen: "127.0.0.1:{port}"
jetstream {{
    store_dir: "{folder}/data"
    sync_interval: always
}}
"""


class NATSServer(Closing):
    """A running server on a free port of 127.0.0.1, with its streams in a folder. It syncs each message."""

    def __init__(self, folder: Path, pin: Callable[[], None]) -> None:
        program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
        if program is None:
            raise BenchError("nats-server is missing. Get it with: make bench-peers")
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port: int = found.getsockname()[1]
        configuration, self._log = folder / "nats.conf", folder / "log"
        configuration.write_text(_CONFIGURATION.format(port=self.port, folder=folder), encoding="utf-8")
        with self._log.open("ab") as log:
            command = [program, "-c", str(configuration)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=pin)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def close(self) -> None:
        """Stop it. Closing twice is harmless."""
        self._process.terminate()
        self._process.wait(_STOP_S_MAX)

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _START_S_MAX
        while time.monotonic() < deadline_s and self._process.poll() is None:
            if _READY in self._log.read_text(encoding="utf-8"):
                return
            time.sleep(_LOOK_S)
        raise BenchError(f"nats-server did not start:\n{self._log.read_text(encoding='utf-8')}")
