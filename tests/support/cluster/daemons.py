"""Programs that run in the foreground as children of this process, and end with it."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
START_SECONDS = 60
_STARTER = ThreadPoolExecutor(1)
"""The thread that starts daemons. They end with the thread that started them, and a timer's ends at once."""


class Daemons:
    """Named children with one environment; what they print goes to `root`/log/NAME.out."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root, self.environment = root, environment
        self._daemons: dict[str, subprocess.Popen] = {}

    def started(self, name: str) -> bool:
        """Whether a daemon was started and not ended since."""
        return name in self._daemons

    def spawn(self, name: str, *command: str, **more: str) -> None:
        """Start a daemon; `more` are variables of its environment."""
        variables = {**self.environment, **more}
        self._daemons[name] = _STARTER.submit(self._start, name, command, variables).result()

    def _start(
        self, name: str, command: tuple[str, ...], variables: dict[str, str]
    ) -> subprocess.Popen:
        with open(self.root / "log" / f"{name}.out", "ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=variables,
                cwd=self.root,
                preexec_fn=_die_with_parent,
            )

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """Stop a daemon, if it was started."""
        daemon = self._daemons.pop(name, None)
        if daemon is None:
            return
        daemon.send_signal(number)
        try:
            daemon.wait(15)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def wait_until(self, what: str, ready: Callable[[], bool], *needed: str) -> None:
        """Wait for something; raises RuntimeError with what the daemons said when one of `needed`, or any, ends."""
        end = time.monotonic() + START_SECONDS
        while not ready():
            daemons = [(name, self._daemons.get(name)) for name in needed or list(self._daemons)]
            dead = [name for name, daemon in daemons if daemon and daemon.poll() is not None]
            if dead:
                raise RuntimeError(f"{', '.join(dead)} ended; {self._said()}")
            if time.monotonic() > end:
                raise RuntimeError(f"no {what} for {START_SECONDS} s; {self._said()}")
            time.sleep(0.1)

    def _said(self) -> str:
        logs = sorted((self.root / "log").glob("*.out"))
        said = "\n".join(f"{log.stem}: {log.read_text()[-500:]}" for log in logs)
        return f"the logs are in {self.root}/log\n{said}"


def _die_with_parent() -> None:
    ctypes.CDLL("libc.so.6").prctl(DIE_WITH_PARENT, signal.SIGKILL)
