"""Files that are either whole or absent.

A file is written under a temporary name in its own folder, flushed to the disk, and renamed. A
process killed at any moment leaves the old file, the new file, or a temporary one that
`sweep_temporaries` removes later; never half a file under the final name.
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
"""Age after which another machine's temporary file counts as left behind: longer than any job."""
LONGEST_NAME_BYTES = 255
"""What file systems allow for one name."""
MACHINE_ERRORS = {
    errno.EIO,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ESTALE,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EROFS,
}
"""Error numbers that speak of the machine or the file system, never of one scan's file."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is flushed and renamed to `path`.

    The temporary name ends with the final name, so that libraries which look at the suffix are
    content. Missing folders are made. On any exception the temporary file is removed.
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
    """Yield a temporary path beside `path` for intermediate data; the file is removed at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_together(folder: str | Path) -> Iterator[Path]:
    """Yield a new folder inside `folder`; on success its files replace those of the same names, all at the end.

    On any exception nothing in `folder` changes. A file whose content is the same is left as it is.
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
    """Write `text` (UTF-8, line ends as given) to `path` atomically."""
    write_bytes(path, text.encode())


def write_text_if_changed(path: str | Path, text: str) -> bool:
    """Write `text` only when `path` does not hold it already; return whether it was written."""
    path = Path(path)
    if path.exists() and path.read_bytes() == text.encode():
        return False
    write_text(path, text)
    return True


def sha256_of_file(path: str | Path) -> str:
    """Return the hexadecimal SHA-256 of a file's content."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sweep_temporaries(folder: str | Path) -> int:
    """Remove temporary files and folders that a killed process left in `folder`; return how many.

    Those of this machine go when their process is gone, those of other machines after two days, by the
    clock of the file system, so that machines' clocks may differ.
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
    """Whether both are files with the same content."""
    return other.is_file() and not other.is_symlink() and filecmp.cmp(one, other, shallow=False)


def _temporary(path: Path) -> Path:
    """Return a new name beside `path` that tells machine and process; of a long name only the end is kept."""
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
    """Return the time that the file system gives to a file written to `folder` now."""
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
    """Push a file's (or folder's) content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
