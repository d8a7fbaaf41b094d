"""``sukkal post``: post many messages, out of files or standard input."""

from sukkal.cli.posting.command import add_to, run

__all__ = ["add_to", "run"]
