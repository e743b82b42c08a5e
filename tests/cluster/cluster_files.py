"""The files that make a cluster: configuration, key, pretend GPUs."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Machines:
    """What the nodes claim to be; the last `gpu_count` of them own one GPU each."""

    count: int = 4
    gpu_count: int = 2
    cpus: int = 8
    memory_mb: int = 32000
    node_timeout: int = 10

    @property
    def names(self) -> list[str]:
        """All nodes."""
        return [f"n{number}" for number in range(1, self.count + 1)]

    @property
    def with_gpu(self) -> list[str]:
        """The nodes that own a GPU."""
        return self.names[self.count - self.gpu_count :]


def make_folders(root: Path) -> None:
    """Make the cluster's folders, empty."""
    for name in ("state", "spool", "log", "run", "bin", "dev"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    for folder in (root, root / "run"):
        folder.chmod(0o755)  # munge asks for it


def write_files(root: Path, machines: Machines, ports: list[int], accounting: str) -> None:
    """Write all files; `ports` are those of the controller and of the nodes, `accounting` the lines about that."""
    (root / "munge.key").write_bytes(os.urandom(128))
    (root / "munge.key").chmod(0o600)
    (root / "slurm.conf").write_text(_configuration(root, machines, ports, accounting))
    (root / "job_submit.lua").write_text(SUBMISSION_RULES)
    device = root / "dev" / "nvidia0"
    device.symlink_to("/dev/null")
    owners = ",".join(machines.with_gpu)
    (root / "gres.conf").write_text(f"NodeName={owners} Name=gpu File={device}\n")
    shim = root / "bin" / "srun"
    shim.write_text(SRUN.format(configuration=root / "slurm.conf", srun=shutil.which("srun")))
    shim.chmod(0o755)


def _configuration(root: Path, machines: Machines, ports: list[int], accounting: str) -> str:
    host = socket.gethostname().split(".")[0]
    without_gpu = [name for name in machines.names if name not in machines.with_gpu]
    return CONFIGURATION.format(
        host=host,
        root=root,
        port=ports[0],
        accounting=accounting,
        node_timeout=machines.node_timeout,
        cpus=machines.cpus,
        memory_mb=machines.memory_mb,
        nodes="\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}"
            + (" Gres=gpu:1" if name in machines.with_gpu else "")
            for name, port in zip(machines.names, ports[1:], strict=True)
        ),
        gpu_nodes=",".join(machines.with_gpu),
        other_nodes=",".join(without_gpu),
    )


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
