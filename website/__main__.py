"""``python -m website`` builds the documentation site; whatever is wrong with a page ends it with status 1."""

import argparse
import sys
from pathlib import Path
from typing import Final

from website.building import build

__all__ = ["main"]

_ROOT: Final = Path(__file__).parents[1]


def main() -> int:
    """Build the site and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m website", description="Build the documentation site.")
    parser.add_argument("--out", type=Path, default=_ROOT / "site", help="folder to write the site to (./site)")
    out = parser.parse_args().out
    faults = build(_ROOT, out)
    if faults:
        sys.stderr.write(faults)
        return 1
    sys.stdout.write(f"The site is in {out}: open {out / 'index.html'}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
