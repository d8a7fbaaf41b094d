"""``sukkal top``: the queues of a project, live."""

from sukkal.cli.top.command import add_to, run

__all__ = ["add_to", "run"]
