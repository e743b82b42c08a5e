"""Go through the files of a delivery: a folder, a file, or a zip or tar archive, never unpacked to disk.

What an archive claims is not believed: sizes and numbers of files are limited before anything is
decompressed, and an archive that cannot be read says what it is. Names of files are used for nothing.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from wirbel.errors import ScanError
from wirbel.ingest.archive_faults import check_number, check_sizes, encrypted, explained, hollow
from wirbel.ingest.archive_kinds import HEAD_BYTES, NESTED, kind_of
from wirbel.io.dataset.folder_content import files_below

PIECE_BYTES = 1024**2
ENCRYPTED_FLAG = 0x1
"""In a zip member's general purpose flags (PKWARE's APPNOTE.TXT, 4.4.4)."""


class Member(NamedTuple):
    """A file of a delivery, open while it is looked at.

    `place` counts the files of the delivery; the same delivery gives the same places.
    """

    place: int
    size: int
    head: bytes
    stream: IO[bytes]

    def read(self, number: int) -> bytes:
        """Return the next bytes; raises ScanError "archive_damaged"."""
        with explained():
            return self.stream.read(number)

    def copy(self, target: Path) -> None:
        """Write what has not been read yet to a file; raises ScanError "archive_damaged"."""
        with open(target, "wb") as stream:
            while piece := self.read(PIECE_BYTES):
                stream.write(piece)


def parts(path: Path) -> list[tuple[Path, ...]]:
    """Return what can be damaged apart from the rest: each archive, and the other files together.

    Parameters
    ----------
    path : Path
        A folder, an archive, or a single file.

    Raises
    ------
    ScanError
        "content_missing" if there is nothing.
    """
    if not os.path.lexists(path):
        raise ScanError("content_missing", "the delivery is not there: mount its disk or copy it")
    if not path.is_dir():
        return [(path,)]
    files = [path / name for name, _ in files_below(path)]
    archives = [file for file in files if kind_of(_head(file))]
    others = tuple(file for file in files if file not in set(archives))
    return [*((archive,) for archive in archives), *([others] if others else [])]


def members(files: Iterable[Path]) -> Generator[Member, None, None]:
    """Yield the files of a part, in a fixed order; a member's stream is open until the next one.

    Parameters
    ----------
    files : iterable of Path
        An archive, or other files (`parts`).

    Raises
    ------
    ScanError
        "archive_encrypted", "archive_damaged", "archive_bomb", "archive_nested", "unreadable".
    OSError
        If the machine or its file system is at fault.
    """
    place, files = 0, list(files)
    if len(files) == 1 and not any(_head(files[0])):
        raise hollow()
    for file in files:
        for member in _members_of_file(file):
            yield member._replace(place=place)
            place += 1


def _head(path: Path) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(HEAD_BYTES)


def _members_of_file(path: Path) -> Iterator[Member]:
    with open(path, "rb") as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        kind = kind_of(head)
        if kind == "zip":
            yield from _checked(_zip_members(stream), "zip")
        elif kind == "tar":
            yield from _checked(_tar_members(stream), "tar")
        elif kind:
            raise ScanError("unreadable", f"the delivery is {kind}: expected zip, tar or a folder")
        else:
            yield Member(0, os.fstat(stream.fileno()).st_size, head, stream)


def _checked(found: Iterator[Member], kind: str) -> Iterator[Member]:
    """Yield an archive's members; say so where it holds nothing but archives."""
    nested = others = 0
    while True:
        with explained():
            member = next(found, None)
        if member is None:
            break
        if kind_of(member.head) in NESTED:
            nested += 1
            continue
        others += 1
        yield member
    if nested and not others:
        raise ScanError(
            "archive_nested",
            f"the {kind} archive holds nothing but {nested} archives: unpack the outer one",
        )


def _zip_members(stream: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(stream) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        check_number(len(entries))
        check_sizes(sum(e.file_size for e in entries), sum(e.compress_size for e in entries))
        if any(entry.flag_bits & ENCRYPTED_FLAG for entry in entries):
            raise encrypted()
        for entry in entries:
            with archive.open(entry) as opened:
                head = opened.read(HEAD_BYTES)
                opened.seek(0)
                yield Member(0, entry.file_size, head, opened)


def _tar_members(stream: IO[bytes]) -> Iterator[Member]:
    packed = os.fstat(stream.fileno()).st_size
    total = 0
    with tarfile.open(fileobj=stream, mode="r:*") as archive:
        for number, entry in enumerate(archive):
            check_number(number + 1)
            if not entry.isreg():
                continue
            total += entry.size
            check_sizes(total, packed)
            opened = archive.extractfile(entry)
            if opened is None:
                continue
            head = opened.read(HEAD_BYTES)
            if len(head) < min(HEAD_BYTES, entry.size):
                raise tarfile.ReadError("a member ends early")
            opened.seek(0)
            yield Member(0, entry.size, head, opened)
