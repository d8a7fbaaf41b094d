"""The commands that take options, and no settings of the service, by their names."""

from collections.abc import Callable, Mapping
from typing import Final

from sukkal.cli import completion, demo, doctor, drain, posting, redrive, tail, top
from sukkal.cli.nouns import NOUNS
from sukkal.cli.service import Options

__all__ = ["COMMANDS"]

COMMANDS: Final[Mapping[str, Callable[[Options], int]]] = {
    **{name: noun.run for name, noun in NOUNS.items()},
    "completion": completion.run,
    "demo": demo.run,
    "doctor": doctor.run,
    "drain": drain.run,
    "post": posting.run,
    "redrive": redrive.run,
    "tail": tail.run,
    "top": top.run,
}
