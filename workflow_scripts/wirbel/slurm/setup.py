"""Whether SLURM can run what the profile asks for: told before the first job is submitted."""

from __future__ import annotations

import difflib
import getpass
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wirbel.slurm.questions import SlurmError, ask

PROFILE = "profiles/slurm/config.yaml"
YEAR_MINUTES = 365 * 24 * 60
DATABASE = "accounting_storage/slurmdbd"


@dataclass(frozen=True)
class Request:
    """What the jobs of one rule ask for; `runtime` in minutes."""

    rule: str
    account: str = ""
    partition: str = ""
    gpus: int = 0
    gpu_model: str = ""
    runtime: int = 0
    memory_mb: int = 0
    cpus: int = 1


@dataclass(frozen=True)
class Nodes:
    """A kind of node in a partition, as sinfo lists them: GPUs are such as "gpu:a100:4(S:0-1)"."""

    partition: str
    up: bool
    longest_minutes: float
    cpus: int
    memory_mb: int
    gres: str


def partitions() -> list[Nodes]:
    """Return what the cluster's partitions offer."""
    listed = ask("sinfo", "--noheader", "--all", "--exact", "--format=%P|%a|%l|%c|%m|%G")
    return [_nodes(line) for line in listed.splitlines()]


def requests_of(jobs: Iterable[Any]) -> list[Request]:
    """Return what one of Snakemake's jobs of each rule asks for, sorted by rule."""
    return [
        Request(
            rule=name,
            account=str(job.resources.get("slurm_account") or ""),
            partition=str(job.resources.get("slurm_partition") or ""),
            gpus=job.resources.get("gpu") or 0,
            gpu_model=str(job.resources.get("gpu_model") or ""),
            runtime=job.resources.get("runtime") or 0,
            memory_mb=job.resources.get("mem_mb") or 0,
            cpus=job.threads,
        )
        for name, job in sorted({job.rule.name: job for job in jobs}.items())
    ]


def check_requests(requests: Sequence[Request], cluster: list[Nodes]) -> None:
    """Raise SlurmError at the first request that this cluster can never fulfil."""
    for request in requests:
        _check_request(request, cluster)
    for account in {request.account for request in requests} - {""}:
        _check_account(account)
    for partition, account in sorted({(each.partition, each.account) for each in requests}):
        _check_submission(partition, account)


def shortest_limit(requests: Iterable[Request], cluster: list[Nodes]) -> int:
    """Return the shortest of the requested partitions' time limits, in minutes; a year where there is none."""
    wanted = {request.partition for request in requests}
    limits = [nodes.longest_minutes for nodes in cluster if nodes.partition in wanted]
    return int(min([*limits, float(YEAR_MINUTES)]))


def keeps_accounts() -> bool:
    """Whether the cluster has an accounting database, which sacct and sacctmgr need."""
    return DATABASE in ask("scontrol", "show", "config")


def oldest_shown_seconds() -> int:
    """Return for how long SLURM remembers a finished job (MinJobAge)."""
    found = re.search(r"^MinJobAge\s*=\s*(\d+)", ask("scontrol", "show", "config"), re.MULTILINE)
    return int(found[1]) if found else 0


def _check_account(account: str) -> None:
    """Raise SlurmError when the cluster keeps accounts and this is none of the user's.

    While the database does not answer the controller judges alone (`_check_submission`): it knows the accounts as well.
    """
    if not keeps_accounts():
        return
    question = ("show", "assoc", f"user={getpass.getuser()}", "format=account")
    try:
        listed = ask("sacctmgr", "-nP", *question, patience_seconds=0)
    except SlurmError:
        return
    known = sorted(set(filter(None, listed.split())))
    if known and account.lower() not in map(str.lower, known):
        raise SlurmError(
            f"account {account!r} is not one of yours on this cluster ({', '.join(known)}): "
            f"edit the line `account:` in {PROFILE}"
        )


def _check_submission(partition: str, account: str) -> None:
    """Let SLURM itself judge a job of this account, without submitting one; other complaints are for the real jobs."""
    options = [f"--partition={partition}"] * bool(partition) + [f"--account={account}"] * bool(
        account
    )
    try:
        ask("sbatch", "--test-only", *options, "--time=1", "--wrap=true")
    except SlurmError as error:
        if "account" not in str(error).partition("failed: ")[2]:
            return
        who = f"for account {account!r}" if account else "without an account"
        raise SlurmError(
            f"SLURM takes no jobs {who} in partition {partition!r} ({error}): write an account into the line "
            f"`account:` in {PROFILE}; `sacctmgr show assoc user=$USER format=account` lists yours"
        ) from None


def _check_request(request: Request, cluster: list[Nodes]) -> None:
    names = sorted({nodes.partition for nodes in cluster})
    mine = [nodes for nodes in cluster if nodes.partition == request.partition]
    kind = "gpu" if request.gpus else "cpu"
    if request.partition and not mine:
        near = difflib.get_close_matches(request.partition, names, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SlurmError(
            f"this cluster has no partition {request.partition!r} (rule {request.rule}): {hint}"
            f"it has {', '.join(names)}. Edit the line `partitions:` in {PROFILE}, there `{kind}:`"
        )
    place = f"partition {request.partition!r}" if mine else "the cluster"
    for offered, wish, remedy in _steps(request):
        mine = [nodes for nodes in mine or cluster if offered(nodes)]
        if not mine:
            raise SlurmError(f"{place} has no nodes {wish} (rule {request.rule}): {remedy}")


def _steps(request: Request):
    """Yield (what nodes must offer, in words, what to do when none does), each step narrowing the last."""
    partition_line = f"edit the line `partitions:` in {PROFILE}"
    if request.gpus:
        yield (
            _has_gpu,
            "with GPUs",
            f"{partition_line}, there `gpu:`; `sinfo -o '%P %G'` shows where they are",
        )
    if request.gpus and request.gpu_model:
        yield (
            lambda nodes: f":{request.gpu_model}:" in nodes.gres,
            f"with GPUs of type {request.gpu_model!r}",
            f"edit the line `gpu_model:` in {PROFILE}; `sinfo -o '%P %G'` shows the types",
        )
    yield (
        lambda nodes: nodes.up,
        "in operation now",
        "ask the administrators, or choose another partition",
    )
    yield (
        lambda nodes: nodes.longest_minutes >= request.runtime,
        f"for jobs of {request.runtime} minutes",
        f"choose a smaller batch_size (profiles/slurm/settings.yaml) or another partition; {partition_line}",
    )
    yield (
        lambda nodes: nodes.cpus >= request.cpus and nodes.memory_mb >= request.memory_mb,
        f"with {request.cpus} processors and {request.memory_mb} MB of memory",
        f"choose another partition, or give the rule less under `set-threads:` or `set-resources:` in {PROFILE}",
    )


def _has_gpu(nodes: Nodes) -> bool:
    return any(gres.startswith("gpu") for gres in nodes.gres.split(","))


def _nodes(line: str) -> Nodes:
    name, state, longest, cpus, memory, gres = line.split("|")
    return Nodes(
        partition=name.rstrip("*"),
        up=state.startswith("up"),
        longest_minutes=_minutes(longest),
        cpus=int(cpus.rstrip("+")),
        memory_mb=int(memory.rstrip("+")),
        gres=gres,
    )


def _minutes(text: str) -> float:
    """Return minutes of SLURM's [days-]hours:minutes:seconds; infinity for words such as "infinite"."""
    if not text[:1].isdigit():
        return float("inf")
    days, _, clock = text.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return int(days or 0) * 1440 + seconds / 60
