"""A SLURM cluster on this machine, for tests: real daemons, several nodes, pretend GPUs, gone when it is stopped.

    with Cluster(folder) as cluster:
        subprocess.run(["sbatch", ...], env=cluster.environment)

or, to try the workflow on it by hand: `python tests/cluster/cluster.py FOLDER -- bash`.

Needs root and Debian's packages slurmctld, slurmd, slurm-client and munge, not systemd; `accounting=True` (or
--accounting) adds slurmdbd and its database (accounting.py).
All daemons run in the foreground as children of this process, on free ports, with keys, logs and state below
FOLDER; nothing else on the machine is touched. Nodes n1, n2, ... share this machine's processor and memory; what they
claim to have is only counted. The last `gpu_nodes` of them own one pretend GPU each.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import accounting as accounts

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
DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
START_SECONDS = 60
IDLE_STATES = {"idle", "mix", "alloc"}

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/run/munge.sock
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/%n.log
PlugStackConfig=/dev/null
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=5,sched_min_interval=0,bf_interval=5
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
{accounting}
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout={node_timeout}
KillWait=2
MinJobAge=3600
DefMemPerCPU=500
NodeName=DEFAULT CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
{nodes}
PartitionName=DEFAULT MaxTime=INFINITE DefaultTime=10 State=UP
PartitionName=cpu Nodes=ALL Default=YES
PartitionName=gpu Nodes={gpu_nodes}
PartitionName=empty Nodes={other_nodes}
PartitionName=short Nodes=ALL MaxTime=1
PartitionName=paid Nodes=ALL
JobSubmitPlugins=lua
"""
NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
# As on clusters that charge: in one partition nothing runs without an account.
SUBMISSION_RULES = """\
function slurm_job_submit(job, partitions, user)
  if job.partition == "paid" and job.account == nil then return slurm.ESLURM_INVALID_ACCOUNT end
  return slurm.SUCCESS
end
function slurm_job_modify(job, record, partitions, user) return slurm.SUCCESS end
"""
# jobstep, the executor's helper inside a job, removes SLURM_CONF before it calls srun: this stand-in brings it back.
SRUN = """#!/bin/sh
export SLURM_CONF={configuration}
exec {srun} "$@"
"""


def missing_programs(accounting: bool = False) -> list[str]:
    """Return what this machine lacks for a cluster: names of programs, or the right to start them."""
    path = f"{os.environ.get('PATH', '')}:{SBIN}"
    needed = [*PROGRAMS, *(accounts.PROGRAMS if accounting else ())]
    lacking = [name for name in needed if not shutil.which(name, path=path)]
    return lacking if os.geteuid() == 0 else [*lacking, "root"]


class Cluster:
    """A running cluster; `environment` is what its users' programs need."""

    def __init__(
        self,
        folder: Path,
        nodes: int = 4,
        gpu_nodes: int = 2,
        cpus: int = 8,
        memory_mb: int = 32000,
        node_timeout: int = 10,
        accounting: bool = False,
    ) -> None:
        self.root = Path(folder).resolve()
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.gpu_nodes = self.nodes[nodes - gpu_nodes :]
        self.cpus, self.memory_mb, self.node_timeout = cpus, memory_mb, node_timeout
        self.environment = self._environment()
        self._daemons: dict[str, subprocess.Popen] = {}
        self.accounting = accounts.Accounting(self) if accounting else None

    # ------------------------------------------------------------------ start and stop

    def start(self) -> Cluster:
        """Start all daemons; returns when every node is idle."""
        try:
            self._make_folders()
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
        if "slurmctld" in self._daemons:
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

    # ------------------------------------------------------------------ daemons

    def spawn(self, name: str, *command: str, **more: str) -> None:
        """Start a daemon; `more` are variables of its environment."""
        with open(self.root / "log" / f"{name}.out", "ab") as log:
            self._daemons[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.environment, **more},
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
            if dead or time.monotonic() > end:
                fault = f"{', '.join(dead)} ended" if dead else f"no {what} for {START_SECONDS} s"
                logs = sorted((self.root / "log").glob("*.out"))
                said = "\n".join(f"{log.stem}: {log.read_text()[-500:]}" for log in logs)
                raise RuntimeError(f"{fault}; the logs are in {self.root}/log\n{said}")
            time.sleep(0.1)

    # ------------------------------------------------------------------ inner workings

    def _environment(self) -> dict[str, str]:
        foreign = ("SLURM_", "SBATCH_", "SRUN_", "SQUEUE_", "SINFO_", "SCANCEL_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        path = f"{self._file('bin')}:{kept.get('PATH', '')}:{SBIN}"
        return {**kept, "PATH": path, "SLURM_CONF": self._file("slurm.conf")}

    def _file(self, name: str) -> str:
        return str(self.root / name)

    def _make_folders(self) -> None:
        for name in ("state", "spool", "log", "run", "bin", "dev"):
            shutil.rmtree(self.root / name, ignore_errors=True)
            (self.root / name).mkdir(parents=True)
        for folder in (self.root, self.root / "run"):
            folder.chmod(0o755)  # munge asks for it

    def _write_files(self) -> None:
        (self.root / "munge.key").write_bytes(os.urandom(128))
        (self.root / "munge.key").chmod(0o600)
        port, accounting_port, *node_ports = _free_ports(2 + len(self.nodes))
        accounting = (
            self.accounting.configure(accounting_port) if self.accounting else NO_ACCOUNTING
        )
        (self.root / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=socket.gethostname().split(".")[0],
                root=self.root,
                port=port,
                accounting=accounting,
                node_timeout=self.node_timeout,
                cpus=self.cpus,
                memory_mb=self.memory_mb,
                nodes="\n".join(map(self._node_line, self.nodes, node_ports)),
                gpu_nodes=",".join(self.gpu_nodes),
                other_nodes=",".join(sorted(set(self.nodes) - set(self.gpu_nodes))),
            )
        )
        (self.root / "job_submit.lua").write_text(SUBMISSION_RULES)
        device = self.root / "dev" / "nvidia0"
        device.symlink_to("/dev/null")
        (self.root / "gres.conf").write_text(
            f"NodeName={','.join(self.gpu_nodes)} Name=gpu File={device}\n"
        )
        shim = self.root / "bin" / "srun"
        srun = shutil.which("srun")
        shim.write_text(SRUN.format(configuration=self._file("slurm.conf"), srun=srun))
        shim.chmod(0o755)

    def _node_line(self, node: str, port: int) -> str:
        gpu = " Gres=gpu:1" if node in self.gpu_nodes else ""
        host = socket.gethostname().split(".")[0]
        return f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}{gpu}"

    def _start_munge(self) -> None:
        files = {"key": "munge.key", "socket": "run/munge.sock", "seed": "munge.seed"}
        files |= {"pid": "run/munged.pid", "log": "log/munged.log"}
        options = {
            "key": "key-file",
            "socket": "socket",
            "seed": "seed-file",
            "pid": "pid-file",
            "log": "log-file",
        }
        arguments = [f"--{options[name]}={self._file(file)}" for name, file in files.items()]
        self.spawn("munged", "munged", "--foreground", "--force", *arguments)
        socket_path = self._file("run/munge.sock")
        self.wait_until("munge", lambda: _succeeds("munge", "--socket", socket_path, "--no-input"))


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


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def _die_with_parent() -> None:
    ctypes.CDLL("libc.so.6").prctl(DIE_WITH_PARENT, signal.SIGKILL)


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
