"""Do SPINEPS 2.1.3 and Wirbel give the same masks? Both run on the same scans with the same weights.

    make parity
    .venv/bin/python benchmarks/parity.py --spineps-python PYTHON [--scans BIDS] [--cases ...]

A case is a pair of networks; each runs with and without bias field correction. Wirbel runs three times: with
`compatibility: spineps`, which must give the other tool's masks; the same but for its own preparation of the image;
and with its own steps throughout, where vertebrae are matched by overlap. The last line is
`min_dice=<number> scans=<n>`: the lowest Dice of any vertebra or subregion under `compatibility: spineps` (of all that
ran, if that did not).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import parity_models
import parity_scores

from wirbel.runner.discovery import update_batches
from wirbel.runner.records import read_records

HERE = Path(__file__).resolve().parent
BATCH = "b00001"
STAGES = ("resample", "semantic", "instance", "merge")
MODES = {"spineps": "spineps", "own preparation": "spineps", "none": "none"}
"""What Wirbel does -> `--compatibility` of the stages after the preparation."""
CASES = ("embedded", "folds", "older", "newer")


def main(argv: list[str] | None = None) -> int:
    """Build the folders, run both tools, print what they differ in."""
    args = arguments(argv)
    scans = find_scans(args)
    lowest, rows = {}, []
    for case in args.cases:
        models = build(case, args.work / "models")
        for n4 in args.n4:
            name = f"{case}, N4 {'on' if n4 else 'off'}"
            theirs, their_log = run_spineps(
                args, models, scans, n4, args.work / f"{case}-{n4}" / "spineps"
            )
            for mode in args.modes:
                out = args.work / f"{case}-{int(n4)}" / f"wirbel-{mode.replace(' ', '-')}"
                times = run_wirbel(args, models, scans, n4, mode, out)
                found = parity_scores.compare(scans, theirs, maps_of(out, scans), mode == "spineps")
                print(f"\n{name}, Wirbel with compatibility: {mode}")
                parity_scores.show(found)
                lowest[mode] = min([lowest.get(mode, 1.0), *(score.lowest for score in found)])
                rows.append((name, mode, times, their_log))
    parity_scores.show_times(rows)
    print(f"min_dice={lowest.get('spineps', min(lowest.values())):.4f} scans={len(scans)}")
    return 0


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spineps-python", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("results/parity"))
    parser.add_argument("--scans", type=Path, help="BIDS folder; default: phantoms made for it")
    parser.add_argument("--count", type=int, default=2, help="phantoms, if no scans are given")
    parser.add_argument("--regions", nargs="+", default=["whole"])
    parser.add_argument("--seed", type=int, default=5000)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--n4", nargs="+", type=int, choices=(0, 1), default=[0, 1])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(argv)


def find_scans(args: argparse.Namespace) -> dict[str, Path]:
    """Return the scans by name, simulated first where no folder is given."""
    args.work.mkdir(parents=True, exist_ok=True)
    if args.scans is None:
        args.scans = args.work / "bids"
        line = ["--bids-dir", args.scans, "--count", args.count, "--seed", args.seed]
        stage(args, "simulate", [*line, "--regions", *args.regions, "--processes", 1])
    found = sorted(args.scans.glob("sub-*/**/anat/*_T2w.nii*"))
    return {path.name.partition(".")[0].removesuffix("_T2w"): path.resolve() for path in found}


def build(case: str, folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders (for SPINEPS, for Wirbel) of both networks."""
    semantic = parity_models.write_semantic(
        folder / f"semantic-{case}", 2 if case == "folds" else 1
    )
    if case in ("embedded", "folds"):
        plugged = parity_models.write_plugged(folder / "plugged")
        return {
            "semantic": (semantic, semantic),
            "instance": (plugged, parity_models.EMBEDDED / "instance"),
        }
    random = parity_models.write_random(folder / case, case)
    return {"semantic": (semantic, semantic), "instance": (random, random)}


def run_spineps(args, models, scans, n4: int, out: Path) -> tuple[dict, dict]:
    """Run the other tool; return its maps by scan, and its account of time and memory."""
    out.mkdir(parents=True, exist_ok=True)
    task = {
        "semantic": str(models["semantic"][0].resolve()),
        "instance": str(models["instance"][0].resolve()),
        "scans": {name: str(path) for name, path in scans.items()},
        "out": str(out.resolve()),
        "n4": bool(n4),
        "threads": args.threads,
    }
    if not _done(out, task):
        _call_spineps(args, out, task)
    maps = {
        name: {kind: out / f"{name}_{kind}.nii.gz" for kind in ("subregion", "vertebra")}
        for name in scans
    }
    return maps, json.loads((out / "log.json").read_text())


def _done(out: Path, task: dict) -> bool:
    """Return whether the same has been run before; it takes minutes per scan."""
    files = out / "task.json", out / "finished"
    return all(f.is_file() for f in files) and json.loads(files[0].read_text()) == task


def _call_spineps(args, out: Path, task: dict) -> None:
    (out / "finished").unlink(missing_ok=True)
    (out / "task.json").write_text(json.dumps(task))
    line = [str(args.spineps_python), str(HERE / "parity_spineps.py"), str(out / "task.json")]
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    environment.pop("PYTHONPATH", None)
    with open(out / "log.txt", "w") as log:
        subprocess.run(line, stdout=log, stderr=log, check=True, env=environment)
    (out / "finished").touch()


def run_wirbel(
    args, models, scans, n4: int, mode: str, out: Path
) -> dict[str, tuple[float, float]]:
    """Run the four stages; return (seconds, peak MB) of each, start of the program included."""
    shutil.rmtree(
        out, ignore_errors=True
    )  # results are kept by code hash, which only the workflow passes
    update_batches(args.scans, out, len(scans))
    semantic, instance = (str(models[kind][1]) for kind in ("semantic", "instance"))
    n4_flag, previous, spent = "--n4" if n4 else "--no-n4", None, {}
    for name in STAGES:
        folder = out / "work" / name
        line = ["--batch", out / "work" / "batches" / f"{BATCH}.tsv", "--output-dir", out]
        line += ["--manifest", folder / f"{BATCH}.tsv", "--threads", args.threads]
        own = mode == "own preparation" and name == "resample"
        line += ["--compatibility", "none" if own else MODES[mode]]
        line += ["--model", instance if name == "instance" else semantic]
        line += ["--previous", previous] if previous else []
        line += [n4_flag] if name in ("resample", "merge") else []
        line += ["--instance-model", instance] if name == "merge" else []
        line += ["--device", "cpu"] if name in ("semantic", "instance") else []
        spent[name] = stage(args, name, line)
        previous = folder / f"{BATCH}.tsv"
        for record in read_records(previous).values():
            if record.status != "ok":
                print(
                    f"{record.scan_id}: {record.status} at {name} ({record.reason}): {record.detail}"
                )
    return spent


def stage(args, name: str, line: list) -> tuple[float, float]:
    """Run one stage in a process of its own; return its seconds and peak memory (MB)."""
    started = time.perf_counter()
    command = [sys.executable, "-m", f"wirbel.stages.{name}", *map(str, line)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
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


if __name__ == "__main__":
    sys.exit(main())
