"""Moving the write-ahead log into the database, off the commit path.

A checkpoint on a connection of its own runs beside the commits, but while they go on it cannot reach the log's end,
and only a log that was copied to its end is begun anew. So when the log has grown long in spite of that, the commit
thread copies the little that is left, once.
"""

import asyncio
import logging
from typing import Final

import apsw

from sukkal.engines.sqlite.worker import Worker

__all__ = ["Checkpoints"]

_log: Final = logging.getLogger("sukkal.sqlite")

_EVERY_PAGES: Final = 2_000
_LOG_PAGES_MAX: Final = 16_000


class Checkpoints:
    """Decides when to copy the log, and has it done in a thread."""

    def __init__(self, writer: apsw.Connection, checkpointer: apsw.Connection) -> None:
        self._connection = checkpointer
        self._loop = asyncio.get_running_loop()
        self._worker = Worker("sukkal-checkpoint")
        self._log_pages = 0
        self._copied_pages = 0
        self._busy = False
        writer.set_wal_hook(self._note)

    def consider(self) -> None:
        """Begin a checkpoint if the log has grown enough since the last one."""
        if self._log_pages < self._copied_pages:
            self._copied_pages = 0
        if not self._busy and self._log_pages - self._copied_pages >= _EVERY_PAGES:
            self._busy = True
            self._worker.do(self._run)

    def catch_up(self, writer: apsw.Connection) -> None:
        """Copy the rest of a log that has grown too long. Called by the commit thread, between two commits."""
        if self._log_pages >= _LOG_PAGES_MAX and not self._busy:
            _, self._copied_pages = writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def close(self) -> None:
        """End the thread after the checkpoint that runs."""
        self._worker.close()

    def _note(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _run(self) -> None:
        copied = self._copied_pages
        try:
            _, copied = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            # The data is safe in the log; the next checkpoint tries again.
            _log.warning("a checkpoint failed: %s", error)
            copied = self._log_pages
        self._loop.call_soon_threadsafe(self._done, copied)

    def _done(self, copied: int) -> None:
        self._copied_pages = copied
        self._busy = False
