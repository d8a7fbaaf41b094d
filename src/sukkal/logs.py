"""Log lines: structured, on standard error; for people on a terminal, as JSON elsewhere."""

import logging
import sys
from typing import Any, Final

import structlog

from sukkal.settings import Settings

__all__ = ["configure_logs"]

_SHARED: Final[list[Any]] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logs(settings: Settings) -> None:
    """Send all log lines of this process to standard error in the form that the settings ask for."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    renderer: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if not as_json:
        renderer = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    # The server tells of every malformed request and of its own start; the access log and /metrics do that for us.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
