"""The composition root: makes the parts, hands them to each other, and runs them."""

from sukkal.app.composition import App, running
from sukkal.app.process import serve

__all__ = ["App", "running", "serve"]
