"""A whole store as a file: a line of JSON, blocks of parcels, and a digest over all of it.

The line names the format and its version, so ``head -1`` tells what a file is. Each block is the length of its
compressed bytes and their checksum (CRC-32), both of four bytes with the greatest first, then the bytes: parcels in
MessagePack, compressed by zlib. Behind a block of length 0 stands the SHA-256 of all that is before it.
"""

import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import IO, Any, Final

import msgspec

from sukkal.carrying.parcels import Beginning, Parcel
from sukkal.errors import StartupError

__all__ = ["VERSION", "Reading", "Writing"]

VERSION: Final = 1
_FORMAT: Final = "sukkal-store"
_BLOCK_BYTES: Final = 1_048_576
_BLOCK_BYTES_MAX: Final = 268_435_456
_LINE_BYTES_MAX: Final = 4_096
_LEVEL: Final = 6
_PARCELS: Final = msgspec.msgpack.Decoder(list[Parcel])
_NUMBER: Final = 4
_DIGEST: Final = 32


class Writing:
    """Writes parcels into a file that is open for writing."""

    def __init__(self, file: IO[bytes], *, written_by: str) -> None:
        self._file = file
        self._digest = sha256()
        self._parcels: list[bytes] = []
        self._bytes = 0
        self._encode = msgspec.msgpack.Encoder().encode
        head = {"format": _FORMAT, "version": VERSION, "compression": "zlib", "written_by": written_by}
        self._write(msgspec.json.encode(head) + b"\n")

    def add(self, parcel: Parcel) -> None:
        """Write a parcel, now or with the next ones."""
        text = self._encode(parcel)
        self._parcels.append(text)
        self._bytes += len(text)
        if self._bytes >= _BLOCK_BYTES:
            self._write_block()

    def finish(self) -> None:
        """Write what is left, and the end."""
        self._write_block()
        self._write(bytes(2 * _NUMBER))
        self._file.write(self._digest.digest())

    def _write_block(self) -> None:
        if not self._parcels:
            return
        # An array of what is encoded already: its head says how many there are.
        head = b"\xdd" + len(self._parcels).to_bytes(_NUMBER, "big")
        block = zlib.compress(b"".join((head, *self._parcels)), _LEVEL)
        self._parcels, self._bytes = [], 0
        self._write(len(block).to_bytes(_NUMBER, "big") + zlib.crc32(block).to_bytes(_NUMBER, "big") + block)

    def _write(self, what: bytes) -> None:
        self._digest.update(what)
        self._file.write(what)


class Reading:
    """Reads parcels from a file that is open for reading, and can go back to its beginning."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = ""

    def check(self) -> None:
        """Read all of it, and keep its digest. Raises ``StartupError`` for a damaged or a newer one."""
        for number, parcel in enumerate(self.parcels()):
            if (number == 0) != isinstance(parcel, Beginning):
                raise StartupError("The backup is damaged: its parts are not in their order.")
        self.digest = self._end.hex()

    def parcels(self) -> Iterator[Parcel]:
        """Yield all parcels, from the first."""
        self._file.seek(0)
        self._digest = sha256()
        self._read_head()
        while block := self._read_block():
            try:
                yield from _PARCELS.decode(_decompressed(block))
            except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise StartupError(f"The backup is damaged: a block cannot be read ({error}).") from error
        expected = self._digest.digest()
        self._end = self._file.read(_DIGEST)
        if self._end != expected or self._file.read(1):
            raise StartupError("The backup is damaged: its end does not fit to what is before.")

    def _read_head(self) -> None:
        line = self._file.readline(_LINE_BYTES_MAX)
        self._digest.update(line)
        try:
            head = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            head = {}
        version = head.get("version")
        if head.get("format") != _FORMAT or not isinstance(version, int):
            raise StartupError("This is no backup of Sukkal's, or its beginning is damaged.")
        if version > VERSION:
            wrote = str(head.get("written_by", "unknown"))[:40]
            raise StartupError(
                f"The backup has version {version} of the format; this version of Sukkal knows up to {VERSION}. "
                f"Restore it with the one that wrote it ({wrote}), or a newer one."
            )

    def _read_block(self) -> bytes:
        head = self._read(2 * _NUMBER)
        length, checksum = int.from_bytes(head[:_NUMBER], "big"), int.from_bytes(head[_NUMBER:], "big")
        if length > _BLOCK_BYTES_MAX:
            raise StartupError("The backup is damaged: a block is too long.")
        block = self._read(length)
        if zlib.crc32(block) != checksum:
            raise StartupError("The backup is damaged: the checksum of a block is wrong.")
        return block

    def _read(self, length: int) -> bytes:
        found = self._file.read(length)
        if len(found) != length:
            raise StartupError("The backup is cut off: not all of it is there.")
        self._digest.update(found)
        return found


def _decompressed(block: bytes) -> bytes:
    decompressing = zlib.decompressobj()
    text = decompressing.decompress(block, _BLOCK_BYTES_MAX)
    if not decompressing.eof or decompressing.unused_data:
        raise zlib.error("it is too long, or not whole")
    return text
