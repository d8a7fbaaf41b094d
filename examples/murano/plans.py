"""The plans that an agent has taken, kept on its disk."""

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from examples.murano import shapes

__all__ = ["PlanFolder", "carried_out"]


class PlanFolder:
    """A file for each plan, named by its stamp. A plan that is stored here can be acknowledged."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def store(self, plan: Mapping[str, Any], reply_to: str) -> bool:
        """Store a plan; tell whether it is a new one, and not older than another that was here."""
        stamps = [int(path.stem) for path in self._folder.iterdir() if path.suffix in (".plan", ".done")]
        if plan["Stamp"] <= max(stamps, default=0):
            return False
        beside = self._folder / f"{plan['Stamp']}.new"
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"plan": plan, "reply_to": reply_to}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(beside.with_suffix(".plan"))
        return True

    def unanswered(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the plans that are still to be carried out or answered, the oldest first, and where to send that."""
        for path in sorted(self._folder.glob("*.plan"), key=lambda path: int(path.stem)):
            stored = json.loads(path.read_text(encoding="utf-8"))
            yield stored["plan"], stored["reply_to"]

    def answered(self, plan: Mapping[str, Any]) -> None:
        """Be done with a plan, of which only the stamp is kept."""
        path = self._folder / f"{plan['Stamp']}.plan"
        path.rename(path.with_suffix(".done"))


def carried_out(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a plan. An agent that is more than an example runs its scripts."""
    body = f"{plan['Name']} {plan['Parameters']['host']}"
    return shapes.execution_result(uuid.uuid4().hex, plan, body, time=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()))
