"""A service of the demo's own, as a process with a store in a directory that goes with it."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from sukkal.errors import StartupError

__all__ = ["serving"]

_READY: Final = re.compile(rb"Sukkal listens on (http://\S+)")
_START_S: Final = 30.0
_STOP_S: Final = 20.0


@asynccontextmanager
async def serving(*flags: str, secret: str) -> AsyncIterator[str]:
    """Run ``sukkal serve`` on a free port and yield its URL; in the end stop it and remove its data."""
    with tempfile.TemporaryDirectory(prefix="sukkal-demo-") as directory:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SUKKAL_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sukkal.cli", "serve", "--listen", "127.0.0.1:0"),
            *("--store", f"sqlite:///{directory}", *flags),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**kept, "SUKKAL_SIGNED_URL_KEYS": secret},
            start_new_session=True,  # Ctrl-C is for the demo, which then stops it.
        )
        try:
            yield await _ready(process)
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    found = _READY.search(line)
    if found is None:
        raise StartupError("The service of the demo did not start. See: sukkal doctor")
    return found[1].decode()
