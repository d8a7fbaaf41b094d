"""Bugs of what keeps the work of one project from stopping all others, for the suites that are about that."""

from typing import Final

from tests.engines.mutant import Mutant

__all__ = ["MUTANTS_OF_COSTS"]

_ENGINE: Final = ("src/sukkal/engines/sqlite", ("tests/engines/test_sqlite_slices.py",))
_SERVICE: Final = (
    "src/sukkal/service",
    ("tests/unit/test_turns_of_projects.py", "tests/unit/test_addressees.py", "tests/api/test_costs_of_filters.py"),
)

MUTANTS_OF_COSTS: Final = (
    Mutant(
        "a large post is stored in one turn of the loop",
        "publishing.py",
        "            if room == 0:\n",
        "            if room > limits.GROUP_COMMIT_ROWS_AT_ONCE:\n",
        *_ENGINE,
    ),
    Mutant(
        "others' steps run in the middle of a large post",
        "writer.py",
        "            slices = self._run_slice(outcomes, slices) if slices else None\n            if slices is None:\n",
        "            slices = self._run_slice(outcomes, slices) if slices else None\n            if True:\n",
        *_ENGINE,
    ),
    Mutant(
        "a large post is committed before all of it is there",
        "writer.py",
        "            if slices is not None or self._room(transaction):\n",
        "            if self._room(transaction):\n",
        *_ENGINE,
    ),
    Mutant(
        "all that waits is written in one turn of the loop",
        "writer.py",
        "            if self._connection.total_changes() > most:\n",
        "            if self._connection.total_changes() < 0:\n",
        *_ENGINE,
    ),
    Mutant(
        "the ids of all copies are kept to know a post again",
        "publishing.py",
        "msgspec.json.encode(ids[:1])",
        "msgspec.json.encode(ids)",
        suites=("tests/engines/test_sqlite.py",),
    ),
    Mutant(
        "a project looks at as much at once as it asks for",
        "turns.py",
        "lock = self._locks[project] = asyncio.Lock()",
        "lock = asyncio.Lock()",
        *_SERVICE,
    ),
    Mutant(
        "all projects together have one turn",
        "turns.py",
        "        lock = self._locks.get(project)\n",
        '        project = ""\n        lock = self._locks.get(project)\n',
        *_SERVICE,
    ),
    Mutant(
        "looking leaves no turn to others",
        "turns.py",
        "if self._weight < limits.FILTER_WEIGHT_AT_ONCE:",
        "if self._weight >= 0:",
        *_SERVICE,
    ),
    Mutant(
        "a project may fill what all remember",
        "remembering.py",
        "        while self._taken.get(project, 0) + size > self._share:\n",
        "        while self._taken.get(project, 0) < 0:\n",
        *_SERVICE,
    ),
    Mutant(
        "all the filters of a queue are in memory at once",
        "addressees.py",
        "if count == len(subscriptions) or addressees.size >= limits.ADDRESSEES_AT_ONCE_BYTES:",
        "if count == len(subscriptions):",
        *_SERVICE,
    ),
    Mutant(
        "those behind the first part of the addressees get nothing",
        "fan_out.py",
        "rest[len(addressees.subscriptions) :]",
        "rest[len(rest) :]",
        "src/sukkal/service",
        ("tests/api/test_costs_of_filters.py",),
    ),
    Mutant(
        "what was held is heard behind what comes later",
        "hearing.py",
        "            heard = self._held.popleft()\n",
        "            heard = self._held.pop()\n",
        *_SERVICE,
    ),
    Mutant(
        "a listener's filters cost nothing",
        "hearing.py",
        "return heard.weight(self.lens) // limits.WEIGHT_PER_TELLING if self._held is None else 0",
        "return 0",
        *_SERVICE,
    ),
    Mutant(
        "a batch of events is on its way to the store all at once",
        "incoming.py",
        "if rows >= limits.POSTED_AT_ONCE_ROWS:",
        "if rows < 0:",
        *_SERVICE,
    ),
)
