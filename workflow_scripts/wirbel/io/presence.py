"""Is the content of a file there, or only its name?

Data sets kept with git-annex, DataLad or Git LFS list files whose content was not fetched: links that lead nowhere, or
small text files in their place. A disk that is not mounted and a missing permission look much the same.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from wirbel.io.atomic import MACHINE_ERRORS

POINTERS = (b"/annex/objects/", b"version https://git-lfs.github.com/")
"""How the files begin that stand for content which was not fetched (git-annex, Git LFS)."""
LONGEST_POINTER_BYTES = 32 * 1024
"""Larger files are not looked into: git-annex takes nothing larger for a pointer."""
FETCH = "fetch it (`datalad get`, `git annex get` or `git lfs pull`) and run the same command again"
MOUNT = "mount the disk that holds it, or fetch it (`datalad get`, `git annex get`), and run the same command again"


def absence(path: str | Path) -> str:
    """Return why a file's content cannot be had, and the remedy; an empty text when it can.

    Folders, pipes, devices and links in a circle are not absent: they are no files at all, and stay so. Raises
    OSError where the machine is at fault.
    """
    name = os.path.basename(path)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return ""
        with open(path, "rb") as stream:
            small = status.st_size <= LONGEST_POINTER_BYTES
            beginning = stream.read(max(map(len, POINTERS))) if small else b""
    except PermissionError:
        return (
            f"{name} may not be read: give this user the permission, and run the same command again"
        )
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        if error.errno == errno.ELOOP:
            return ""
        return f"the content of {name} is not there: {MOUNT}"
    if beginning.startswith(POINTERS):
        return f"{name} only stands for content that was not fetched: {FETCH}"
    return ""
