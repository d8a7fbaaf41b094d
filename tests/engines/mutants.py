"""Do the tests notice? ``make mutants`` breaks the engines and listening by hand, bug by bug.

Each mutant is a copy of the package with one change; its suites have to fail on it. A surviving mutant is a missing
test, and a change that no longer applies has to be rewritten: both fail the run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.engines.mutant import Mutant
from tests.engines.mutants_of_connections import MUTANTS_OF_CONNECTIONS
from tests.engines.mutants_of_costs import MUTANTS_OF_COSTS
from tests.engines.mutants_of_listening import MUTANTS_OF_LISTENING
from tests.engines.mutants_of_moves import MUTANTS_OF_MOVES
from tests.engines.mutants_of_postgresql import MUTANTS_OF_POSTGRESQL
from tests.engines.mutants_of_queues import MUTANTS_OF_QUEUES
from tests.engines.mutants_of_room import MUTANTS_OF_ROOM
from tests.engines.mutants_of_shares import MUTANTS_OF_SHARES
from tests.engines.mutants_of_the_engine import MUTANTS_OF_THE_ENGINE

_ROOT: Final = Path(__file__).parents[2]
_SUITE_S_MAX: Final = 400

MUTANTS: Final = (
    *MUTANTS_OF_THE_ENGINE,
    *MUTANTS_OF_LISTENING,
    *MUTANTS_OF_QUEUES,
    *MUTANTS_OF_ROOM,
    *MUTANTS_OF_SHARES,
    *MUTANTS_OF_COSTS,
    *MUTANTS_OF_MOVES,
    *MUTANTS_OF_POSTGRESQL,
    *MUTANTS_OF_CONNECTIONS,
)


def main(words: Sequence[str]) -> int:
    """Try every mutant whose story or file has one of the words, all without words, and return the exit code."""
    chosen = [each for each in MUTANTS if not words or any(word in f"{each.story} {each.file}" for word in words)]
    killed = 0
    for mutant in chosen:
        outcome = _try(mutant)
        killed += outcome == "killed"
        print(f"{outcome:10} {mutant.file:14} {mutant.story}", flush=True)
    print(f"{killed} of {len(chosen)} mutants killed")
    return 0 if chosen and killed == len(chosen) else 1


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
    sys.exit(main(sys.argv[1:]))
