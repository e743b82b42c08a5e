"""The toy stages' `run`, in jobs that meet trouble when told to.

The folder TOY_TROUBLE holds orders: files named KIND or KIND@NUMBER. The first job that takes one away obeys it: once.
What is left of the order is a file .ORDER-JOB with the job's number in the queue.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from wirbel.plain_toy import everything

from wirbel import plain_toy

__all__ = ["everything", "run"]

TOO_MUCH_MB = 1000
"""More than a toy job's first attempt may use, less than its second."""
SECONDS_TO_BE_KILLED = 150.0
WRITES = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir"}
"""Audit events that file-system calls raise before they happen; os.replace is an os.rename."""


def run(name: str, before: str | None, letter: str, argv=None) -> int:
    """Run a toy stage, after taking at most one order."""
    order = _take_order(Path(os.environ["TOY_TROUBLE"]))
    if order:
        kind, _, number = order.partition("@")
        {"memory": _memory, "hang": _hang, "write": _die_writing, "slow": _slow, "skew": _skew}[
            kind
        ](int(number or 0))
    return plain_toy.run(name, before, letter, argv)


def _take_order(folder: Path) -> str | None:
    for path in sorted(folder.glob("[a-z]*")):
        try:
            path.rename(folder / f".{path.name}-{os.environ['SLURM_JOB_ID']}")
        except FileNotFoundError:
            continue  # another job was quicker
        return path.name
    return None


def _at_first_scan(act) -> None:
    """Call `act` in the middle of the first scan's computing."""
    compute = plain_toy.ToyStage.compute

    def troubled(self, inputs):
        result = compute(self, inputs)
        plain_toy.ToyStage.compute = compute
        act()
        return result

    plain_toy.ToyStage.compute = troubled


def _memory(_: int) -> None:
    """Use more memory than asked for, until SLURM notices."""

    def hoard():
        hoarded = bytearray(os.urandom(1)) * (TOO_MUCH_MB << 20)
        time.sleep(SECONDS_TO_BE_KILLED)
        del hoarded

    _at_first_scan(hoard)


def _hang(_: int) -> None:
    """Never end: SLURM's time limit has to."""
    _at_first_scan(lambda: time.sleep(SECONDS_TO_BE_KILLED))


def _die_writing(number: int) -> None:
    """Die by SIGKILL just before the numbered system call that writes to the output folder."""
    left = [number]

    def hook(event, arguments):
        if event in WRITES and "/out/" in str(arguments[0]):
            writing = event != "open" or "w" in str(arguments[1]) or "a" in str(arguments[1])
            left[0] -= writing
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _slow(seed: int) -> None:
    """Every file-system call in the output folder takes up to a fifth of a second."""
    chance = random.Random(seed)

    def hook(event, arguments):
        if event in WRITES and "/out/" in str(arguments[0]):
            time.sleep(0.2 * chance.random())

    sys.addaudithook(hook)


def _skew(minutes: int) -> None:
    """The node's clock is wrong: what it reads, and the time stamps of what it writes."""
    seconds = 60.0 * (minutes - 720)
    right_time, right_replace = time.time, os.replace

    def replace(source, target):
        os.utime(source, (right_time() + seconds,) * 2)
        right_replace(source, target)

    time.time = lambda: right_time() + seconds
    os.replace = replace
