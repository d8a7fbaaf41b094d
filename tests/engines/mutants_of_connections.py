"""Bugs of how the PostgreSQL engine uses its connections, which its tests have to notice."""

from functools import partial
from typing import Final

from tests.engines.mutant import Mutant

__all__ = ["MUTANTS_OF_CONNECTIONS"]

_STANDING: Final = ("tests/engines/test_postgresql_standing_still.py",)
_LANES: Final = ("tests/engines/test_postgresql_lanes.py",)
_FAULTS: Final = ("tests/engines/test_postgresql_faults.py",)
_FUNCTIONS: Final = ("tests/engines/test_postgresql_functions.py",)
_MOVING: Final = ("tests/engines/test_postgresql_moving_nodes.py",)


_engine: Final = partial(Mutant, folder="src/sukkal/engines/postgresql")
_shared: Final = partial(Mutant, folder="src/sukkal/postgresql", suites=_STANDING)
"""What the engine and the index have in common."""

MUTANTS_OF_CONNECTIONS: Final = (
    _engine(
        "a lane that is held up is nevertheless entered",
        "lanes.py",
        "        return self._overdue.slow or",
        "        return",
        suites=_LANES,
    ),
    _engine(
        "the calls of a queue go past each other",
        "lanes.py",
        "            if lane.has(key):\n",
        "            if lane.has(key) and False:\n",
        suites=_LANES,
    ),
    _engine(
        "a rare write goes with what can go together",
        "lanes.py",
        "self._enter(key, self._last_free,",
        "self._enter(key, self._first_free,",
        suites=_LANES,
    ),
    _engine(
        "a call of a name goes with another of the same",
        "lanes.py",
        "                if call.name in names:\n",
        "                if call.name in names and False:\n",
        suites=_FUNCTIONS,
    ),
    _engine(
        "one call that the database cannot hold takes the others with it",
        "lanes.py",
        "            if len(asked) > 1:\n",
        "            if len(asked) > 1_000_000:\n",
        suites=_FAULTS,
    ),
    _shared(
        "a transaction that does not end gets another connection in its place",
        "overdue.py",
        "    def _begin(self) -> None:\n",
        "    def _begin(self) -> None:\n        self._give_up()\n",
    ),
    _shared(
        "a connection that leads nowhere is waited for",
        "overdue.py",
        "                self._give_up()\n                return\n",
        "",
    ),
    _engine(
        "what was given up is done later",
        "lanes.py",
        "        self._taken.clear()\n        self._refuse_waiting()\n",
        "",
        suites=_STANDING,
    ),
    _engine(
        "a node that only listens does not look whether it hears",
        "hints.py",
        "            await connection.execute(SQL.clock_ms)\n",
        "            return\n",
        suites=_STANDING,
    ),
    _engine(
        "calls for other queues are refused with those for one that moved",
        "lanes.py",
        "if len(asked) == 1:\n                    return [refused]",
        "if asked:\n                    return [refused] * len(asked)",
        suites=_MOVING,
    ),
    _engine(
        "a connection that is half open counts as none",
        "reads.py",
        "self._half_open.popleft() if self._half_open else",
        "self._half_open.popleft() if False else",
        suites=_STANDING,
    ),
)
