"""N4 by dense products against ITK's filter: CPU seconds in turns, and how far the fields are apart.

    .venv/bin/python benchmarks/speed/n4.py SCAN [SCAN ...] [--repeats 3] [--method published]

Both fit the same voxels with the same settings, those of networks in the published formats or, with `--method none`,
of the embedded ones. Prints for every scan the medians, their ratio, the largest relative difference of the two fields
inside the tissue, and the share of voxels whose corrected grey value differs. One thread; the last line is
`n4_ratio=<the largest> field_difference=<the largest>`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from wirbel.core.geometry import Volume, turned
from wirbel.core.preparation import bias_field
from wirbel.core.preparation.intake import check_scan
from wirbel.core.preparation.n4 import fitting, itk
from wirbel.core.spineps import bias_field as published
from wirbel.core.spineps.preparation import to_range
from wirbel.io.nifti.volumes import read_volume

WAYS = {"dense": fitting.log_field, "itk": itk.log_field}


class Watched:
    """A way of fitting that remembers its CPU seconds, its field, and which voxels were given."""

    def __init__(self, way: Callable) -> None:
        self.way, self.seconds, self.field, self.mask = way, 0.0, None, None

    def __call__(self, image, mask, settings, shape):
        started = time.process_time()
        self.field = self.way(image, mask, settings, shape)
        self.seconds = time.process_time() - started
        self.mask = mask
        return self.field


def main(argv: list[str] | None = None) -> int:
    """Compare both on every scan."""
    args = _arguments(argv)
    ratios, differences = [], []
    for path in args.scans:
        scan = turned(check_scan(read_volume(path), path.name))
        ratio, difference = _compare(path.name, scan, args)
        ratios.append(ratio)
        differences.append(difference)
    print(f"n4_ratio={max(ratios):.4f} field_difference={max(differences):.2e}")
    return 0


def _compare(name: str, scan: Volume, args) -> tuple[float, float]:
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(args.repeats):
        runs = {way: _run(scan, args.method, Watched(log_field)) for way, log_field in WAYS.items()}
        for way, (watched, _) in runs.items():
            seconds[way].append(watched.seconds)
    (dense, corrected), (there, expected) = runs["dense"], runs["itk"]
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    tissue = _tissue(scan, there.field.shape, args.method)
    difference = float(np.abs(np.expm1(dense.field - there.field))[tissue].max())
    apart = float((corrected != expected).mean())
    ratio = medians["dense"] / medians["itk"]
    shape = " x ".join(map(str, scan.data.shape))
    print(
        f"{name} ({shape}): dense {medians['dense']:.2f} s, ITK {medians['itk']:.2f} s, ratio {ratio:.4f}; "
        f"fields differ by {difference:.1e} at most, {100 * apart:.3f} % of grey values",
        flush=True,
    )
    return ratio, difference


def _run(scan: Volume, method: str, watched: Watched) -> tuple[Watched, np.ndarray]:
    if method == "published":
        data = to_range(scan.data)
        return watched, published.correct_bias_field(scan.with_data(data), watched)
    return watched, np.rint(bias_field.correct_bias_field(scan, watched)[0].data)


def _tissue(scan: Volume, shape: tuple[int, ...], method: str) -> np.ndarray:
    """Return the tissue on the field's grid: from the published threshold on, or Otsu's at 5 mm."""
    if method != "published":
        factors = bias_field.reduction(scan.data.shape, scan.spacing_mm)
        data = scan.data.astype(np.float32) - scan.data.min()
        return bias_field.foreground(bias_field.block_means(data, factors))
    low = (np.array(shape) - scan.data.shape) // 2
    tissue = np.zeros(shape, bool)
    part = tuple(slice(a, a + n) for a, n in zip(low, scan.data.shape, strict=True))
    tissue[part] = to_range(scan.data) >= published.TISSUE
    return tissue


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scans", nargs="+", type=Path)
    parser.add_argument("--method", choices=("published", "none"), default="published")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
