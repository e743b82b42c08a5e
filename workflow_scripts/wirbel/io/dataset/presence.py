"""Tell whether a file's content is there, or only its name.

Data sets kept with git-annex, DataLad or Git LFS also list files whose content was not fetched, as
dangling links or as small text files. An unmounted disk or a missing permission looks much the
same.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.io.dataset.several_paths import parted_paths

POINTERS = (b"/annex/objects/", b"version https://git-lfs.github.com/")
"""First bytes of files that stand for content which was not fetched (git-annex, Git LFS)."""
LONGEST_POINTER_BYTES = 32 * 1024
"""Larger files are not pointers: git-annex treats nothing larger as one."""
FETCH = "fetch it (`datalad get`, `git annex get` or `git lfs pull`) and run the same command again"
MOUNT = "mount the disk that holds it, or fetch it (`datalad get`, `git annex get`), and run the same command again"


def absence(path: str | Path) -> str:
    """Return why a file's content is missing and what to do, or "" if it is there.

    Of several paths (`wirbel.io.dataset.several_paths`) one has to be there. Folders, pipes, devices
    and circular links also give "": they are not files, and other checks refuse them.

    Raises
    ------
    OSError
        If the machine or its file system is at fault.
    """
    told = [_absence(part) for part in parted_paths(path)]
    return "" if not all(told) else told[0]


def _absence(path: Path) -> str:
    name = os.path.basename(path)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return ""
        with open(path, "rb") as stream:
            small = status.st_size <= LONGEST_POINTER_BYTES
            beginning = stream.read(max(map(len, POINTERS))) if small else b""
    except PermissionError:
        return f"{name} cannot be read by this user: change its permissions and run the same command again"
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        if error.errno == errno.ELOOP:
            return ""
        return f"the content of {name} is not there: {MOUNT}"
    if beginning.startswith(POINTERS):
        return f"{name} is a pointer to content that was not fetched: {FETCH}"
    return ""
