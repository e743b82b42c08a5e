"""Running both tools for `make parity`: SPINEPS in its own environment, Wirbel stage by stage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from parity.scans import scans_in
from wirbel.manifests.records import read_records
from wirbel.models.digests import combined_sha256, hash_files
from wirbel.plan.plan import Wishes, plan_file, write_plan
from wirbel.study.listing.discovery import plan_batches
from wirbel.study.settings.planning import Planner
from wirbel.study.settings.run_settings import checked_settings

HERE = Path(__file__).resolve().parent
BATCH = "b00001"
CONFIG = HERE.parents[1] / "config"
STAGES = ("resample", "semantic", "instance", "merge")
ON_A_NETWORK = ("semantic", "instance", "label")


def run_spineps(
    args, models, scans, n4: int, out: Path, answers: dict[str, str] | None = None
) -> tuple[dict, dict]:
    """Run SPINEPS; return its maps by scan, and its account of time and memory.

    `answers` files by scan that its semantic network answers with, in place of the network.
    """
    out.mkdir(parents=True, exist_ok=True)
    task = {
        "semantic": str(models["semantic"][0].resolve()),
        "instance": str(models["instance"][0].resolve()),
        "sha256": digests(models),
        "scans": {name: str(path) for name, path in scans.items()},
        "out": str(out.resolve()),
        "n4": bool(n4),
        "threads": args.threads,
    } | ({"answers": answers} if answers else {})
    ask_spineps(args, out, task, "spineps_side")
    maps = {
        name: {kind: out / f"{name}_{kind}.nii.gz" for kind in ("subregion", "vertebra")}
        for name in scans
    }
    return maps, json.loads((out / "log.json").read_text())


def digests(models) -> dict[str, str]:
    """Return the digests of the networks for SPINEPS, so that answers of other weights are not taken for theirs."""
    return {kind: combined_sha256(hash_files(folders[0])) for kind, folders in models.items()}


def ask_spineps(args, out: Path, task: dict, module: str, *words: str) -> None:
    """Let a module of this package do a task in SPINEPS' environment, unless it has done so already: it takes long."""
    files = out / "task.json", out / "finished"
    if all(file.is_file() for file in files) and json.loads(files[0].read_text()) == task:
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / "finished").unlink(missing_ok=True)
    (out / "task.json").write_text(json.dumps(task))
    call_spineps(args, out / "log.txt", module, *words, out / "task.json")
    (out / "finished").touch()


def call_spineps(args, log: Path, module: str, *words: object) -> None:
    """Run a module of this package in SPINEPS' environment."""
    line = [str(args.spineps_python), "-m", f"parity.{module}", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    environment["PYTHONPATH"] = str(HERE.parent)
    with open(log, "w") as stream:
        done = subprocess.run(line, stdout=stream, stderr=stream, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(line)} failed: see {log}")


def run_mode(
    args, models, n4: int, mode: str, folder: Path, out: Path, labelling: Path | None = None
) -> tuple[Path, dict[str, tuple[float, float]]]:
    """Run Wirbel on a BIDS folder; return its output folder, and seconds and peak MB of every stage up to `merge`.

    By default it merges anew what the networks gave with `compatibility: spineps`. With a `labelling` network vertebrae
    stay numbered, for `label` to name.
    """
    ours, before = out / f"wirbel-{mode}", out / "wirbel-spineps"
    shutil.rmtree(ours, ignore_errors=True)
    stages = STAGES
    if mode == "auto" and "spineps" in args.modes[: args.modes.index(mode)]:
        shutil.copytree(before / "work", ours / "work")
        stages = ("merge",)
    plan_batches(folder, ours, len(scans_in(folder))).write()
    plan_run(ours, folder, models, n4, mode, labelling)
    return ours, {name: stage(name, args, ours) for name in stages}


def plan_run(
    out: Path, folder: Path, models, n4: int, mode: str, labelling: Path | None = None
) -> None:
    """Write the plan of a run with these networks, as the workflow does."""
    named = {kind: str(models[kind][1].resolve()) for kind in ("semantic", "instance")}
    named |= {"labelling": str(labelling.resolve())} if labelling else {}
    config = yaml.safe_load((CONFIG / "config.yaml").read_text())
    config |= {"bids_dir": str(folder), "output_dir": str(out), "models": named}
    config |= {"n4": bool(n4), "compatibility": mode, "keep_intermediates": True}
    config |= {"engine": "torch"}  # what SPINEPS computes with
    settings = checked_settings(config, CONFIG / "schemas" / "config.schema.json")
    write_plan(out, Planner(settings).plan(Wishes()))


def tell_failures(name: str, manifest: Path) -> None:
    """Print which scans failed at a stage."""
    for record in read_records(manifest).values():
        if record.status == "failed":
            print(f"{record.scan_id}: failed at {name} ({record.reason}): {record.detail}")


def refused(out: Path) -> dict[str, str]:
    """Return the scans that Wirbel did not even prepare for the networks, name -> reason."""
    records = read_records(out / "work" / STAGES[0] / f"{BATCH}.tsv")
    return {scan: record.reason for scan, record in records.items() if record.status != "ok"}


def stage(name: str, args, out: Path) -> tuple[float, float]:
    """Run one stage in a process of its own; return its seconds and peak memory (MB)."""
    started = time.perf_counter()
    command = [sys.executable, "-m", f"wirbel.stages.{name}", "--plan", plan_file(out)]
    command += ["--batch", BATCH, "--threads", args.threads]
    command += ["--device", "cpu"] if name in ON_A_NETWORK else []
    log = out / f"{name}.log"
    with open(log, "w") as stream:
        process = subprocess.Popen(list(map(str, command)), stderr=stream)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(map(str, command))} failed: see {log}")
    tell_failures(name, out / "work" / name / f"{BATCH}.tsv")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def maps_of(out: Path, scans: dict[str, Path]) -> dict[str, dict[str, Path]]:
    """Return where Wirbel's maps of every scan are."""
    found = {}
    for name in scans:
        paths = {
            kind: sorted(out.glob(f"sub-*/**/{name}_desc-{kind}_dseg.nii.gz"))
            for kind in ("subregion", "vertebra")
        }
        found[name] = {kind: path[0] for kind, path in paths.items() if path}
    return found
