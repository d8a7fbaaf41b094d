"""What a role says: a line of JSON on stdout for each thing that it did."""

import json
import os
from typing import Any

__all__ = ["say"]


def say(did: str, **more: Any) -> None:
    """Say what was done, in one write, so that the lines of several threads do not mix."""
    os.write(1, json.dumps({"did": did, **more}).encode() + b"\n")
