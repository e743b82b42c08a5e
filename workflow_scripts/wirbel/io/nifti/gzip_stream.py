"""Unpack a gzip file as a stream whose time and memory its size bounds.

Python's own `gzip` unpacks as many empty members as a file holds: millions in a file of some megabytes, for minutes.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

from wirbel.errors import ScanError
from wirbel.io.nifti.file_kinds import file_name

PIECE_BYTES = 1 << 16
GZIP_WINDOW = 31
"""zlib's window bits for one gzip member with its header and checksums (zlib.h, inflateInit2)."""
MEANT_BY_ZLIB = {
    "incorrect data check": "CRC check failed",
    "incorrect header check": "bytes that are not gzipped follow the compressed content",
}
FREE_MEMBERS = 1000
LEAST_MEMBER_BYTES = 1 << 10
"""Members that a file may have: so many, and one for each KiB unpacked. gzip and pigz write one, bgzip one for every
64 KiB.
"""


def open_gzip(path: str | Path) -> BinaryIO:
    """Open a gzip file for reading, unpacked; every member's checksum is checked.

    Reading raises zlib.error or EOFError where the content is corrupted or truncated, and ScanError "unreadable" where
    it is parted into far too many members.
    """
    return cast(BinaryIO, io.BufferedReader(_Members(path), PIECE_BYTES))


class _Members(io.RawIOBase):
    def __init__(self, path: str | Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 (closed with the stream)
        self._name = file_name(path)
        self._unpacker = zlib.decompressobj(GZIP_WINDOW)
        self._packed = b""
        self._members, self._unpacked = 1, 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._unpacker.eof and not self._next_member():
                return 0
            if not self._packed and not self._fill():
                raise EOFError("it ends before the end of its compressed content")
            piece = self._unpack(len(buffer))
            self._packed = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            if piece:
                buffer[: len(piece)] = piece
                self._unpacked += len(piece)
                return len(piece)

    def _unpack(self, most: int) -> bytes:
        try:
            return self._unpacker.decompress(self._packed, most)
        except zlib.error as error:
            found = str(error).rpartition(": ")[2]
            raise zlib.error(MEANT_BY_ZLIB.get(found, found)) from None

    def _fill(self) -> bool:
        self._packed = self._file.read(PIECE_BYTES)
        return bool(self._packed)

    def _next_member(self) -> bool:
        """Begin the next member, if there is one; zeros may come before it, as tapes leave them."""
        while not (rest := self._packed.lstrip(b"\0")):
            if not self._fill():
                return False
        self._packed = rest
        self._members += 1
        if self._members > FREE_MEMBERS + self._unpacked // LEAST_MEMBER_BYTES:
            raise ScanError(
                "unreadable",
                f"{self._name}: expected one gzip member, found more than {self._members - 1:,} with "
                f"{self._unpacked:,} bytes in all; unpack it and compress it again",
            )
        self._unpacker = zlib.decompressobj(GZIP_WINDOW)
        return True
