"""``python -m examples.murano queues|driver URL``: two conductors, two APIs, and the agents of four environments."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from examples.murano.stage import WAYS, Stage

__all__ = ["main"]

_TASKS_OF_EACH: Final = 2
_APIS: Final = ("a", "b")


def main() -> int:
    """Play the conversation until all tasks are done, and print what everybody says."""
    parser = argparse.ArgumentParser(prog="python -m examples.murano")
    parser.add_argument("way", choices=WAYS, help="over plain queues, or over the driver for oslo.messaging")
    parser.add_argument("url", help="where the service is")
    parser.add_argument("--project", default="murano", help="whose queues they are (default murano)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stage(given.way, given.url, given.project, Path(folder)) as stage:
        for name in ("one", "two"):
            stage.conductor(name)
        for name in _APIS:
            stage.api(name, tasks=_TASKS_OF_EACH)
        done: set[str] = set()
        while len(done) < _TASKS_OF_EACH * len(_APIS):
            heard = dict(stage.next())
            if heard["did"] == "got result":
                done.add(heard["task"])
            about = heard.pop("document", {})
            print(f"{heard.pop('did'):16}", *heard.values(), about.get("text", ""), flush=True)
    print(f"{len(done)} tasks are done.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
