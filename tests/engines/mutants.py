"""Do the tests notice? ``make mutants`` breaks the SQLite engine and listening by hand, bug by bug.

Each mutant is a copy of the package with one change; its suites have to fail on it. A surviving mutant is a missing
test, and a change that no longer applies has to be rewritten: both fail the run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.engines.mutant import Mutant
from tests.engines.mutants_of_listening import MUTANTS_OF_LISTENING
from tests.engines.mutants_of_queues import MUTANTS_OF_QUEUES
from tests.engines.mutants_of_room import MUTANTS_OF_ROOM
from tests.engines.mutants_of_shares import MUTANTS_OF_SHARES

_ROOT: Final = Path(__file__).parents[2]
_SUITE_S_MAX: Final = 150

_OF_THE_ENGINE: Final = (
    Mutant(
        "a claim also takes messages that are claimed or delayed",
        "queries.sql",
        "m.visible_ms > ? AND m.visible_ms <= ? AND m.expires_ms > ?\nORDER BY m.visible_ms, m.sequence",
        "m.visible_ms > ? AND m.visible_ms <= ? + 9000 AND m.expires_ms > ?\nORDER BY m.visible_ms, m.sequence",
    ),
    Mutant(
        "a claim ends one millisecond late",
        "claiming.py",
        "    ends_ms = now_ms + new.ttl_s * 1_000\n    ttl_s, expires_ms",
        "    ends_ms = now_ms + new.ttl_s * 1_000 + 1\n    ttl_s, expires_ms",
    ),
    Mutant(
        "an ended claim still settles",
        "queries.sql",
        "FROM claims WHERE queue = ? AND id = ? AND expires_ms > ?",
        "FROM claims WHERE queue = ? AND id = ? AND expires_ms > ? - 1000000",
    ),
    Mutant(
        "a claim settles what another one holds",
        "claiming.py",
        "        if place.claim != number:\n            return Settled.OTHER_CLAIM\n",
        "",
    ),
    Mutant(
        "a settlement may settle what was released before",
        "claiming.py",
        "if place.claim is None or place.visible_ms <= now_ms:",
        "if place.claim is None and place.visible_ms < 0:",
    ),
    Mutant(
        "deleting by id spares nothing that is claimed",
        "queries.sql",
        "AND (claim IS NULL OR visible_ms <= ?3)",
        "",
    ),
    Mutant(
        "a deletion spares messages whose claim has ended",
        "queries.sql",
        "AND (claim IS NULL OR visible_ms <= ?3)",
        "AND claim IS NULL",
    ),
    Mutant(
        "a message by its id is found in any queue",
        "queries.sql",
        "WHERE m.queue = ?2 AND m.id = ?3 AND m.expires_ms > ?1",
        "WHERE ?2 AND m.id = ?3 AND m.expires_ms > ?1",
    ),
    Mutant(
        "an expired message is still got by its id",
        "queries.sql",
        "WHERE m.queue = ?2 AND m.id = ?3 AND m.expires_ms > ?1",
        "WHERE m.queue = ?2 AND m.id = ?3",
    ),
    Mutant(
        "a class of lifetimes with a bound that is too short",
        "lifetimes.py",
        "return seconds * 1_000 if lifetime % 2 == 0 else max(2 * seconds, 1) * 1_000",
        "return seconds * 1_000",
    ),
    Mutant(
        "lifetimes off the grid are taken for exact ones",
        "lifetimes.py",
        "return 2 * (1 << seconds.bit_length() >> 1) + 1",
        "return 2 * (1 << seconds.bit_length() >> 1)",
    ),
    Mutant(
        "a message does not outlive the claim that holds it",
        "claiming.py",
        "    return claim_ttl_s + grace_s, ends_ms + grace_s * 1_000",
        "    return ttl_s, expires_ms",
    ),
    Mutant(
        "extending a claim forgets the messages",
        "claiming.py",
        "        writer.execute(SQL.hold_longer, (ends_ms, lifetime, new_ttl_s, new_expires_ms, sequence))",
        "        pass",
    ),
    Mutant(
        "a released message loses its place",
        "claiming.py",
        "if settlement.delay_s else place.created_ms",
        "if settlement.delay_s else now_ms",
    ),
    Mutant(
        "a repeated post is stored again",
        "publishing.py",
        "            return Published(known, repeated=True)",
        "            pass",
    ),
    Mutant(
        "a key is known after it is forgotten",
        "repetitions.py",
        "(queue, once.key, now_ms)",
        "(queue, once.key, 0)",
    ),
    Mutant(
        "an idempotency key is not forgotten",
        "queries.sql",
        "SELECT fingerprint, ids FROM once WHERE queue = ? AND key = ? AND expires_ms > ?",
        "SELECT fingerprint, ids FROM once WHERE queue = ? AND key = ? AND ? > 0",
    ),
    Mutant(
        "a message claimed for the last time is not set aside",
        "claiming.py",
        "aside = set_aside or (max_attempts is not None and message.attempts >= max_attempts)",
        "aside = set_aside",
    ),
    Mutant(
        "taking what was set aside counts as an attempt",
        "claiming.py",
        "counted=not set_aside",
        "counted=True",
    ),
    Mutant(
        "the counter is not saved",
        "engine.py",
        "before_commit=self._catalogue.save,",
        "before_commit=lambda: None,",
    ),
    Mutant(
        "a deleted queue's contents are never given up",
        "catalogue.py",
        "(SQL.drop_contents, (entry.number,))\n        self._writer.execute(SQL.delete_queue",
        "(SQL.count_queues, ('', ''))\n        self._writer.execute(SQL.delete_queue",
    ),
    Mutant(
        "a cleared queue keeps its contents",
        "catalogue.py",
        "        self._change(entry._replace(number=number))",
        "        pass",
    ),
    Mutant(
        "the metadata's revision is not checked",
        "engine.py",
        "if (entry.queue.revision if entry else None) != revision:",
        "if entry is None and revision is not None:",
    ),
    Mutant(
        "the sweeper removes messages a minute early",
        "queries.sql",
        "WHERE expires_ms <= ? ORDER BY expires_ms, sequence LIMIT ?",
        "WHERE expires_ms <= ? + 60000 ORDER BY expires_ms, sequence LIMIT ?",
    ),
    Mutant(
        "a page goes on in front of the place where the last one ended",
        "queries.sql",
        "m.visible_ms = ? AND m.sequence > ? AND m.expires_ms > ?",
        "m.visible_ms = ? AND m.sequence >= ? AND m.expires_ms > ?",
    ),
    Mutant(
        "delayed messages are counted as free",
        "reading.py",
        "delayed=coming - claimed, free=free",
        "delayed=0, free=free + coming - claimed",
    ),
    Mutant(
        "a record put again forgets when it was first put",
        "records.sql",
        "CASE WHEN expires_ms <= ?4 THEN ?4 ELSE created_ms END",
        "?4",
    ),
    Mutant(
        "a record put in the place of an expired one takes over its time",
        "records.sql",
        "CASE WHEN expires_ms <= ?4 THEN ?4 ELSE created_ms END",
        "created_ms",
    ),
    Mutant(
        "a record put again keeps its expiry",
        "records.sql",
        ", expires_ms = ?5, value = ?6",
        ", value = ?6",
    ),
    Mutant(
        "an expired record is still got",
        "records.sql",
        "SELECT value, created_ms, expires_ms FROM records\nWHERE kind = ?1 AND project = ?2 AND name = ?3 AND (",
        "SELECT value, created_ms, expires_ms FROM records\nWHERE kind = ?1 AND project = ?2 AND name = ?3 AND (?4 OR ",
    ),
    Mutant(
        "an expired record can still be deleted",
        "records.sql",
        "DELETE FROM records\nWHERE kind = ?1 AND project = ?2 AND name = ?3 AND (",
        "DELETE FROM records\nWHERE kind = ?1 AND project = ?2 AND name = ?3 AND (?4 OR ",
    ),
    Mutant(
        "an expired record is listed for one millisecond more",
        "records.sql",
        "CASE WHEN expires_ms <= ?1 THEN NULL",
        "CASE WHEN expires_ms < ?1 THEN NULL",
    ),
    Mutant(
        "a listing of records ends where many have expired",
        "records.py",
        "last if scan == 0 else None",
        "None",
    ),
    Mutant(
        "a listing of one project goes on into the next",
        "records.py",
        "if project is not None and owner != project:",
        "if project is not None and owner < project:",
    ),
    Mutant(
        "a listing of one project begins anew in another's place",
        "records.py",
        'start = after if project is None else max(after, (project, ""))',
        "start = after if project is None else (project, after[1])",
    ),
    Mutant(
        "records are not swept",
        "sweeping.py",
        "SQL.sweep_once, SQL.sweep_records):\n        if",
        "SQL.sweep_once):\n        if",
    ),
    Mutant(
        "expired messages count until they are swept",
        "records.sql",
        "AND m.expires_ms > ?",
        "AND ? > 0",
    ),
    Mutant(
        "only queues count, not topics",
        "records.sql",
        "WHERE q.project = ? AND q.kind IN ('queue', 'topic', 'history')",
        "WHERE q.project = ? AND q.kind IN ('queue', 'history')",
    ),
    Mutant(
        "the bytes of a body are counted as characters",
        "records.sql",
        "sum(length(m.body))",
        "sum(length(CAST(m.body AS TEXT)))",
    ),
    Mutant(
        "a post brings back the backlog of a subscription that was deleted",
        "publishing.py",
        'catalogue.present_live(key, now_ms) if key.kind == "backlog" else catalogue.ensure(key, now_ms)',
        "catalogue.ensure(key, now_ms)",
    ),
    Mutant(
        "deleting a queue leaves its subscriptions behind",
        "subscriptions.py",
        "    if entry.queue.subscriptions:\n",
        "    if entry.queue.subscriptions > 1:\n",
    ),
    Mutant(
        "an expired subscription keeps its subscriber from subscribing again",
        "subscriptions.py",
        "            if now_ms < other.expires_ms:\n",
        "            if now_ms < other.expires_ms + 1:\n",
    ),
    Mutant(
        "who read a subscription long ago still changes it",
        "subscriptions.py",
        "if (present.revision if present else None) != revision:",
        "if (present is None) != (revision is None):",
    ),
    Mutant(
        "a subscription that was deleted leaves its backlog behind",
        "subscriptions.py",
        "        catalogue.remove(backlog)\n",
        "        pass\n",
    ),
    Mutant(
        "the count of a queue's subscriptions only grows",
        "subscriptions.py",
        "catalogue.count_subscriptions(entry, -1)",
        "catalogue.count_subscriptions(entry, 0)",
    ),
    Mutant(
        "what was given up is found as due",
        "subscriptions.sql",
        "backlog = 1 AND lifetime <> -1 AND queue = present.queue AND visible_ms <= ?2",
        "backlog = 1 AND lifetime <> -1 AND queue = present.queue AND visible_ms <= ?2 + 60000",
    ),
    Mutant(
        "giving back a message forgets its attributes",
        "queries.sql",
        "attributes = coalesce(?, attributes)",
        "attributes = ?",
    ),
    Mutant(
        "the backlog of an expired subscription is there until it is swept",
        "catalogue.py",
        "entry.ends_ms is not None and now_ms >= entry.ends_ms",
        "False",
    ),
    Mutant(
        "the backlog of an expired subscription is found as due",
        "subscriptions.sql",
        "WHERE q.ends_ms > ?2 AND EXISTS",
        "WHERE EXISTS",
    ),
    Mutant(
        "a backlog ends although its subscription was renewed",
        "catalogue.py",
        "elif entry.ends_ms != ends_ms:",
        "elif entry.ends_ms is None:",
    ),
    Mutant(
        "a subscription inherits the backlog of an expired one",
        "subscriptions.py",
        "            _remove(writer, catalogue, wanted.queue, wanted.id)\n    ",
        "            catalogue.count_subscriptions(catalogue.ensure(wanted.queue, now_ms), -1)\n    ",
    ),
    Mutant(
        "a listing shows subscriptions as they were",
        "subscriptions.py",
        "    catalogue.subscriptions_changed(wanted.queue)\n",
        "",
    ),
    Mutant(
        "a listing shows subscriptions that were deleted",
        "subscriptions.py",
        "    catalogue.subscriptions_changed(key)\n",
        "",
    ),
    Mutant(
        "a listing shows subscriptions that have expired",
        "rolls.py",
        "if now_ms < each.expires_ms]",
        "]",
    ),
    Mutant(
        "the order of pages of backlogs is lost",
        "subscriptions.py",
        "(entry.number if entry else 0, now_ms, limit)",
        "(0, now_ms, limit)",
    ),
)

MUTANTS: Final = (
    *_OF_THE_ENGINE,
    *MUTANTS_OF_LISTENING,
    *MUTANTS_OF_QUEUES,
    *MUTANTS_OF_ROOM,
    *MUTANTS_OF_SHARES,
)


def main() -> int:
    """Try every mutant and return the exit code."""
    killed = 0
    for mutant in MUTANTS:
        outcome = _try(mutant)
        killed += outcome == "killed"
        print(f"{outcome:10} {mutant.file:14} {mutant.story}", flush=True)
    print(f"{killed} of {len(MUTANTS)} mutants killed")
    return 0 if killed == len(MUTANTS) else 1


def _try(mutant: Mutant) -> str:
    with tempfile.TemporaryDirectory(prefix="sukkal-mutant-") as folder:
        copy = Path(folder)
        for part in ("src", "tests", "pyproject.toml"):
            source = _ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        file = copy / mutant.folder / mutant.file
        text = file.read_text("utf-8")
        if text.count(mutant.old) < 1:
            return "OUTDATED"
        file.write_text(text.replace(mutant.old, mutant.new), "utf-8")
        return "killed" if _suites_fail(copy, mutant) else "SURVIVED"


def _suites_fail(copy: Path, mutant: Mutant) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.suites]
    environment = {**os.environ, "PYTHONPATH": f"{copy / 'src'}:{copy}", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, check=False, timeout=_SUITE_S_MAX
        )
    except subprocess.TimeoutExpired:
        return True  # The suite takes a tenth of that: it noticed, though not in the best way.
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main())
