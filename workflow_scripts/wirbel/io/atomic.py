"""Write files that are either complete or absent.

A file is written under a temporary name in its own folder, flushed to disk, and renamed. A process
killed at any moment leaves the old file, the new file, or a temporary file that `sweep_temporaries`
removes later. It never leaves half a file under the final name.
"""

from __future__ import annotations

import errno
import filecmp
import hashlib
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"
STALE_SECONDS = 2 * 24 * 3600
"""A temporary file of another machine counts as abandoned after this time, which is longer than any
job.
"""
LONGEST_NAME_BYTES = 255
"""The longest file name that common file systems allow."""
MACHINE_ERRORS = {
    errno.EIO,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ESTALE,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EROFS,
    errno.EFBIG,
    errno.ENOTCONN,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
    errno.EREMOTEIO,
    errno.ESHUTDOWN,
}
"""Error numbers that mean a fault of the machine or its file system, never of one scan's file."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    r"""Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    The temporary name ends with the final name, because some libraries choose the format by the
    suffix. Missing folders are created. The file is flushed to disk before the rename. If the block
    raises, the temporary file is removed and `path` is untouched.

    Parameters
    ----------
    path : str or Path
        The final path.

    Yields
    ------
    Path
        The path to write to.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "table.tsv") as temporary:
    ...     _ = temporary.write_text("a\tb\n")
    >>> [path.name for path in folder.iterdir()]
    ['table.tsv']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def scratch_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` for intermediate data; remove the file at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_together(folder: str | Path) -> Iterator[Path]:
    """Yield a new folder inside `folder`; if the block succeeds, move its files into `folder`, all at
    the end.

    A file whose content has not changed is left alone. If the block raises, nothing in `folder`
    changes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    new = _temporary(folder / "new")
    new.mkdir()
    try:
        yield new
        names = sorted(path.name for path in new.iterdir())
        for name in names:
            _flush(new / name)
        for name in names:
            if not _is_same(new / name, folder / name):
                os.replace(new / name, folder / name)
        _flush(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8 and with its line ends unchanged."""
    write_bytes(path, text.encode())


def write_text_if_changed(path: str | Path, text: str) -> bool:
    """Write `text` only if `path` holds something else; return True if it was written."""
    path = Path(path)
    if path.exists() and path.read_bytes() == text.encode():
        return False
    write_text(path, text)
    return True


def sha256_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sweep_temporaries(folder: str | Path) -> int:
    """Remove the temporary files and folders that killed processes left in `folder`; return their
    number.

    A file of this machine is removed once its process has ended. A file of another machine is
    removed after two days, measured with the file system's clock because machines' clocks differ.
    """
    removed = 0
    try:
        names = [name for name in os.listdir(folder) if name.startswith(TEMPORARY_PREFIX)]
    except FileNotFoundError:
        return 0
    for name in names:
        path = Path(folder) / name
        if _left_behind(path):
            _remove(path)
            removed += 1
    return removed


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_same(one: Path, other: Path) -> bool:
    """Return True if both are files with the same content."""
    return other.is_file() and not other.is_symlink() and filecmp.cmp(one, other, shallow=False)


def _temporary(path: Path) -> Path:
    """Return a new name beside `path` that holds machine and process; a long name keeps only its end."""
    host = socket.gethostname().replace("-", "_")
    owner = f"{TEMPORARY_PREFIX}{host}-{os.getpid()}-"
    mark = f"{owner}{uuid.uuid4().hex[:8]}-"
    room = LONGEST_NAME_BYTES - len(os.fsencode(mark))
    end = os.fsencode(path.name)[-room:].decode(errors="ignore")
    return path.parent / f"{mark}{end}"


def _left_behind(path: Path) -> bool:
    host, _, rest = path.name.removeprefix(TEMPORARY_PREFIX).partition("-")
    process = rest.partition("-")[0]
    if host == socket.gethostname().replace("-", "_") and process.isdigit():
        return not _is_alive(int(process))
    try:
        return _clock_of(path.parent) - path.stat().st_mtime > STALE_SECONDS
    except OSError:
        return False


def _clock_of(folder: Path) -> float:
    """Return the file system's current time: the time stamp of a file written to `folder` now."""
    with scratch_path(folder / "clock") as probe:
        probe.touch()
        return probe.stat().st_mtime


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flush(path: Path) -> None:
    """Flush a file or folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
