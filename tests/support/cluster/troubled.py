"""Trouble for the per-scan stages' jobs, and a note of every scan that they compute.

The test clusters' copy of the workflow holds this file as `wirbel.troubled`, and its `run_stage` is wrapped in
`troubled`. The folder named by WIRBEL_TROUBLE holds orders: files named KIND@NUMBER.SERIAL. The first job that takes
one away obeys it, once. What is left is a file .taken-SERIAL-JOB when the job has taken it and
.struck-SERIAL-STAGE once the trouble has begun; `computed.log` there gets a line "stage scan" per scan.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from wirbel.runner.steps import Steps

VARIABLE = "WIRBEL_TROUBLE"
WITHOUT_LOCKS = "WIRBEL_WITHOUT_LOCKS"
"""Set for the second of two writers: it takes no orders, and locks do not work for it."""
MEMORY_VARIABLE = "WIRBEL_TOO_MUCH_MB"
"""More memory than a job's first attempt may use, less than its second."""
SECONDS_TO_BE_KILLED = 150.0
STOPPED = (143, -signal.SIGTERM, -signal.SIGKILL)
"""How a second writer ends that another fault has stopped together with its job."""
WRITES = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir"}
"""Audit events that file-system calls raise before they happen; os.replace is an os.rename."""
LONGEST_DELAY_SECONDS = 0.02
"""After such a call, so that calls without an event, write and fsync, are met as well."""


def troubled(run_stage: Callable[..., int]) -> Callable[..., int]:
    """Return `run_stage`, taking at most one order before it runs."""

    def run(stage, args) -> int:
        if VARIABLE not in os.environ:
            return run_stage(stage, args)
        trouble = Trouble(Path(os.environ[VARIABLE]), stage.name)
        compute = Steps.compute
        trouble.begin()
        try:
            code = run_stage(stage, args)
        finally:
            Steps.compute = compute  # another stage may follow in this process
        trouble.end()
        return code

    return run


class Trouble:
    """What a job has to suffer; nothing where no order is left."""

    def __init__(self, folder: Path, stage: str) -> None:
        self.folder, self.stage = folder, stage
        self.pending: Callable[[], None] | None = None
        self.scans_before = 0
        self.writer: subprocess.Popen | None = None
        self.serial = ""

    def begin(self) -> None:
        """Note computed scans from now on; take an order."""
        compute = Steps.compute

        def noted(steps, work):
            if work.error is None and work.elsewhere is None:
                self._note(f"{self.stage} {work.scan.scan_id}")
                if self.pending and self.scans_before == 0:
                    self.strike()
                self.scans_before -= 1
            return compute(steps, work)

        Steps.compute = noted
        if WITHOUT_LOCKS in os.environ:
            _no_locks()
        elif order := self._take_order():
            kind, _, number = order.partition("@")
            getattr(self, f"_{kind}")(int(number))

    def end(self) -> None:
        """Begin what the job was too short for; wait for a second writer."""
        if self.pending:
            self.strike()
        if self.writer is not None and self.writer.wait() not in (0, *STOPPED):
            self._note(f"second-writer-failed {self.stage}")

    def strike(self) -> None:
        """Let the trouble begin."""
        act, self.pending = self.pending, None
        self._struck()
        act()

    def _struck(self) -> None:
        (self.folder / f".struck-{self.serial}-{self.stage}").touch()

    def _note(self, line: str) -> None:
        with open(self.folder / "computed.log", "a") as log:
            log.write(f"{line}\n")

    def _take_order(self) -> str | None:
        for path in sorted(self.folder.glob("[a-z]*@*")):
            order, _, self.serial = path.name.partition(".")
            try:
                path.rename(self.folder / f".taken-{self.serial}-{os.environ['SLURM_JOB_ID']}")
            except FileNotFoundError:
                continue  # another job was quicker
            return order
        return None

    def _memory(self, scans_before: int) -> None:
        """Use more memory than asked for, until SLURM notices."""

        def hoard() -> None:
            hoarded = bytearray(os.urandom(1)) * (int(os.environ[MEMORY_VARIABLE]) << 20)
            time.sleep(SECONDS_TO_BE_KILLED)
            del hoarded

        self.scans_before, self.pending = scans_before, hoard

    def _hang(self, scans_before: int) -> None:
        """Never end: SLURM's time limit has to."""
        self.scans_before = scans_before
        self.pending = lambda: time.sleep(SECONDS_TO_BE_KILLED)

    def _write(self, number: int) -> None:
        """Die by SIGKILL at the numbered system call that writes to the output folder, or a little later."""
        left = [number]
        delay_seconds = random.Random(number).choice((0, LONGEST_DELAY_SECONDS))
        self.scans_before, self.pending = -1, lambda: os.kill(os.getpid(), signal.SIGKILL)

        def hook(event: str, arguments: tuple) -> None:
            if event in WRITES and _writes(event, arguments):
                left[0] -= 1
                if left[0] == 0 and self.pending and not delay_seconds:
                    self.strike()
                elif left[0] == 0:
                    threading.Timer(delay_seconds * random.random(), self._strike_late).start()

        sys.addaudithook(hook)

    def _strike_late(self) -> None:
        if self.pending:
            self.strike()

    def _slow(self, seed: int) -> None:
        """Every file-system call in the output folder takes up to a fifth of a second."""
        chance = random.Random(seed)
        self._struck()

        def hook(event: str, arguments: tuple) -> None:
            if event in WRITES and "/out/" in str(arguments[0]):
                time.sleep(0.2 * chance.random())

        sys.addaudithook(hook)

    def _skew(self, minutes: int) -> None:
        """The node's clock is wrong: what it reads, and the time stamps of what it writes."""
        seconds = 60.0 * (minutes - 720)
        right_time, right_replace = time.time, os.replace
        self._struck()

        def replace(source, target):
            os.utime(source, (right_time() + seconds,) * 2)
            right_replace(source, target)

        time.time = lambda: right_time() + seconds
        os.replace = replace

    def _twice(self, _: int) -> None:
        """Another process computes the same batch beside this one, on a file system without locks."""
        _no_locks()
        self._struck()
        self.writer = subprocess.Popen(
            [sys.executable, *sys.orig_argv[1:]], env={**os.environ, WITHOUT_LOCKS: "1"}
        )


def _no_locks() -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    fcntl.flock = flock


def _writes(event: str, arguments: tuple) -> bool:
    if "/out/" not in str(arguments[0]):
        return False
    if event != "open":
        return True
    mode, flags = arguments[1], arguments[2]
    return bool(flags & (os.O_WRONLY | os.O_RDWR)) or bool(mode and set("wax+") & set(mode))
