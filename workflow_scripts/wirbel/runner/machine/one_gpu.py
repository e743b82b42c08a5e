"""Use one GPU of this machine that no other process of this software uses.

If this machine has several GPUs, Snakemake counts how many are in use but does not say which. A
stage that wants one sees only its own, through CUDA_VISIBLE_DEVICES, and holds it by a lock that
ends with its process. In a SLURM job, where SLURM has already chosen, and on a machine without GPUs
there is nothing to take.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
POLL_SECONDS = 1.0


def gpus() -> list[str]:
    """Return the names of the usable GPUs: those of CUDA_VISIBLE_DEVICES, or all."""
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip()]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        return []
    return re.findall(r"^GPU \d+:.*\(UUID: (\S+)\)", listed, re.MULTILINE)


@cache
def hold_one() -> None:
    """Let this process, until it ends, see one GPU alone; to be called before CUDA is looked for."""
    names = [] if "SLURM_JOB_ID" in os.environ else gpus()
    if names:
        os.environ[VISIBLE] = take_one(names)


def take_one(names: list[str]) -> str:
    """Return a GPU that belongs to this process now; wait until there is one."""
    folder = Path(tempfile.gettempdir())
    told = False
    while True:
        for name in names:
            label = re.sub(r"[^\w-]", "_", name)
            if _lock(folder / f"wirbel-gpu-{label}.lock"):
                return name
        if not told:
            print(f"all {len(names)} GPUs are in use; waiting for one", file=sys.stderr, flush=True)
            told = True
        time.sleep(POLL_SECONDS)


def _lock(path: Path) -> bool:
    """Try to lock a file until this process ends; other users count too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o444)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True
