"""``sukkal migrate``, ``backup`` and ``restore``: whole stores from one place to another."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Final

from sukkal import __version__
from sukkal.app import carrying as stores
from sukkal.carrying.arriving import Progress
from sukkal.carrying.backup import back_up, restore
from sukkal.carrying.file import Reading
from sukkal.carrying.migration import migrate
from sukkal.cli.arguments import Command
from sukkal.cli.codes import DONE
from sukkal.clock import Clock, elapsed_s
from sukkal.errors import SettingsError, StartupError, SukkalError
from sukkal.limits import PAGE_MAX
from sukkal.model import RecordKey
from sukkal.pools.definitions import POOLS, pool_key
from sukkal.whole import Source

__all__ = ["run"]

_EVERY_S: Final = 1.0
_AGAIN: Final = "The same command goes on from there."


def run(command: Command) -> int:
    """Do what is asked, say how far it is on standard error, and return the exit code."""
    options = command.options
    match command.name:
        case "migrate":
            progress = _ended(lambda: asyncio.run(_migrate(options["source"], options["target"])), _AGAIN)
            print(f"{_ending(progress)}: {_figures(progress)}.")
        case "restore":
            progress = _ended(lambda: _restore(Path(options["file"]), _store(options["store"])), _AGAIN)
            print(f"{_ending(progress)}: {_figures(progress)}.")
        case _:
            progress = _ended(lambda: _back_up(_store(options["store"]), Path(options["file"])), "No file was made.")
            print(f"{options['file']} has {_figures(progress)}.")
    return DONE


async def _migrate(source_uri: str, target_uri: str) -> Progress:
    origin = stores.name_of(source_uri)
    if origin == stores.name_of(target_uri):
        raise SettingsError("--from and --to name the same store.")
    async with stores.source(source_uri) as source, stores.target(target_uri) as target:
        return await migrate(source, target, origin, now_ms=Clock()(), tell=_Teller())


def _back_up(uri: str, path: Path) -> Progress:
    folder = path.absolute().parent
    partial = folder / f".{path.name}.partial"
    if path.exists():
        raise StartupError(f"{path} is there already. Name a file that is not.")
    try:
        # What is in a store is nobody else's business.
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            written = asyncio.run(_write(uri, folder, file))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        _sync(folder)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return written


async def _write(uri: str, folder: Path, file: IO[bytes]) -> Progress:
    async with stores.picture(uri, folder) as source:
        written = await back_up(source, file, written_by=__version__, now_ms=Clock()(), tell=_Teller())
        await _tell_of_pools(source)
        return written


async def _tell_of_pools(source: Source) -> None:
    """Say on standard error that pools keep queues too, lest somebody takes the file for all there is."""
    names = [name async for name in _pools(source)]
    if names:
        print(
            f"Not in it is what these pools keep: {', '.join(names)}. Back up each of them too, "
            "with its URI as --store; `sukkal pool list` shows it.",
            file=sys.stderr,
        )


async def _pools(source: Source) -> AsyncIterator[str]:
    after: RecordKey | None = pool_key("")
    while after is not None:
        records = await source.all_records(after, limit=PAGE_MAX, now_ms=Clock()())
        of_pools = [record.key for record in records if record.key.kind == POOLS]
        for key in of_pools:
            yield key.name
        after = of_pools[-1] if len(of_pools) == PAGE_MAX else None


def _restore(path: Path, uri: str) -> Progress:
    try:
        opened = path.open("rb")
    except OSError as error:
        raise StartupError(f"Cannot read {path}: {error.strerror}.") from error
    with opened as file:
        reading = Reading(file)
        reading.check()  # before a store is made
        return asyncio.run(_read(reading, uri))


async def _read(reading: Reading, uri: str) -> Progress:
    async with stores.target(uri) as target:
        return await restore(reading, target, now_ms=Clock()(), tell=_Teller())


def _ended(work: Callable[[], Progress], then: str) -> Progress:
    """Return what work comes to; what ends it is told with what to do then."""
    try:
        return work()
    except StartupError:
        raise
    except ExceptionGroup as errors:
        raise StartupError(f"It was broken off: {errors.exceptions[0]} {then}") from errors
    except (SukkalError, OSError) as error:
        raise StartupError(f"It was broken off: {error} {then}") from error
    except KeyboardInterrupt:
        raise StartupError(f"It was broken off. {then}") from None


def _store(given: str | None) -> str:
    uri = given or os.environ.get("SUKKAL_STORE", "")
    if not uri:
        raise SettingsError("Which store? Name it with --store, or in SUKKAL_STORE.")
    return uri


def _sync(folder: Path) -> None:
    """Have the name of a new file on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class _Teller:
    """Shows on standard error how far it is, once a second."""

    def __init__(self) -> None:
        self._told_s = elapsed_s()
        self._compares = False

    def __call__(self, progress: Progress, compares: bool = False) -> None:
        if elapsed_s() - self._told_s >= _EVERY_S or compares != self._compares:
            self._told_s, self._compares = elapsed_s(), compares
            at = f", at {progress.queue.project}/{progress.queue.name}" if progress.queue and not compares else ""
            print(f"{_figures(progress)}{at}{'; comparing' if compares else ''} ...", file=sys.stderr)


def _ending(progress: Progress) -> str:
    if progress.earlier:
        return "All had arrived before, and nothing was done"
    return "All has arrived and is the same"


def _figures(progress: Progress) -> str:
    counts = {"queue": progress.queues, "message": progress.messages, "control record": progress.records}
    return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counts.items())
