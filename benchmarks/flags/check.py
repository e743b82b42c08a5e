"""How often the look at the whole result flags faults, and how often it flags sound scans.

    nice python benchmarks/flags/check.py --clean 200 --faulty 40

Draws the true label maps of simulated scans (1 mm in plane, slices of 3 to 4.4 mm, all four fields of view), checks
them as they are, and with each fault of `faults.py`, `header_faults.py`, `unseen_names.py` and `unseen_masks.py` put
into them. Prints two tables: flags of sound scans, hits of each fault. Sound scans are checked with the true sizes as
measured rows, faulty ones without rows. About a second of one slow core per sound scan, and 20 per faulty one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import numpy as np
from faults import MAP_FAULTS
from header_faults import HEADER_FAULTS
from spine import FAILS, Spine
from unseen_masks import MASK_FAULTS
from unseen_names import NAME_FAULTS

from wirbel.core.geometry import Volume, reorient
from wirbel.core.plausibility.scan_flags import SCAN_FLAGS
from wirbel.core.plausibility.whole.check import ImplausibleResult, check_whole_result
from wirbel.phantom.imaging.acquisition import REGIONS, sample_acquisition
from wirbel.phantom.imaging.raster import rasterise
from wirbel.phantom.person.anatomy import Anatomy, sample_anatomy
from wirbel.phantom.true_values.true_shapes import body_sizes

IN_PLANE_MM = 1.0
ANY = (*SCAN_FLAGS, FAILS)
FAULTS = MAP_FAULTS | HEADER_FAULTS | dict.fromkeys(NAME_FAULTS + MASK_FAULTS, ANY)
SEED = 70000


def draw(seed: int) -> tuple[Spine, list[dict]]:
    """Return the true label maps of a simulated scan, and its bodies' true sizes."""
    rng = np.random.default_rng([seed, 20261])
    anatomy = sample_anatomy(rng)
    region = REGIONS[seed % len(REGIONS)]
    acquisition = sample_acquisition(rng, anatomy, region, in_plane_mm=IN_PLANE_MM)
    canvas = rasterise(anatomy, acquisition.grid)
    affine = acquisition.world @ acquisition.grid.affine
    maps = [reorient(Volume(m, affine)) for m in (canvas.subregion, canvas.vertebra)]
    return Spine(maps[0].data, maps[1].data, maps[0].affine), _rows(anatomy)


def _rows(anatomy: Anatomy) -> list[dict]:
    return [{"level": v.level} | body_sizes(v) for v in anatomy.vertebrae if v.dens is None]


def verdict(spine: Spine, rows: list[dict]) -> set[str]:
    """Return the flags of a scan, or that it fails."""
    try:
        return set(check_whole_result(*spine.volumes, rows))
    except ImplausibleResult:
        return {FAILS}


def check_clean(seeds: range) -> None:
    """Print how many clean scans get which flag."""
    found, any_flag = Counter(), 0
    for seed in seeds:
        flags = verdict(*draw(seed))
        found.update(flags)
        any_flag += bool(flags)
        if flags:
            print(f"seed {seed}: {', '.join(sorted(flags))}", file=sys.stderr, flush=True)
    print(f"\n| flag | of {len(seeds)} clean scans |\n|---|---|")
    for flag in (*SCAN_FLAGS, FAILS):
        print(f"| `{flag}` | {found[flag]} |")
    print(f"| any | {any_flag} ({100 * any_flag / len(seeds):.1f} %) |")


def check_faults(seeds: range, only: list[str]) -> None:
    """Print how many faulty scans get the flag that their fault calls for."""
    scans = [draw(seed)[0] for seed in seeds]
    print("\n| fault | expected | scans | hit | any flag |\n|---|---|---|---|---|")
    for fault, expected in FAULTS.items():
        if only and fault.__name__ not in only:
            continue
        faulty = [spine for spine in map(fault, scans) if spine is not None]
        verdicts = [verdict(spine, []) for spine in faulty]
        hit = sum(bool(v & set(expected)) for v in verdicts)
        some = sum(bool(v) for v in verdicts)
        names = "any" if expected is ANY else " or ".join(f"`{e}`" for e in expected)
        found = Counter(flag for v in verdicts for flag in v)
        about = fault.__doc__.split("\n")[0].rstrip(".")
        n = max(len(verdicts), 1)
        print(
            f"| {about} | {names} | {len(verdicts)} | {100 * hit / n:.0f} % | {100 * some / n:.0f} % |",
            flush=True,
        )
        print(f"{fault.__name__}: {dict(found)}", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Check clean and faulty scans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", type=int, default=200, help="clean scans to check")
    parser.add_argument("--faulty", type=int, default=40, help="scans that get each of the faults")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the first scan")
    parser.add_argument("--only", nargs="+", default=[], help="these faults, by their functions")
    args = parser.parse_args(argv)
    if args.clean:
        check_clean(range(args.seed, args.seed + args.clean))
    if args.faulty:
        check_faults(range(args.seed, args.seed + args.faulty), args.only)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
