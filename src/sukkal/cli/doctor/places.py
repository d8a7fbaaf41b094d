"""Checks of where the data is."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from sukkal.carrying.leaving import UNFINISHED
from sukkal.cli.doctor.arriving import half_filled
from sukkal.cli.doctor.verdict import Verdict, fail, ok, skipped, warn
from sukkal.errors import StartupError
from sukkal.settings import Settings

__all__ = ["check_disk", "check_store"]

_STORE: Final = "store"
_DISK: Final = "disk space"
_FREE_BYTES_MIN: Final = 100 * 1_048_576
_FREE_BYTES_WANTED: Final = 1_024 * 1_048_576


def check_store(settings: Settings, now_ms: int) -> Verdict:
    """Check that the data can be read and written by this version."""
    if settings.directory is None:
        todo = "Set store = sqlite:////var/lib/sukkal to keep messages."
        return warn(_STORE, "in memory: nothing survives the process", todo)
    directory = Path(settings.directory)
    if not directory.exists():
        return _not_yet(directory)
    problem = _unwritable(directory)
    if problem:
        return fail(_STORE, f"{directory} cannot be written: {problem}", _give(directory))
    from sukkal.engines.sqlite.inspecting import inspect, kept

    try:
        found = inspect(directory)
        unfinished = kept(directory, UNFINISHED, now_ms=now_ms) if found.version == found.newest else None
    except StartupError as error:
        return fail(_STORE, str(error), "Give Sukkal a directory of its own, or bring back a backup of this one.")
    if found.version > found.newest:
        seen = f"{directory} has schema version {found.version}; this version knows up to {found.newest}"
        return fail(_STORE, seen, "Run the version that wrote it, or a newer one.")
    if unfinished is not None:
        return half_filled(str(directory), unfinished)
    at = f"{directory}, schema version {found.version or found.newest}"
    if found.version < found.newest and found.version:
        at += f", which becomes {found.newest} at the next start"
    return ok(_STORE, f"{at}, served by process {found.owner}" if found.owner else at)


def check_disk(settings: Settings) -> Verdict:
    """Check that there is room for more messages."""
    if settings.directory is None:
        return skipped(_DISK, "the data is in a database" if settings.database else "the data is in memory")
    place = _first_that_exists(Path(settings.directory))
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return fail(_DISK, f"{place} cannot be looked at: {error.strerror}", _give(place))
    seen = f"{free // 1_048_576:,} MiB free at {place}"
    if free < _FREE_BYTES_MIN:
        return fail(_DISK, seen, "Free some space: when there is none, every post is refused.")
    if free < _FREE_BYTES_WANTED:
        return warn(_DISK, seen, "Free some space before it runs out.")
    return ok(_DISK, seen)


def _not_yet(directory: Path) -> Verdict:
    parent = _first_that_exists(directory)
    if not parent.is_dir():
        return fail(_STORE, f"{parent} is not a directory", _give(directory))
    if problem := _unwritable(parent):
        return fail(_STORE, f"{directory} cannot be made: {problem}", _give(directory))
    return ok(_STORE, f"{directory} will be made at the first start")


def _unwritable(directory: Path) -> str:
    """Return why no file can be made in a directory; empty if one can."""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _first_that_exists(path: Path) -> Path:
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _give(directory: Path) -> str:
    return f"Let user {os.getuid()} write to {directory}, or name another directory with the setting `store`."
