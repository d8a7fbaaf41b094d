"""Log lines, structured, on standard error: for people on a terminal, as JSON elsewhere. And the audit log's file."""

import logging
import os
import sys
from collections.abc import Callable, MutableMapping
from io import FileIO
from typing import Any, Final

import structlog

from sukkal.errors import SettingsError
from sukkal.log_fields import log_fields
from sukkal.settings import Settings

__all__ = ["AuditFile", "configure_logs"]

_AUDIT_PAUSE_S: Final = 0.2


def _with_fields(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # What the line says of itself counts more than what it was written for.
    for field, text in log_fields().items():
        event.setdefault(field, text)
    return event


_SHARED: Final[list[Any]] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    _with_fields,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logs(settings: Settings) -> None:
    """Send all log lines of this process to standard error in the form that the settings ask for."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    renderer: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if not as_json:
        # The usual one shows the values of variables if it can, tokens and messages among them.
        plain = structlog.dev.plain_traceback
        renderer = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
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


class AuditFile:
    """The file of the audit log: lines are added to it, never changed. It may be moved away and begun anew.

    Lines are written after a moment, many at once. Raises ``SettingsError`` if the file cannot be opened.
    """

    def __init__(self, path: str, call_later: Callable[[float, Callable[[], None]], object]) -> None:
        self._path = path
        self._call_later = call_later
        self._lines: list[bytes] = []
        self._torn = b""
        self._file = self._open()

    def write(self, line: bytes) -> None:
        """Add a line, soon."""
        if not self._lines:
            self._call_later(_AUDIT_PAUSE_S, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Add the lines that wait to the file. Those that cannot be written are lost, and the log says so."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        left = memoryview(self._torn + b"".join(lines))
        try:
            while left:
                left = left[self._file.write(left) :]
            self._torn = b""
        except OSError as error:
            # What comes next must not be glued to half a line.
            self._torn = b"\n"
            logging.getLogger("sukkal.audit").error("%d lines of the audit log may be lost: %s", len(lines), error)

    def reopen(self) -> None:
        """Begin the file anew if it was moved away. Raises ``SettingsError``."""
        self.flush()
        file = self._open()
        self._file.close()
        self._file = file

    def close(self) -> None:
        """Write what waits and let go of the file."""
        self.flush()
        self._file.close()

    def _open(self) -> FileIO:
        try:
            return FileIO(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640), "ab")
        except OSError as error:
            raise SettingsError(
                f"The audit log {self._path} cannot be written: {error.strerror}. The setting is `audit_log`."
            ) from error
