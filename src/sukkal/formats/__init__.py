"""Native shapes of notifications, a module for each, and CloudEvents in all their modes."""

from sukkal.formats.registry import ENTRY_POINTS, FORMATS, RAW, Registry, installed_formats

__all__ = ["ENTRY_POINTS", "FORMATS", "RAW", "Registry", "installed_formats"]
