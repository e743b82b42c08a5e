"""Wirbel against SPINEPS 2.1.3: what both spend beside the networks, on the same scans with the same weights.

    .venv/bin/python benchmarks/speed/versus.py --spineps-python PYTHON [--scans BIDS] [--batches 1 16] [--repeats 3]

The two run in turns, each in its own environment, Wirbel job by job from a plan as the workflow runs it, start of
the programs included. Time inside networks (outermost calls of torch modules) is measured on the way and left out.
By default the scans are simulated, a whole spine and a lumbar one; a batch holds so many copies of a scan. Prints
medians and spread, keeps every run in `runs.csv`, and ends with `cpu_ratio=... gpu_alloc_ratio=... gpu_cpu_ratio=...
mem_ratio=...`: the largest of all scans and batches.

`gpu_alloc` are the wall seconds of jobs that hold a GPU, beside the networks: of the job with both networks here, of
the whole program there; `gpu_cpu` are their CPU seconds, for a machine that has other work. `mem` is the peak of the
largest process.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import figures
import sides
from parity import models as parity_models
from parity import scans as parity_scans


def main(argv: list[str] | None = None) -> int:
    """Run both tools on every scan and batch in turns; print the figures."""
    args = _arguments(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    models = _models(args.work / "models")
    found = []
    for scan in _scans(args):
        for count in args.batches:
            folder = sides.copies(
                scan, count, args.work / f"{scan.stem.partition('.')[0]}-x{count}"
            )
            for repeat in range(args.repeats):
                where = folder / f"run{repeat}"
                ours = sides.run_wirbel(args, models, folder / "bids", where / "wirbel")
                theirs = sides.run_spineps(args, models, folder / "bids", where / "spineps")
                found.append(figures.Run(folder.name, repeat, ours, theirs))
                figures.write_runs(args.work / "runs.csv", found)
            figures.show(folder.name, [run for run in found if run.case == folder.name])
    print(figures.summary(found))
    return 0


def _scans(args) -> list[Path]:
    if args.scans:
        return list(parity_scans.scans_in(args.scans).values())
    made = [getattr(parity_scans, region)(args.work, args.seed) for region in args.regions]
    return [sides.named_copy(folder, args.work) for folder in made]


def _models(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders (for SPINEPS, for Wirbel) of both networks, in the published formats."""
    semantic = parity_models.write_semantic(folder / "semantic", 1)
    plugged = parity_models.write_plugged(folder / "plugged")
    return {
        "semantic": (semantic, semantic),
        "instance": (plugged, parity_models.write_embedded(folder / "embedded")),
    }


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spineps-python", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("results/speed"))
    parser.add_argument("--scans", type=Path, help="BIDS folder; default: simulated scans")
    parser.add_argument(
        "--regions", nargs="+", choices=("whole", "lumbar"), default=["whole", "lumbar"]
    )
    parser.add_argument("--seed", type=int, default=5000, help="of the simulated scans")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n4", type=int, choices=(0, 1), default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
