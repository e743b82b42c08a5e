"""The content of a file, of all files in a folder, or of several such: size, time stamp and SHA-256."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from wirbel.io.atomic import MACHINE_ERRORS, sha256_of_file
from wirbel.io.dataset.several_paths import parted_paths

MOST_FILES = 100_000
"""A folder with more files is not one scan's: further ones are not looked at."""


def files_below(folder: str | Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (path relative to the folder, status) of all regular files below it, sorted.

    Links to files are followed, links to folders are not, so that circles do no harm. Hidden files
    are left out.
    """
    number = 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            status = _status(os.path.join(place, name))
            if name.startswith(".") or status is None or not stat.S_ISREG(status.st_mode):
                continue
            number += 1
            if number > MOST_FILES:
                return
            yield os.path.relpath(os.path.join(place, name), folder), status


def content_stamp(path: str | Path) -> tuple[int, int]:
    """Return size in bytes and latest time stamp (ns); (-1, 0) where nothing is there.

    Of a folder, and of several paths (`wirbel.io.dataset.several_paths`): the sum of the sizes, and
    the latest time stamp of the files.
    """
    parts = parted_paths(path)
    found = [stamp for stamp in map(_stamp, parts) if stamp[0] >= 0]
    if not found:
        return -1, 0
    return sum(size for size, _ in found), max(time for _, time in found)


def _stamp(path: Path) -> tuple[int, int]:
    status = _status(path)
    if status is None:
        return -1, 0
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size, status.st_mtime_ns
    below = [status for _, status in files_below(path)]
    return sum(s.st_size for s in below), max((s.st_mtime_ns for s in below), default=0)


def content_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of all files in a folder; of several
    paths, that of theirs.

    Raises
    ------
    OSError
        If something cannot be read.
    """
    parts = parted_paths(path)
    if len(parts) == 1:
        return _digest_of_folder(parts[0]) if parts[0].is_dir() else sha256_of_file(parts[0])
    told = "".join(f"{content_digest(part)}\n" for part in parts if part.exists())
    return hashlib.sha256(told.encode()).hexdigest()


def is_there(path: str | Path) -> bool:
    """Return True if the path, or one of several, leads to a file or a folder."""
    return any(part.is_file() or part.is_dir() for part in parted_paths(path))


def _digest_of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for name, _ in files_below(folder):
        told = f"{name}\0{sha256_of_file(folder / name)}\n"
        digest.update(told.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _status(path: str | Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        return None
