"""This process: SIGTERM as an exception so that writes finish, orphaned workers, resources used."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TERMINATED = 143
"""Exit code after SIGTERM, as shells report it: 128 + 15."""

BEGAN = time.monotonic()
RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
STAT_START_FIELD = 19
"""Position of the field `starttime` in /proc/self/stat, counted from the field after the command's
name.
"""


class Terminated(BaseException):
    """SIGTERM arrived."""


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Raise Terminated in the main thread when SIGTERM arrives."""

    def stop(*_: object) -> None:
        raise Terminated

    try:
        old = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread, where no signal can be caught
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)


def end_with(parent: int) -> None:
    """End this worker process if its parent is killed; otherwise it would wait for work forever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@dataclass(frozen=True)
class Usage:
    """Wall-clock and processor seconds; memory is the largest resident size of this process or a
    child.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    max_memory_mb: float = 0.0


def usage() -> Usage:
    """Return what this process and its ended children have used."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Usage(
        _age_seconds(),
        sum(used.ru_utime + used.ru_stime for used in both),
        max(_largest_mb(), both[1].ru_maxrss * RSS_UNIT_BYTES / 2**20),
    )


def _largest_mb() -> float:
    """Return the largest resident size of this process; getrusage would give that of the process which started it, if
    it was larger.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT_BYTES / 2**20


_told = Usage()


def used_lately() -> Usage:
    """Return what this process has used since this was last asked, or since its start.

    Several stages may run one after another in a process. Memory is the largest since its start.
    """
    global _told
    now, before = usage(), _told
    _told = now
    return Usage(
        now.seconds - before.seconds, now.cpu_seconds - before.cpu_seconds, now.max_memory_mb
    )


def _age_seconds() -> float:
    """Return the time since this process started, imports included if the system tells."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[STAT_START_FIELD]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, AttributeError):
        return time.monotonic() - BEGAN
