"""What a process spends, and how much of that inside networks; for both tools, in either environment."""

from __future__ import annotations

import json
import resource
import threading
import time
from pathlib import Path


class NetworkClock:
    """Adds up CPU and wall seconds of the outermost calls of torch modules, over all threads."""

    def __init__(self) -> None:
        self.cpu_s = self.wall_s = 0.0
        self._here, self._lock = threading.local(), threading.Lock()

    def install(self) -> None:
        """Watch every module from now on."""
        import torch

        own = torch.nn.Module.__call__

        def called(module, *args, **kwargs):
            if getattr(self._here, "inside", False):
                return own(module, *args, **kwargs)
            self._here.inside = True
            cpu, wall = time.thread_time(), time.perf_counter()
            try:
                return own(module, *args, **kwargs)
            finally:
                self._here.inside = False
                self._add(time.thread_time() - cpu, time.perf_counter() - wall)

        torch.nn.Module.__call__ = called

    def _add(self, cpu_s: float, wall_s: float) -> None:
        with self._lock:
            self.cpu_s += cpu_s
            self.wall_s += wall_s


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and its finished children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def peak_mb() -> float:
    """Return the largest resident size of this process, in MB.

    `getrusage` would give that of the process which started it, if it was larger.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def write_account(path: Path, clock: NetworkClock, **more: object) -> None:
    """Write what the process has spent as JSON."""
    account = {
        "cpu_s": cpu_seconds(),
        "network_cpu_s": clock.cpu_s,
        "network_wall_s": clock.wall_s,
        "peak_mb": peak_mb(),
    }
    path.write_text(json.dumps(account | more))
