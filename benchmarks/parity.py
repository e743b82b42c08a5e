"""Do SPINEPS 2.1.3 and Wirbel give the same masks? Both run on the same scans with the same weights.

    make parity
    .venv/bin/python benchmarks/parity.py --spineps-python PYTHON [--scans BIDS] [--cases ...]

A case is a pair of networks. Wirbel runs twice: with `compatibility: spineps`, which must give the other tool's masks
and numbers; and as it does by default with networks in the published formats (`auto`), where the masks must be the
same, and vertebrae, which may have other names, are matched by overlap; there it merges anew what the networks gave
before. `--modes none` shows Wirbel's own steps.
The last line is `min_dice=<number> scans=<n>`: the lowest Dice of any vertebra or subregion under `compatibility:
spineps` (of all that ran, if that did not) over n scans; a scan counts once however many cases show it.
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
import parity_scans
import parity_scores

from wirbel.runner.discovery import update_batches
from wirbel.runner.records import read_records

HERE = Path(__file__).resolve().parent
BATCH = "b00001"
STAGES = ("resample", "semantic", "instance", "merge")
MODES = ("spineps", "auto", "none")
"""Values of `--compatibility`."""


CASES = {
    "embedded": (("whole", 1), ("lumbar", 0)),
    "folds": (("pieces", 0),),
    "older": (("pieces", 0),),
    "newer": (("pieces", 0),),
}
"""Case -> (which scans of `parity_scans`, whether with bias field correction), unless others are asked for.

The later ones show other networks in the same surroundings, for which pieces of scans are enough.
"""


def main(argv: list[str] | None = None) -> int:
    """Build the folders, run both tools, print what they differ in."""
    args = arguments(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    lowest, rows, seen = {}, [], set()
    for case in args.cases:
        models = build(case, args.work / "models")
        for name, n4 in runs(args, case):
            folder = args.scans or getattr(parity_scans, name)(args.work, args.seed)
            found, times = compare(args, f"{case}-{name}-{n4}", folder, models, n4)
            rows += times
            for mode, results in found.items():
                compared = [scan for scan in results if not scan.neither]
                seen.update((name, scan.name) for scan in compared)
                lowest[mode] = min([lowest.get(mode, 1.0), *(scan.lowest for scan in compared)])
    parity_scores.show_times(rows)
    for mode, value in lowest.items():
        print(f"lowest Dice with compatibility {mode}: {value:.4f}")
    print(f"min_dice={lowest.get('spineps', min(lowest.values())):.4f} scans={len(seen)}")
    return 0


def runs(args, case: str) -> list[tuple[str, int]]:
    """Return which scans a case is run on, and with or without bias field correction."""
    names = ["given"] if args.scans else list(dict.fromkeys(name for name, _ in CASES[case]))
    if args.n4:
        return [(name, n4) for name in names for n4 in args.n4]
    return [("given", 1)] if args.scans else list(CASES[case])


def compare(args, name: str, folder: Path, models, n4: int) -> tuple[dict, list[tuple]]:
    """Run both tools on a folder's scans; return the comparisons by mode, and times and memory."""
    scans, out = parity_scans.scans_in(folder), args.work / name
    theirs, their_log = run_spineps(args, models, scans, n4, out / "spineps")
    found, rows = {}, []
    for mode in args.modes:
        ours = out / f"wirbel-{mode}"
        # Results are kept by a hash of the code, which only the workflow passes.
        shutil.rmtree(ours, ignore_errors=True)
        stages = STAGES
        if mode == "auto" and "spineps" in found:
            shutil.copytree(out / "wirbel-spineps" / "work", ours / "work")
            stages = ("merge",)
        update_batches(folder, ours, len(scans))
        times = run_wirbel(args, models, n4, mode, ours, stages)
        found[mode] = parity_scores.compare(scans, theirs, maps_of(ours, scans), mode == "spineps")
        print(f"\n{name}, Wirbel with compatibility: {mode}")
        parity_scores.show(found[mode])
        sys.stdout.flush()
        rows.append((name, mode, times, their_log))
    return found, rows


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spineps-python", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("results/parity"))
    parser.add_argument("--scans", type=Path, help="BIDS folder; default: phantoms made for it")
    parser.add_argument("--seed", type=int, default=5000, help="of the phantoms")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--n4", nargs="+", type=int, choices=(0, 1), help="default: the run's own")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["spineps", "auto"])
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(argv)


def build(case: str, folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders (for SPINEPS, for Wirbel) of both networks."""
    semantic = parity_models.write_semantic(
        folder / f"semantic-{case}", 2 if case == "folds" else 1
    )
    if case in ("embedded", "folds"):
        plugged = parity_models.write_plugged(folder / "plugged")
        return {
            "semantic": (semantic, semantic),
            "instance": (plugged, parity_models.write_embedded(folder / "embedded")),
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
        done = subprocess.run(line, stdout=log, stderr=log, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(line)} failed: see {out / 'log.txt'}")
    (out / "finished").touch()


def run_wirbel(
    args, models, n4: int, mode: str, out: Path, stages: tuple[str, ...]
) -> dict[str, tuple[float, float]]:
    """Run the stages; return (seconds, peak MB) of each, start of the program included."""
    semantic, instance = (str(models[kind][1]) for kind in ("semantic", "instance"))
    n4_flag, spent = "--n4" if n4 else "--no-n4", {}
    before = dict(zip(STAGES[1:], STAGES, strict=False))
    for name in stages:
        folder = out / "work" / name
        line = ["--batch", out / "work" / "batches" / f"{BATCH}.tsv", "--output-dir", out]
        line += ["--manifest", folder / f"{BATCH}.tsv", "--threads", args.threads]
        line += ["--compatibility", mode]
        line += ["--model", instance if name == "instance" else semantic]
        line += (
            ["--previous", out / "work" / before[name] / f"{BATCH}.tsv"] if name in before else []
        )
        line += [n4_flag] if name in ("resample", "merge") else []
        line += ["--instance-model", instance] if name == "merge" else []
        line += ["--device", "cpu"] if name in ("semantic", "instance") else []
        spent[name] = stage(name, line, out / f"{name}.log")
        for record in read_records(folder / f"{BATCH}.tsv").values():
            if record.status == "failed":
                print(f"{record.scan_id}: failed at {name} ({record.reason}): {record.detail}")
    return spent


def stage(name: str, line: list, log: Path) -> tuple[float, float]:
    """Run one stage in a process of its own; return its seconds and peak memory (MB)."""
    started = time.perf_counter()
    command = [sys.executable, "-m", f"wirbel.stages.{name}", *map(str, line)]
    with open(log, "w") as stream:
        process = subprocess.Popen(command, stderr=stream)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: see {log}")
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
