"""Running one tool over a batch and reading what it spent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from parity import runs as parity_runs
from parity.scans import scans_in

from wirbel.plan.chain import FOLLOWERS, stages_of_job
from wirbel.plan.plan import plan_file
from wirbel.study.listing.discovery import plan_batches

HERE = Path(__file__).resolve().parent
JOBS = tuple(stage for stage in parity_runs.STAGES if stage not in FOLLOWERS)
HOLDING_A_GPU = "semantic"


@dataclass
class Spent:
    """CPU and wall seconds beside the networks, peak MB of the largest process; CPU seconds by stage."""

    cpu_s: float = 0.0
    gpu_alloc_s: float = 0.0
    gpu_cpu_s: float = 0.0
    """CPU seconds of jobs that hold a GPU, beside the networks: other work on the machine stretches them less."""
    peak_mb: float = 0.0
    network_cpu_s: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)


def copies(scan: Path, count: int, folder: Path) -> Path:
    """Make a BIDS folder `bids` in `folder` with so many copies of a scan; return `folder`."""
    for number in range(1, count + 1):
        name = f"sub-{number:02}"
        target = folder / "bids" / name / "anat" / f"{name}_T2w.nii.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(scan.resolve())
    return folder


def named_copy(bids: Path, work: Path) -> Path:
    """Return the one scan of a folder under the folder's own name."""
    (scan,) = scans_in(bids).values()
    target = work / f"{bids.name}.nii.gz"
    if not target.exists():
        target.symlink_to(scan)
    return target


def run_wirbel(args, models, bids: Path, out: Path) -> Spent:
    """Run all jobs on a batch, each in a process of its own."""
    shutil.rmtree(out, ignore_errors=True)
    plan_batches(bids, out, len(scans_in(bids))).write()
    parity_runs.plan_run(out, bids, models, args.n4, "auto")
    spent = Spent()
    for name in JOBS:
        line = ["--plan", plan_file(out), "--batch", parity_runs.BATCH, "--threads", args.threads]
        line += ["--device", "cpu"] if name == HOLDING_A_GPU else []
        account, wall_s = _run(
            sys.executable, "wirbel_run.py", out / name, args, *stages_of_job(name), *line
        )
        for stage in stages_of_job(name):
            parity_runs.tell_failures(stage, out / "work" / stage / f"{parity_runs.BATCH}.tsv")
        spent.stages[name] = account["cpu_s"] - account["network_cpu_s"]
        spent.cpu_s += spent.stages[name]
        spent.network_cpu_s += account["network_cpu_s"]
        spent.peak_mb = max(spent.peak_mb, account["peak_mb"])
        if name == HOLDING_A_GPU:
            spent.gpu_alloc_s += wall_s - account["network_wall_s"]
            spent.gpu_cpu_s += spent.stages[name]
    return spent


def run_spineps(args, models, bids: Path, out: Path) -> Spent:
    """Run SPINEPS on a batch, in one process."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    task = {
        "semantic": str(models["semantic"][0].resolve()),
        "instance": str(models["instance"][0].resolve()),
        "scans": {name: str(path.absolute()) for name, path in _unresolved(bids).items()},
        "out": str(out.resolve()),
        "n4": bool(args.n4),
        "threads": args.threads,
    }
    (out / "task.json").write_text(json.dumps(task))
    python, script = args.spineps_python.absolute(), "spineps_run.py"
    account, wall_s = _run(python, script, out / "spineps", args, out / "task.json")
    cpu_s = account["cpu_s"] - account["network_cpu_s"]
    stages = account["stages"] | {
        "start, loading, writing": cpu_s - sum(account["stages"].values())
    }
    return Spent(
        cpu_s,
        wall_s - account["network_wall_s"],
        cpu_s,
        account["peak_mb"],
        account["network_cpu_s"],
        stages,
    )


def _unresolved(bids: Path) -> dict[str, Path]:
    """Return the scans by name; links stay, as every copy needs a name of its own."""
    return {
        path.name.removesuffix("_T2w.nii.gz"): path
        for path in sorted(bids.glob("sub-*/anat/*.nii.gz"))
    }


def _run(python, script: str, stem: Path, args, *words) -> tuple[dict, float]:
    account, log = stem.with_suffix(".account.json"), stem.with_suffix(".log")
    line = [str(python), str(HERE / script), str(account), *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads), "PYTHONPATH": ""}
    environment.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # compiled programs, as users have in both tools
    if script == "wirbel_run.py":
        environment["PYTHONPATH"] = str(HERE.parents[1] / "workflow_scripts")
    started = time.perf_counter()
    with open(log, "w") as stream:
        done = subprocess.run(line, stdout=stream, stderr=stream, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(line)} failed: see {log}")
    return json.loads(account.read_text()), time.perf_counter() - started
