"""Making the tracer, where the settings ask for one, and letting go of it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Final

from sukkal.extras import needs_extra
from sukkal.settings import Settings
from sukkal.tracing import Tracer

__all__ = ["traces"]

_LAST_WORDS_S: Final = 3.0


@contextlib.asynccontextmanager
async def traces(settings: Settings) -> AsyncIterator[Tracer | None]:
    """Return the tracer while the context lasts, ``None`` if there is to be none. Raises ``SettingsError``."""
    if not settings.traces:
        yield None
        return
    with needs_extra("traces", "To export traces"):
        from sukkal.app.open_telemetry import OpenTelemetry
    tracer = OpenTelemetry()
    try:
        yield tracer
    finally:
        await _close(tracer)


async def _close(tracer: Tracer) -> None:
    """Let it tell what it has left. A collector that is away keeps the process for a moment only."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def close() -> None:
        tracer.close()
        with contextlib.suppress(RuntimeError):  # Nobody may wait for it any more.
            loop.call_soon_threadsafe(told.set)

    threading.Thread(target=close, name="sukkal-traces", daemon=True).start()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS_S):
            await told.wait()
