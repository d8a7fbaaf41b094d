"""Runs a role of the example that goes no further once it has said something.

``python -m tests.examples.halting DID MODULE ...``
"""

import runpy
import sys
import threading
from typing import Any

from examples.murano import journal

__all__: list[str] = []


def main() -> None:
    last, module, *arguments = sys.argv[1:]
    say = journal.say

    def say_and_halt(did: str, **more: Any) -> None:
        say(did, **more)
        if did == last:
            threading.Event().wait()

    journal.say = say_and_halt
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
