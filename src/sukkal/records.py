"""The contract for control records: small documents of ours that an engine keeps by kind, project and name.

Pools, flavors, keys, signed-URL ids and saved searches are such records. What a kind means, and what its document says,
is for ``service``; an engine sees bytes. The laws are those of ``sukkal.store``. Two need a word:

* **Pure in time.** A record that has expired is nowhere to be seen from its time on: not got, not listed, not there to
  be deleted, and putting it again makes a new one. ``sweep`` removes it some time later.
* **Bounded.** A listing costs its limit and a fixed number of rows, however many records have expired in front of it.
  So a page may be short, even empty, and still say where to go on.
"""

from typing import Protocol

from sukkal.model import Record, RecordKey, RecordPage

__all__ = ["Records"]


class Records(Protocol):
    """What is kept beside the queues."""

    async def put_record(self, key: RecordKey, value: bytes, *, now_ms: int, expires_ms: int | None = None) -> Record:
        """Create the record, or replace its value and expiry; ``created_ms`` stays that of the first put."""

    async def swap_record(
        self, key: RecordKey, old: bytes | None, new: bytes | None, *, now_ms: int, expires_ms: int | None = None
    ) -> bool:
        """Replace a value that is still what the caller read, and tell whether it was; else change nothing.

        ``old`` is ``None`` to create a record that must not be there, ``new`` to delete it. Of several that swap the
        same old value at once, one succeeds. ``expires_ms`` is that of the new one.
        """

    async def get_record(self, key: RecordKey, *, now_ms: int) -> Record | None:
        """Return the record, or ``None``."""

    async def list_records(
        self, kind: str, project: str | None, *, after: tuple[str, str], limit: int, now_ms: int
    ) -> RecordPage:
        """Return up to ``limit`` records of a kind behind a place, ordered by (project, name).

        ``project`` is the one they are of, ``None`` for those of all projects. ``after`` is (project, name) of the
        last one seen, or the ``next`` of the page before; ``("", "")`` to begin.
        """

    async def delete_record(self, key: RecordKey, *, now_ms: int) -> bool:
        """Delete the record and tell whether there was one."""
