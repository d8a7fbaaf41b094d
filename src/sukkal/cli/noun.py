"""Commands that consist of a noun and what is done to it: ``sukkal queue list``."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sukkal.cli.service import Act, add_options, run

__all__ = ["Action", "Noun"]


def _nothing(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


class Action(NamedTuple):
    """What can be done to a noun, and the arguments that it takes."""

    name: str
    summary: str
    act: Act
    arguments: Callable[[argparse.ArgumentParser], None] = _nothing


class Noun:
    """A command with actions."""

    def __init__(self, name: str, summary: str, actions: Sequence[Action]) -> None:
        self.name: Final = name
        self._summary = summary
        self._actions: Final[Mapping[str, Action]] = {action.name: action for action in actions}

    def add_to(self, commands: Any) -> None:
        """Add the command to those of a parser."""
        actions = commands.add_parser(
            self.name, help=self._summary, description=self._summary, allow_abbrev=False
        ).add_subparsers(dest="action", metavar="ACTION", required=True)
        for action in self._actions.values():
            parser = actions.add_parser(
                action.name, help=action.summary, description=action.summary, allow_abbrev=False
            )
            action.arguments(parser)
            add_options(parser)

    def run(self, options: Mapping[str, Any]) -> int:
        """Do what is asked, and return the exit code."""
        return run(options, self._actions[options["action"]].act)
