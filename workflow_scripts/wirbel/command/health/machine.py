"""Processors, memory, GPU and SLURM of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

from wirbel.command.health.findings import NOTE, OK, Finding
from wirbel.plan.chain import CHAIN

NEEDED_GB = max(stage.mem_mb for stage in CHAIN) // 1000
"""Memory of the largest job at its first attempt."""
ANSWER_SECONDS = 20


def look_at_machine() -> Iterator[Finding]:
    """Yield what was found."""
    yield Finding(OK, "processors", f"{len(os.sched_getaffinity(0))} may be used")
    yield _memory()
    yield _gpu()
    yield _slurm()


def _memory() -> Finding:
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    told = f"{gigabytes:.1f} GB"
    if gigabytes >= NEEDED_GB:
        return Finding(OK, "memory", told)
    return Finding(
        NOTE,
        "memory",
        f"{told}; the largest job asks for {NEEDED_GB} GB",
        "Run one job at a time (--cores 1), or use a machine with more memory.",
    )


def _gpu() -> Finding:
    listed = _asked("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if listed:
        return Finding(OK, "GPU", "; ".join(listed.splitlines()))
    return Finding(
        NOTE,
        "GPU",
        "none on this machine: networks run on its processors, ten times slower or more",
        "Nothing, where jobs go to SLURM nodes with GPUs; else use a machine with an NVIDIA GPU.",
    )


def _slurm() -> Finding:
    if not shutil.which("sbatch"):
        return Finding(
            NOTE,
            "SLURM",
            "no sbatch here: only --profile default can be used",
            "To use a cluster, run Wirbel on its login node.",
        )
    listed = _asked("sinfo", "--noheader", "--format=%P %l %G")
    if not listed:
        return Finding(
            NOTE, "SLURM", "sinfo does not answer", "Try again later, or ask the administrators."
        )
    partitions = "; ".join(" ".join(line.split()) for line in listed.splitlines())
    return Finding(
        OK,
        "SLURM",
        f"partitions (name, longest time, GPUs): {partitions}",
        "Write their names into a profile of your own: wirbel profile slurm FOLDER",
    )


def _asked(*command: str) -> str:
    """Return what a program prints; empty where it is missing, fails or does not answer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
