"""Everything an operator can set, and how it is read: flag, environment variable or TOML key of the same name."""

from sukkal.settings.described import FIELDS, Field
from sukkal.settings.fields import Address, Settings
from sukkal.settings.reading import Origin, Resolved, check, load, resolve, unknown

__all__ = ["FIELDS", "Address", "Field", "Origin", "Resolved", "Settings", "check", "load", "resolve", "unknown"]
