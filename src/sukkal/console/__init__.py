"""The web console: files for a browser, which use the public API like any other client."""

from sukkal.console.files import File, console_files

__all__ = ["File", "console_files"]
