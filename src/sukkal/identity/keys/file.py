"""The key file on disk: read whole, replaced whole, and changed by one process at a time."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from sukkal import limits
from sukkal.identity.keys.entries import Key, format_keys, parse_keys

__all__ = ["KeyFile"]

# A file that its group may read, because the service runs as another user than the one who makes keys, stays so.
_MODE_MAX: Final = 0o640

T = TypeVar("T")
_Stamp = tuple[int, int, int]


class KeyFile:
    """A key file. All methods raise ``OSError``, and those that read it ``UnicodeDecodeError``.

    A link is followed: what it leads to is replaced.
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Final = str(path)
        self._stamp: _Stamp | None = None

    def read(self) -> str:
        """Return the text."""
        self._stamp = self._look()
        with open(self.path, "rb") as file:
            content = file.read(limits.KEY_FILE_BYTES_MAX + 1)
        if len(content) > limits.KEY_FILE_BYTES_MAX:
            raise OSError(f"it has more than {limits.KEY_FILE_BYTES_MAX} bytes")
        return content.decode()

    def changed(self) -> bool:
        """Tell whether the file is another than when it was last read. Costs one look at its directory entry."""
        return self._look() != self._stamp

    def keys(self) -> Mapping[str, Key]:
        """Return the keys. Raises ``SettingsError`` if the text is wrong."""
        return parse_keys(self.read(), path=self.path)

    def change(self, change: Callable[[dict[str, Key]], T], *, create: bool = False) -> T:
        """Let a function change the keys, write them if it did, and return what it returned.

        Whoever else wants to change them waits. The file is replaced in one step, which survives a crash. With
        ``create`` there need not be a file yet. Raises ``SettingsError`` if the present text is wrong.
        """
        with self._locked():
            keys = dict(self._keys_or_none() if create else self.keys())
            before = dict(keys)
            result = change(keys)
            if keys != before:
                self._replace(format_keys(keys.values()))
            return result

    def _keys_or_none(self) -> Mapping[str, Key]:
        try:
            return self.keys()
        except FileNotFoundError:
            return {}

    def _look(self) -> _Stamp | None:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold a lock on the folder: the file, being replaced, cannot be locked itself, and a lock file would stay."""
        folder = os.open(os.path.dirname(os.path.realpath(self.path)), os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _replace(self, text: str) -> None:
        real = os.path.realpath(self.path)
        folder = os.path.dirname(real)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".sukkal-keys-")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
                _take_owner_and_mode(file.fileno(), real)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, real)
        except BaseException:
            os.unlink(temporary)
            raise
        _sync_folder(folder)


def _take_owner_and_mode(handle: int, real: str) -> None:
    """Make the new file as accessible as the one that it replaces, so that root does not shut out the service."""
    try:
        old = os.stat(real)
    except FileNotFoundError:
        return  # A temporary file is for its owner alone, and that is what a new key file is to be.
    new = os.fstat(handle)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode) & _MODE_MAX)


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
