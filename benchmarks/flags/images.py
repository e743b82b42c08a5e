"""How often noise and motion in the image are flagged, and how often sound images are.

    nice python benchmarks/flags/images.py --clean 30 --faulty 10

Simulates scans of all fields of view, puts each fault of `image_faults.py` into them, and measures them with their true
label maps: so the figures are those of the measures, not of the networks. Prints a table of hits, and of the figures'
smallest, middle and largest values. About five seconds of a core for a scan, and two for a fault.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

import numpy as np
from image_faults import IMAGE_FAULTS

from wirbel.core.geometry import Volume, reorient
from wirbel.core.measures.quality.columns import NAMES, quality_columns, quality_flags
from wirbel.core.measures.signal.signals import picture_of
from wirbel.phantom import REGIONS, make_phantom

SEED = 90000
Pair = tuple[Volume, Volume]


def draw(seed: int) -> Pair:
    """Return a simulated scan and its structures, slices along the last axis."""
    phantom = make_phantom(seed, REGIONS[seed % len(REGIONS)], with_truth=False)
    image, subregion = (reorient(volume) for volume in (phantom.image, phantom.subregion))
    return image.with_data(image.data.astype(np.float64)), subregion


def row_of(name: str, scans: Iterable[Pair], fault: Callable | None) -> str:
    """Return a line of the table: how many are flagged as what, and the figures."""
    rows = []
    for number, (image, subregion) in enumerate(scans):
        faulty = image if fault is None else fault(image, np.random.default_rng(number))
        rows.append(quality_columns(picture_of(faulty), subregion))
    flags = [quality_flags(row) for row in rows]
    counts = [sum(flag in found for found in flags) for flag in ("low_snr", "motion")]
    spread = [_spread([row[column] for row in rows if row[column] is not None]) for column in NAMES]
    return f"| {name} | {len(rows)} | {counts[0]} | {counts[1]} | {' | '.join(spread)} |"


def _spread(values: list[float]) -> str:
    return " / ".join(f"{v:.3g}" for v in np.quantile(values, (0, 0.5, 1))) if values else "-"


def main(argv: list[str] | None = None) -> int:
    """Measure sound and faulty images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", type=int, default=30, help="sound scans")
    parser.add_argument("--faulty", type=int, default=10, help="scans that get each of the faults")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the first scan")
    args = parser.parse_args(argv)
    print(f"| image | scans | `low_snr` | `motion` | {' | '.join(f'`{n}`' for n in NAMES)} |")
    print("|---" * (4 + len(NAMES)) + "|")
    print(row_of("sound", map(draw, range(args.seed, args.seed + args.clean)), None), flush=True)
    scans = [draw(seed) for seed in range(args.seed, args.seed + args.faulty)]
    for name, fault in IMAGE_FAULTS.items():
        print(row_of(name, scans, fault), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
