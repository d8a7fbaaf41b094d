"""``sukkal doctor``: check what a service needs, and say what to do where something is wrong."""

from sukkal.cli.doctor.command import add_to, run

__all__ = ["add_to", "run"]
