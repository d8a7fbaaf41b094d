"""Bugs of what projects keep, of backlogs, of positions across gaps, and of dead letters."""

from typing import Final

from tests.engines.mutant import Mutant

__all__ = ["MUTANTS_OF_ROOM"]

_BACKLOGS: Final = ("src/sukkal/service", ("tests/api/test_backlogs.py",))
_LETTERS: Final = ("src/sukkal/service", ("tests/api/test_dead_letters.py",))
_LIMITS: Final = ("src/sukkal/service", ("tests/api/test_project_limits.py",))
_PLACES: Final = ("src/sukkal/service", ("tests/api/test_listening_promises.py",))

MUTANTS_OF_ROOM: Final = (
    Mutant(
        "what a history keeps does not count",
        "records.sql",
        "'queue', 'topic', 'history') AND m",
        "'queue', 'topic') AND m",
    ),
    Mutant(
        "what has expired counts",
        "records.sql",
        "WHERE queue = ? AND expires_ms > ?",
        "WHERE queue = ? AND expires_ms > ? - 1000000",
    ),
    Mutant(
        "a post to a queue with a history is charged once",
        "quotas.py",
        "    times = 2 if",
        "    times = 1 if",
        *_LIMITS,
    ),
    Mutant("a gap is not noted", "engine.py", "            if gap:\n", "            if gap and revision is None:\n"),
    Mutant(
        "a gap is noted at the last number that was given",
        "engine.py",
        "            if gap:\n                self._catalogue.removed(entry.number, self._catalogue.next_number())\n",
        "            if gap:\n                self._catalogue.removed(entry.number, self._catalogue.last)\n",
    ),
    Mutant(
        "a cleared queue leaves no mark", "catalogue.py", "        self.removed(mark_of(entry.queue.key), number)\n", ""
    ),
    Mutant(
        "a deleted queue leaves no mark",
        "catalogue.py",
        "            self.removed(mark_of(key), self.next_number())\n",
        "            pass\n",
    ),
    Mutant("marks are not read", "queries.sql", "WHERE queue IN (0, ?)", "WHERE queue IN (0, ? + 10000)"),
    Mutant(
        "a queue that is not the first of its name is taken for it",
        "listening.py",
        "    return first and page.dropped <= since.sequence\n",
        "    return first\n",
        *_PLACES,
    ),
    Mutant(
        "a history is taken for all that was ever posted",
        "listening.py",
        ' and watched.kind != "history"',
        "",
        *_PLACES,
    ),
    Mutant(
        "the history outlives a time in which nothing was stored",
        "queues.py",
        "            if gap:\n",
        "            if gap and not queue:\n",
        *_PLACES,
    ),
    Mutant("a backlog has no bound", "backlogs.py", "account.most + size <= self._bytes_max", "size >= 0", *_BACKLOGS),
    Mutant(
        "what was let in is not added",
        "backlogs.py",
        "        account.most += size\n",
        "        account.most += 0\n",
        *_BACKLOGS,
    ),
    Mutant(
        "a busy backlog waits for its count",
        "backlogs.py",
        "account.most - account.counted >= self._bytes_max // _MUCH",
        "False",
        *_BACKLOGS,
    ),
    Mutant(
        "a full backlog is counted at each post",
        "backlogs.py",
        ">= limits.BACKLOG_COUNT_PAUSE_S *",
        ">= 0 *",
        *_BACKLOGS,
    ),
    Mutant(
        "what was given up is dropped to the last",
        "backlogs.py",
        "            if not dead or self._fits(account, size):\n",
        "            if not dead:\n",
        *_BACKLOGS,
    ),
    Mutant(
        "a letter is not copied",
        "letters.py",
        "        return await self._fan_out.copies(queue, clear, sealed, passed) if sealed else Copies()\n",
        "        return Copies()\n",
        *_LETTERS,
    ),
    Mutant("a letter goes round in circles", "letters.py", "passing(queue.key) in passed or ", "", *_LETTERS),
    Mutant(
        "a letter goes through any number of queues",
        "letters.py",
        " or len(passed) > limits.QUEUE_HOPS_MAX",
        "",
        *_LETTERS,
    ),
    Mutant(
        "a letter that is there is copied again", "letters.py", "if each.id not in present]", "if each.id]", *_LETTERS
    ),
    Mutant(
        "a letter forgets where it was",
        "dead_letters.py",
        "further(passed_by(message), origin)",
        "further((), origin)",
        *_LETTERS,
    ),
    Mutant(
        "a letter remembers more with each round",
        "letters.py",
        "passed if here in passed or len(passed) > limits.QUEUE_HOPS_MAX else (",
        "(",
        *_LETTERS,
    ),
    Mutant(
        "what is forwarded forgets where it was",
        "incoming.py",
        "        if passed:\n            messages",
        "        if not passed:\n            messages",
        *_LETTERS,
    ),
)
