"""The files that make a cluster: configuration, key, pretend GPUs."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

NODES = ("n1", "n2", "n3", "n4")
GPU_NODES = ("n3", "n4")
"""Each of them owns one GPU."""
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
SlurmdTimeout=10
KillWait=2
MinJobAge=3600
DefMemPerCPU=500
NodeName=DEFAULT CPUs=8 RealMemory=32000 State=UNKNOWN
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


def make_folders(root: Path) -> None:
    """Make the cluster's folders, empty."""
    for name in ("state", "spool", "log", "run", "bin", "dev"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    for folder in (root, root / "run"):
        folder.chmod(0o755)  # munge asks for it


def write_files(root: Path, ports: list[int], accounting: str) -> None:
    """Write all files; `ports` are those of the controller and of the nodes, `accounting` the lines about that."""
    (root / "munge.key").write_bytes(os.urandom(128))
    (root / "munge.key").chmod(0o600)
    (root / "slurm.conf").write_text(_configuration(root, ports, accounting))
    (root / "job_submit.lua").write_text(SUBMISSION_RULES)
    device = root / "dev" / "nvidia0"
    device.symlink_to("/dev/null")
    owners = ",".join(GPU_NODES)
    (root / "gres.conf").write_text(f"NodeName={owners} Name=gpu File={device}\n")
    shim = root / "bin" / "srun"
    shim.write_text(SRUN.format(configuration=root / "slurm.conf", srun=shutil.which("srun")))
    shim.chmod(0o755)


def _configuration(root: Path, ports: list[int], accounting: str) -> str:
    host = socket.gethostname().split(".")[0]
    return CONFIGURATION.format(
        host=host,
        root=root,
        port=ports[0],
        accounting=accounting,
        nodes="\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}"
            + (" Gres=gpu:1" if name in GPU_NODES else "")
            for name, port in zip(NODES, ports[1:], strict=True)
        ),
        gpu_nodes=",".join(GPU_NODES),
        other_nodes=",".join(name for name in NODES if name not in GPU_NODES),
    )


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
