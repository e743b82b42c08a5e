"""The faults that a run on a cluster must survive. Each is injected once, at a moment chosen by the caller.

A fault returns the number of jobs that it may have interrupted: each of them may compute again what it had in hand.
"""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

REFUSED = "is being worked on by"
TAKEN_SECONDS = 60
SECONDS_TO_READ_THE_WORKFLOW = 30
LONGEST_RUN_SECONDS = 900
OUT_OF_ORDER_SECONDS = (1.0, 8.0)


class Run(Protocol):
    """What a fault can reach: the cluster, the workflow and its main process."""

    cluster: object
    workflow: object
    main: subprocess.Popen
    chance: random.Random

    def complain(self, finding: str) -> None:
        """Report that something is not as it should be."""

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Repair something after a while, while the run goes on."""

    def restart(self) -> None:
        """Wait for the main process to end and give the same command again."""

    def order(self, order: str) -> str:
        """Give the next job an order (troubled.py); return its serial number."""


def cancelled(run: Run) -> int:
    """Somebody cancels a job."""
    jobs = run.cluster.jobs("PD,R")
    if jobs:
        run.cluster.output("scancel", run.chance.choice(jobs))
    return 1


def out_of_memory(run: Run) -> int:
    """A job uses more memory than it asked for."""
    run.order(f"memory@{_scans_before(run)}")
    return 1


def time_limit(run: Run) -> int:
    """A job reaches its time limit."""
    serial = run.order(f"hang@{_scans_before(run)}")
    taken, end = [], time.monotonic() + TAKEN_SECONDS
    while not taken and time.monotonic() < end and run.main.poll() is None:
        time.sleep(0.2)
        taken = list(run.workflow.trouble.glob(f".taken-{serial}-*"))
    if taken:
        job = taken[0].name.split("-")[2]
        run.cluster.output("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    return 1


def node_crash(run: Run) -> int:
    """A node loses power and comes back."""
    busy = run.cluster.output("squeue", "-h", "-t", "R", "-o", "%N").split()
    node = run.chance.choice(busy or run.cluster.nodes)
    affected = busy.count(node)
    run.cluster.kill_node(node)
    run.later(_while(run), lambda: run.cluster.start_node(node, wait=False))
    return max(1, affected)


def controller_restart(run: Run) -> int:
    """SLURM's controller dies and is started again."""
    run.cluster.kill_controller()
    time.sleep(_while(run))
    run.cluster.start_controller()
    return 0


def database_outage(run: Run) -> int:
    """The accounting database does not answer for a while; jobs go on."""
    run.cluster.accounting.kill_slurmdbd()
    time.sleep(_while(run))
    run.cluster.accounting.start_slurmdbd()
    return 0


def disk_full(run: Run) -> int:
    """The file system of the results is full for a while."""
    ballast = run.workflow.output / "ballast"
    running = len(run.cluster.jobs("R"))
    try:
        with open(ballast, "wb", buffering=0) as stream:
            while stream.write(bytes(1 << 16)):
                pass
    except OSError:
        pass
    run.later(_while(run), lambda: ballast.unlink(missing_ok=True))
    return max(1, running)


def not_writable(run: Run) -> int:
    """The output folder, or a stage's, cannot be written to for a while."""
    work = [path for path in (run.workflow.output / "work").iterdir() if path.is_dir()]
    folder = str(run.chance.choice([run.workflow.output, *sorted(work)]))
    running = len(run.cluster.jobs("R"))
    if subprocess.run(["chattr", "+i", folder], capture_output=True).returncode:
        subprocess.run(["mount", "--bind", "-o", "ro", folder, folder], check=True)
        run.later(_while(run), lambda: subprocess.run(["umount", "--lazy", folder], check=True))
    else:
        run.later(_while(run), lambda: subprocess.run(["chattr", "-i", folder], check=True))
    return max(1, running)


def main_killed(run: Run) -> int:
    """The main process is killed without warning; its jobs go on in the queue."""
    return _signal(run, signal.SIGKILL)


def main_terminated(run: Run) -> int:
    """The main process is asked to stop."""
    _signal(run, signal.SIGTERM)
    return 0


def main_interrupted(run: Run) -> int:
    """Somebody presses Ctrl-C."""
    return _signal(run, signal.SIGINT)


def terminal_lost(run: Run) -> int:
    """The connection breaks; the run goes on without it, once it has read the workflow and may submit jobs."""
    deadline = time.monotonic() + SECONDS_TO_READ_THE_WORKFLOW
    while run.main.poll() is None and not _catches(run.main.pid, signal.SIGHUP):
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    run.main.send_signal(signal.SIGHUP)
    time.sleep(2)
    if run.main.poll() not in (None, 0):
        run.complain(
            f"the main process ended with {run.main.returncode} when its terminal was lost"
        )
        return max(1, len(run.cluster.jobs("R")))
    return 0


def _catches(process: int, number: int) -> bool:
    """Return whether a process has a handler of its own for a signal."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def second_main(run: Run) -> int:
    """The same command is given again while the first runs."""
    second = run.workflow.start()
    told = second.communicate(timeout=LONGEST_RUN_SECONDS)[
        0
    ]  # refused at once, or the first has ended
    if run.main.poll() is None and (second.returncode == 0 or REFUSED not in told):
        run.complain(f"a second main process was not refused: {told[-500:]}")
    return 0


def worker_killed_writing(run: Run) -> int:
    """A job is killed between any two system calls that write."""
    run.order(f"write@{run.chance.randint(1, 150)}")
    return 1


def slow_file_system(run: Run) -> int:
    """Every file operation of a job takes up to a fifth of a second."""
    run.order(f"slow@{run.chance.randrange(1000)}")
    return 0


def clock_skew(run: Run) -> int:
    """A node's clock is up to twelve hours wrong, also in the time stamps of what is written there."""
    run.order(f"skew@{run.chance.randrange(1440)}")
    return 0


def input_replaced(run: Run) -> int:
    """A scan is replaced by a corrected one."""
    run.workflow.replace(run.chance.choice(run.workflow.names))
    return 0


def two_writers(run: Run) -> int:
    """Two processes compute the same batch, where locks do not reach: an orphan and its successor."""
    run.order("twice@0")
    return run.workflow.settings["batch_size"]


FAULTS: dict[str, Callable[[Run], int]] = {
    fault.__name__: fault
    for fault in (
        cancelled,
        out_of_memory,
        time_limit,
        node_crash,
        controller_restart,
        disk_full,
        not_writable,
        main_killed,
        main_terminated,
        main_interrupted,
        terminal_lost,
        second_main,
        worker_killed_writing,
        slow_file_system,
        clock_skew,
        input_replaced,
        two_writers,
    )
}

FAULTS_WITH_ACCOUNTING = {**FAULTS, database_outage.__name__: database_outage}


def _while(run: Run) -> float:
    return run.chance.uniform(*OUT_OF_ORDER_SECONDS)


def _signal(run: Run, number: int) -> int:
    running = len(run.cluster.jobs("R"))
    run.main.send_signal(number)
    run.restart()
    return max(1, running)


def _scans_before(run: Run) -> int:
    """Return how many scans the job may compute before its trouble begins."""
    return run.chance.randrange(run.workflow.settings["batch_size"])


def run_later(seconds: float, act: Callable[[], None]) -> threading.Timer:
    """Return a started timer that calls `act` after `seconds`."""
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer
