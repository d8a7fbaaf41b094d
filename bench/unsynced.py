"""The service with commits that wait for no disk, only to see what the waiting costs: ``python -m bench.unsynced``.

It takes the flags of ``sukkal serve``. What it has acknowledged a power cut may take.
"""

import sys

from sukkal.cli import main
from sukkal.engines.sqlite import database

__all__: list[str] = []

if __name__ == "__main__":
    database.SYNCHRONOUS = "NORMAL"
    sys.exit(main(["serve", *sys.argv[1:]]))
