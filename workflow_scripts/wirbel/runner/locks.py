"""Locks that die with their holder: the kernel lets go of them however the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_SECONDS = 0.5
STALLED_SECONDS = 1800.0
"""After half an hour without a finished scan another writer of a batch counts as stuck."""


class FileLock:
    """An advisory lock on a file, held until `release` or the process's end; children do not inherit it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, wait_seconds: float = 0.0, say: Callable[[str], None] | None = None) -> bool:
        """Try to get the lock for `wait_seconds`; return whether this process holds it now.

        `say` is told, once, for whom it waits.
        """
        if self._descriptor is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + wait_seconds
        while not self._try():
            if time.monotonic() >= deadline:
                return False
            if say is not None:
                say(f"waiting for {self.holder()}, which works on {self._path.parent}")
                say = None
            time.sleep(POLL_SECONDS)
        self.note("")
        return True

    def _try(self) -> bool:
        """Try to get the lock now; one on a file that its last holder has removed is none."""
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            if not _try_lock(descriptor):
                os.close(descriptor)
                return False
            if _is_at(self._path, descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)

    def note(self, text: str) -> None:
        """Write who holds the lock, and `text`, into its file."""
        line = f"{whoami()} ({text})\n" if text else f"{whoami()}\n"
        os.pwrite(self._descriptor, line.encode(), 0)
        os.ftruncate(self._descriptor, len(line.encode()))
        os.fsync(self._descriptor)

    def holder(self) -> str:
        """Return who wrote their name into the lock file last."""
        try:
            return self._path.read_text().strip() or "an unknown process"
        except OSError:
            return "an unknown process"

    def release(self, *, remove: bool = False) -> None:
        """Let go, and remove the file if so wished; harmless when not held."""
        if self._descriptor is not None:
            if remove:
                with suppress(OSError):  # the next holder takes the file as it is
                    self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = None


def whoami() -> str:
    """Return this process's number and machine, for people."""
    return f"process {os.getpid()} on {os.uname().nodename}"


@contextmanager
def sole_writer(
    path: Path, evidence: Path | None, say: Callable[[str], None]
) -> Iterator[Callable[[str], None]]:
    """Hold the lock at `path`; yield a function that notes progress in it.

    A job orphaned by a killed workflow goes on computing; its successor waits here, as long as the
    holder's note (or `evidence`, a file or folder) keeps changing, and then finds the scans done. When the
    holder seems stuck, or where the file system knows no locks, both go on: two writers of a batch are safe,
    only wasteful. Times are this machine's own; other machines' clocks play no part.
    """
    lock = FileLock(path)
    seen, since, told = None, time.monotonic(), False
    while not (held := lock.acquire()):
        if not told:
            say(f"waiting for {lock.holder()}, which works on the same batch")
            told = True
        stamp = evidence.stat().st_mtime_ns if evidence and evidence.exists() else None
        if (lock.holder(), stamp) != seen:
            seen, since = (lock.holder(), stamp), time.monotonic()
        if time.monotonic() - since > STALLED_SECONDS:
            say("it has not finished a scan for half an hour; going on beside it")
            break
        time.sleep(POLL_SECONDS)
    try:
        yield lock.note if held else _no_note
    finally:
        lock.release(remove=True)


def _no_note(text: str) -> None:
    """Stand in for `FileLock.note` where the lock is somebody else's."""


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock on an existing file; leaves the file as it is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that is at `path` now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: two writers are safe, only wasteful
    return True
