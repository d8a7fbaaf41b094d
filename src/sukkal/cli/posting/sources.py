"""Where the bodies come from that are posted: files and standard input."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from sukkal.cli.values import body
from sukkal.errors import SettingsError

__all__ = ["FORMATS", "Piece", "Source", "sources"]

FORMATS: Final = ("auto", "text", "ndjson", "json")
STDIN: Final = "-"

_LINE_BYTES_MAX: Final = 64 * 1_048_576
_LULL_S: Final = 0.05


class Piece(NamedTuple):
    """A body, and how many bytes of the source it took. ``lull`` instead says that nothing more has come so far."""

    body: Any = None
    size: int = 0
    lull: bool = False


class Source:
    """A file, or standard input as ``-``, and how it is to be read."""

    def __init__(self, name: str, form: str) -> None:
        self.name = name
        self._form = "json" if form == "auto" and name.endswith(".json") else form
        try:
            status = os.fstat(sys.stdin.fileno()) if name == STDIN else Path(name).stat()
            if stat.S_ISREG(status.st_mode):  # Opening a pipe would already be its one reading.
                self._open().close()
        except OSError as error:
            raise SettingsError(f"The file {name} cannot be read: {error.strerror}") from error
        self.is_file = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self.is_file else None

    async def pieces(self) -> AsyncIterator[Piece]:
        """Yield the bodies. Raises ``SettingsError`` for what cannot be read."""
        if self._form == "json":
            for piece in self._documents([line async for line in self._lines()]):
                yield piece
            return
        number = 0
        async for line in self._lines():
            if line is None:
                yield Piece(lull=True)
                continue
            number += 1
            text = self._text(line, number).removesuffix("\n").removesuffix("\r")
            if text.strip() or self._form == "text":
                yield Piece(self._body(text, number), len(line))

    def _open(self) -> BinaryIO:
        if self.name == STDIN:
            return open(sys.stdin.fileno(), "rb", closefd=False)
        return open(self.name, "rb")

    async def _lines(self) -> AsyncIterator[bytes | None]:
        """Yield the lines, and ``None`` when no other has come for a moment."""
        with self._open() as file:
            if self.is_file:
                for line in file:
                    yield line
            else:
                async for each in self._as_they_come(file):
                    yield each

    async def _as_they_come(self, file: BinaryIO) -> AsyncIterator[bytes | None]:
        # Reading that blocks would not hear Ctrl-C.
        reader = asyncio.StreamReader(limit=_LINE_BYTES_MAX)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
        try:
            while True:
                reading = asyncio.ensure_future(reader.readline())
                try:
                    await asyncio.wait((reading,), timeout=_LULL_S)
                    if not reading.done():
                        yield None
                    line = await reading
                except ValueError:
                    raise SettingsError(f"{self.name} has a line of more than {_LINE_BYTES_MAX} bytes.") from None
                finally:
                    reading.cancel()
                if not line:
                    return
                yield line
        finally:
            transport.close()

    def _documents(self, lines: Sequence[bytes | None]) -> list[Piece]:
        text = b"".join(line for line in lines if line is not None)
        try:
            document = json.loads(text)
        except ValueError as error:
            raise SettingsError(f"{self.name} is no JSON: {error}") from None
        found = document if isinstance(document, list) else [document]
        share = len(text) // max(len(found), 1)
        return [Piece(each, share) for each in found]

    def _text(self, line: bytes, number: int) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            raise SettingsError(f"Line {number} of {self.name} is not UTF-8.") from None

    def _body(self, text: str, number: int) -> Any:
        if self._form != "ndjson":
            return body(text, plain=self._form == "text")
        try:
            return json.loads(text)
        except ValueError as error:
            raise SettingsError(f"Line {number} of {self.name} is no JSON: {error}") from None


def sources(names: Sequence[str], form: str) -> list[Source]:
    """Open all sources, so that a wrong name is told before anything is posted. None is standard input."""
    return [Source(name, form) for name in names or [STDIN]]
