"""``python -m sukkal.cli`` is the ``sukkal`` command."""

import sys

from sukkal.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
