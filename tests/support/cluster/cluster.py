"""A SLURM cluster on this machine, for tests: real daemons, several nodes, pretend GPUs, gone when it is stopped.

    with Cluster(folder) as cluster:
        subprocess.run(["sbatch", ...], env=cluster.environment)

or, to try the workflow on it by hand:
`PYTHONPATH=tests:workflow_scripts python -m support.cluster.cluster FOLDER -- bash`.

Needs root and Debian's packages slurmctld, slurmd, slurm-client and munge, not systemd; `accounting=True` (or
--accounting) adds slurmdbd and its database (accounting.py).
All daemons run in the foreground as children of this process, on free ports, with keys, logs and state below
FOLDER; nothing else on the machine is touched. Nodes n1, n2, ... share this machine's processor and memory; what they
claim to have is only counted; the last of them own one pretend GPU each.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from support.cluster import accounting as accounts
from support.cluster.cluster_files import (
    GPU_NODES,
    NO_ACCOUNTING,
    NODES,
    free_ports,
    make_folders,
    write_files,
)
from support.cluster.daemons import Daemons

PROGRAMS = (
    "munged",
    "munge",
    "slurmctld",
    "slurmd",
    "sbatch",
    "srun",
    "squeue",
    "sinfo",
    "scancel",
)
PACKAGES = "slurmctld slurmd slurm-client munge"
SBIN = "/usr/sbin"
IDLE_STATES = {"idle", "mix", "alloc"}


def missing_programs(accounting: bool = False) -> list[str]:
    """Return what this machine lacks for a cluster: names of programs, or the right to start them."""
    path = f"{os.environ.get('PATH', '')}:{SBIN}"
    needed = [*PROGRAMS, *(accounts.PROGRAMS if accounting else ())]
    lacking = [name for name in needed if not shutil.which(name, path=path)]
    return lacking if os.geteuid() == 0 else [*lacking, "root"]


class Cluster(Daemons):
    """A running cluster; `environment` is what its users' programs need."""

    nodes, gpu_nodes = NODES, GPU_NODES

    def __init__(self, folder: Path, accounting: bool = False) -> None:
        root = Path(folder).resolve()
        super().__init__(root, _environment(root))
        self.accounting = accounts.Accounting(self) if accounting else None

    # ------------------------------------------------------------------ start and stop

    def start(self) -> Cluster:
        """Start all daemons; returns when every node is idle."""
        try:
            make_folders(self.root)
            if self.accounting:
                self.accounting.start_database()
            self._write_files()
            self._start_munge()
            if self.accounting:
                self.accounting.start()
            self.start_controller()
            for node in self.nodes:
                self.spawn(node, "slurmd", "-D", "-f", self._file("slurm.conf"), "-N", node)
            self.wait_until("all nodes", lambda: set(self.node_states()) == {"idle"})
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all jobs and daemons."""
        if self.started("slurmctld"):
            self.cancel_all()
        for name in [*self.nodes, "slurmctld"]:
            self.end(name)
        if self.accounting:
            self.accounting.stop()
        self.end("munged")

    def __enter__(self) -> Cluster:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ------------------------------------------------------------------ faults

    def start_controller(self) -> None:
        """Start slurmctld, with the state it had when it was killed."""
        self.spawn("slurmctld", "slurmctld", "-D", "-f", self._file("slurm.conf"))

    def kill_controller(self) -> None:
        """slurmctld dies at once; jobs go on."""
        self.end("slurmctld", signal.SIGKILL)

    def remember(self) -> Path:
        """Return a copy of what the controller knows now, for `forget`."""
        copy = self.root / "remembered"
        shutil.rmtree(copy, ignore_errors=True)
        self.kill_controller()
        shutil.copytree(self.root / "state", copy)
        self.start_controller()
        self.wait_until("the controller", lambda: bool(self.node_states()), "slurmctld")
        return copy

    def forget(self, remembered: Path) -> None:
        """The controller dies and comes back with an old state, as when it dies before it has written down a job."""
        self.kill_controller()
        shutil.rmtree(self.root / "state")
        remembered.rename(self.root / "state")
        self.start_controller()

    def kill_node(self, node: str) -> None:
        """The node loses power: slurmd and all that runs on it end at once, without a word."""
        jobs = self.output("squeue", "-h", "-t", "R,CG", "-w", node, "-o", "%A").split()
        self.end(node, signal.SIGKILL)
        for process in _steps(jobs):
            _kill(process)

    def start_node(self, node: str, wait: bool = True) -> None:
        """Start a node, again perhaps."""
        self.spawn(node, "slurmd", "-D", "-f", self._file("slurm.conf"), "-N", node)
        if wait:
            self.wait_until(node, lambda: set(self.node_states(node)) <= IDLE_STATES, node)

    # ------------------------------------------------------------------ questions

    def output(self, *command: str) -> str:
        """Return what a SLURM command prints; an empty text when it fails."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""

    def node_states(self, node: str | None = None) -> list[str]:
        """Return the nodes' states, such as idle or down*."""
        chosen = ("-n", node) if node else ()
        return self.output("sinfo", "-hN", "-p", "cpu", *chosen, "-o", "%t").split()

    def jobs(self, states: str = "PD,R,CG") -> list[str]:
        """Return the ids of the jobs in these states."""
        return self.output("squeue", "-h", "-t", states, "-o", "%i").split()

    def running_stages(self) -> list[str]:
        """Return the rules of the running jobs, as Snakemake notes them in the jobs' comments."""
        comments = self.output("squeue", "-h", "-t", "R", "-o", "%k").split()
        return [comment.removeprefix("rule_").partition("_wildcards")[0] for comment in comments]

    def submit(self, *options: str) -> str:
        """Submit a job; return its number. What it prints goes to the cluster's own folder."""
        output = f"--output={self._file('log')}/job-%j.out"
        return self.output("sbatch", "--parsable", output, *options).strip()

    def cancel_all(self) -> None:
        """Cancel all jobs and wait until they are gone."""
        self.output("scancel", "--user=root")
        end = time.monotonic() + 15
        while self.jobs() and time.monotonic() < end:
            time.sleep(0.1)

    # ------------------------------------------------------------------ inner workings

    def _file(self, name: str) -> str:
        return str(self.root / name)

    def _write_files(self) -> None:
        accounting_port, *ports = free_ports(2 + len(self.nodes))
        lines = self.accounting.configure(accounting_port) if self.accounting else NO_ACCOUNTING
        write_files(self.root, ports, lines)

    def _start_munge(self) -> None:
        files = {
            "key-file": "munge.key",
            "socket": "run/munge.sock",
            "seed-file": "munge.seed",
            "pid-file": "run/munged.pid",
            "log-file": "log/munged.log",
        }
        arguments = [f"--{option}={self._file(file)}" for option, file in files.items()]
        self.spawn("munged", "munged", "--foreground", "--force", *arguments)
        socket_path = self._file("run/munge.sock")
        self.wait_until("munge", lambda: _succeeds("munge", "--socket", socket_path, "--no-input"))


def _environment(root: Path) -> dict[str, str]:
    foreign = ("SLURM_", "SBATCH_", "SRUN_", "SQUEUE_", "SINFO_", "SCANCEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    path = f"{root / 'bin'}:{kept.get('PATH', '')}:{SBIN}"
    return {**kept, "PATH": path, "SLURM_CONF": str(root / "slurm.conf")}


def _steps(jobs: Sequence[str]) -> list[int]:
    """Return the processes of these jobs: their step daemons and all that descends from them."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in table.stdout.splitlines()]
    names = tuple(f"slurmstepd: [{job}." for job in jobs)
    waiting = [row[0] for row in rows if names and row[2].startswith(names)]
    found = []
    while waiting:
        process = waiting.pop()
        found.append(int(process))
        waiting += [row[0] for row in rows if row[1] == process]
    return found


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def main(argv: list[str] | None = None) -> int:
    """Run a command on a cluster that exists as long as the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounting", action="store_true", help="with slurmdbd and a database")
    parser.add_argument("folder", type=Path)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args(argv)
    if lacking := missing_programs(args.accounting):
        packages = f"{PACKAGES} {accounts.PACKAGES}" if args.accounting else PACKAGES
        print(f"missing: {', '.join(lacking)}; install {packages}, run as root", file=sys.stderr)
        return 1
    with Cluster(args.folder, accounting=args.accounting) as cluster:
        return subprocess.run(args.command, env=cluster.environment).returncode


if __name__ == "__main__":
    sys.exit(main())
