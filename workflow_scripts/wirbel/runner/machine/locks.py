"""Locks that end with their holder: the kernel releases them however the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_SECONDS = 0.5
STALLED_SECONDS = 1800.0
"""Another writer of a batch counts as stuck after half an hour without a finished scan."""


class FileLock:
    """An advisory lock on a file, held until `release` or the end of the process; children do not
    inherit it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, wait_seconds: float = 0.0, say: Callable[[str], None] | None = None) -> bool:
        """Try to get the lock for `wait_seconds`; return True if this process holds it now.

        `say` is called once with the current holder of the lock.
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
        """Try to get the lock now; a lock on a file that its last holder removed does not count."""
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
        if self._descriptor is None:
            raise RuntimeError(f"{self._path} is noted by a process that does not hold it")
        os.pwrite(self._descriptor, line.encode(), 0)
        os.ftruncate(self._descriptor, len(line.encode()))
        os.fsync(self._descriptor)

    def holder(self) -> str:
        """Return the name that was last written into the lock file."""
        try:
            return self._path.read_text().strip() or "an unknown process"
        except OSError:
            return "an unknown process"

    def release(self, *, remove: bool = False) -> None:
        """Release the lock, and remove the file if `remove` is set; harmless if the lock is not held."""
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

    A job orphaned by a killed workflow continues to compute. Its successor waits here as long as
    the holder's note (or `evidence`, a file or folder) keeps changing, and then finds the scans
    done. If the holder seems stuck, or the file system has no locks, both continue: two writers of
    a batch are safe, only wasteful. Times are this machine's own; other machines' clocks play no
    part.
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
    """Replace `FileLock.note` if another process holds the lock."""


def is_locked(path: Path) -> bool:
    """Return True if another process holds the lock on an existing file; leave the file unchanged."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Return True if the open file is the one that is at `path` now."""
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
