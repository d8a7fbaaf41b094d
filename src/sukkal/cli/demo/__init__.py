"""``sukkal demo``: the main job in a minute, on a store that is thrown away."""

from sukkal.cli.demo.command import add_to, run

__all__ = ["add_to", "run"]
