"""Find files with the same content under several names, reading as little as possible."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.io.dataset.folder_content import content_digest

SAMPLE_BYTES = 4096
TRAILER_BYTES = 8
"""The end of a gzip file is a checksum of its content."""
THREADS = 8
"""Files read at once, because a network file system answers slowly."""


class SizedFile(NamedTuple):
    """A file or folder, and its size in bytes."""

    path: str
    size: int


def same_content(files: Iterable[SizedFile]) -> list[list[str]]:
    """Return groups of paths with the same content, each sorted, sorted by their first path.

    Only files of equal size are opened; only those whose middle and end are equal too are read.
    Files that cannot be read, and empty ones, are in no group.

    Raises
    ------
    OSError
        If the machine or its file system is at fault.
    """
    filled = [(one.path, one.size) for one in files if one.size > 0]
    with ThreadPoolExecutor(THREADS) as pool:
        groups = _parted([filled], lambda one: one[1], map)
        groups = _parted(groups, lambda one: _sample(*one), pool.map)
        groups = _parted(groups, lambda one: _digest(one[0]), pool.map)
    return sorted(sorted(path for path, _ in group) for group in groups)


Group = list[tuple[str, int]]


def _parted(
    groups: list[Group], key: Callable[[tuple[str, int]], Hashable], mapped: Callable
) -> list[Group]:
    """Return the groups parted by a key, without those of one member and members whose key is None."""
    members = [(number, one) for number, group in enumerate(groups) for one in group]
    found: dict[Hashable, Group] = {}
    for (number, one), value in zip(members, mapped(key, [m for _, m in members]), strict=True):
        if value is not None:
            found.setdefault((number, value), []).append(one)
    return [group for group in found.values() if len(group) > 1]


def _sample(path: str, size: int) -> Hashable:
    """Return some bytes of the middle and of the end of a file; for a folder its size has to do."""
    try:
        if os.path.isdir(path):
            return b""
        with open(path, "rb") as stream:
            stream.seek(size // 2)
            middle = stream.read(SAMPLE_BYTES)
            stream.seek(max(0, size - TRAILER_BYTES))
            return middle, stream.read(TRAILER_BYTES)
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        return None


def _digest(path: str) -> str | None:
    try:
        return content_digest(path)
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        return None
