"""Do SPINEPS 2.1.3 and Wirbel give the same masks? Both run on the same scans with the same weights.

    make parity
    PYTHONPATH=benchmarks .venv/bin/python -m parity --spineps-python PYTHON [--scans BIDS] [--cases ...]

A case is a pair of networks; `labelling` adds a row of labelling networks (`labelling.py`), `maps` has none and
gives both tools the same faulty label maps (`maps.py`). Wirbel runs twice: with `compatibility: spineps`, which
must give SPINEPS' masks and numbers; and as it does by default with networks in the published formats
(`auto`), where the masks must be the same, and vertebrae, which may have other names, are matched by overlap; there it
merges anew what the networks gave before. `--modes none` shows Wirbel's own steps.
The last line is `min_dice=<number> scans=<n>`: the lowest Dice of any vertebra or subregion under `compatibility:
spineps` (of all that ran, if that did not) over n scans; a scan counts once however many cases show it, and so does
every faulty map.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from parity import labelling as parity_labelling
from parity import maps as parity_maps
from parity import models as parity_models
from parity import scans as parity_scans
from parity import scores as parity_scores
from parity.runs import maps_of, refused, run_mode, run_spineps

MODES = ("spineps", "auto", "none")
"""Values of `--compatibility`."""


CASES = {
    "embedded": (("whole", 1), ("lumbar", 0)),
    "folds": (("pieces", 0),),
    "older": (("pieces", 0),),
    "newer": (("pieces", 0),),
    "published-size": (("pieces", 0),),
    "labelling": (("thoracolumbar", 0),),
    "maps": (("whole", 0), ("lumbar", 0)),
}
"""Case -> (which scans of `parity_scans`, whether with bias field correction), unless others are asked for.

The later ones show other networks in the same surroundings, for which pieces of scans are enough.
"""
ON_REQUEST = ("published-size",)
"""Its cut-outs take minutes each."""
COMPARISONS = {"labelling": parity_labelling.compare, "maps": parity_maps.compare}
"""Of the cases that need one of their own."""


def main(argv: list[str] | None = None) -> int:
    """Build the folders, run both tools, print what they differ in."""
    args = arguments(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    lowest, rows, seen = {}, [], set()
    for case in args.cases:
        models = build(case, args.work / "models")
        for name, n4 in runs(args, case):
            folder = args.scans or getattr(parity_scans, name)(args.work, args.seed)
            comparing = COMPARISONS.get(case, compare)
            found, times = comparing(args, f"{case}-{name}-{n4}", folder, models, n4)
            rows += times
            for mode, results in found.items():
                compared = [scan for scan in results if not scan.left_out]
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
        ours, times = run_mode(args, models, n4, mode, folder, out)
        found[mode] = parity_scores.compare(
            scans, theirs, maps_of(ours, scans), mode == "spineps", refused(ours)
        )
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
    usual = [case for case in CASES if case not in ON_REQUEST]
    parser.add_argument("--cases", nargs="+", choices=CASES, default=usual)
    parser.add_argument("--n4", nargs="+", type=int, choices=(0, 1), help="default: the run's own")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["spineps", "auto"])
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(argv)


def build(case: str, folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders (for SPINEPS, for Wirbel) of both networks."""
    semantic = parity_models.write_semantic(
        folder / f"semantic-{case}", 2 if case == "folds" else 1
    )
    if case in ("embedded", "folds", "labelling", "maps"):
        plugged = parity_models.write_plugged(folder / "plugged")
        return {
            "semantic": (semantic, semantic),
            "instance": (plugged, parity_models.write_embedded(folder / "embedded")),
        }
    variant = "older" if case == "published-size" else case
    trained = parity_models.write_trained(folder / variant, variant)
    if case == "published-size":
        trained = parity_models.write_published_size(folder / case, trained)
    return {"semantic": (semantic, semantic), "instance": (trained, trained)}


if __name__ == "__main__":
    sys.exit(main())
