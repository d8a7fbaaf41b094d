"""Files that are read again while the service runs: on SIGHUP, and the key file whenever it changes."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sukkal.errors import SettingsError

__all__ = ["Reloading", "read_file"]

_log: Final = logging.getLogger("sukkal.app")


def read_file(setting: str, path: str) -> str:
    """Return the text of a file that a setting names, or nothing without a name. Raises ``SettingsError``."""
    if not path:
        return ""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{setting} names {path}, which cannot be read: {reason}.") from error
    if not text.strip():
        # More likely it is about to be written than meant to say nothing.
        raise SettingsError(f"{setting} names {path}, which is empty. Write a comment, or leave the setting out.")
    return text


class Reloading:
    """What is read again. A file that has become wrong is told in the log, and what was read before stays in force."""

    def __init__(self) -> None:
        self._parts: dict[str, Callable[[], None]] = {}
        self._watched: dict[str, Callable[[], bool]] = {}

    def add(self, name: str, reload: Callable[[], None], *, changed: Callable[[], bool] | None = None) -> None:
        """Read something again when asked to, and also whenever it is found to have ``changed``."""
        self._parts[name] = reload
        if changed is not None:
            self._watched[name] = changed

    def reload(self) -> None:
        """Read everything again."""
        for name, reload in self._parts.items():
            self.attempt(name, reload)

    def look(self) -> None:
        """Read again what has changed of the files that are watched."""
        for name, changed in self._watched.items():
            try:
                if not changed():
                    continue
            except OSError as error:
                _log.debug("cannot tell whether %s have changed: %s", name, error)
                continue
            self.attempt(name, self._parts[name])

    def attempt(self, name: str, reload: Callable[[], None]) -> None:
        """Read one thing again, and tell in the log how that went."""
        try:
            reload()
        except SettingsError as error:
            _log.error("not reloaded: %s. What was read before stays in force. %s", name, error)
        except Exception:  # noqa: BLE001 - the others are to be read all the same
            _log.exception("not reloaded: %s. What was read before stays in force.", name)
        else:
            _log.info("reloaded", extra={"what": name})
