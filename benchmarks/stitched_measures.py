"""What stitching changes in the measures: label maps of spines that were cut into stations, against uncut ones.

The stations of a simulated spine, with known shifts and tilts, are put together as the stage `ingest` does. The true
label map of the result is drawn on its grid as each station shows it, where registration placed it; measures of this
map are compared with those of the map of the uncut scan. What remains is the error of the seams, and of another grid.
Prints for each measure the share of rows that differ by less than its stated repeatability (95 % of repeated scans).
Run: nice .venv/bin/python benchmarks/stitched_measures.py --seeds 301 302 303
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import asdict

import numpy as np

from wirbel.core.geometry import Grid, Volume
from wirbel.core.measures import measure
from wirbel.core.stitching.stations import DOWN, stitched
from wirbel.io.repeatability import read_repeatability
from wirbel.phantom import Phantom, make_phantom
from wirbel.phantom.imaging.raster import rasterise
from wirbel.phantom.imaging.stations import cut_stations

VOXEL_MM = (0.86, 3.3)
"""In plane and between slices, on which the repeatability was measured."""
TABLES = ("vertebrae", "discs", "levels")
PLACES = ("centroid_x_mm", "centroid_y_mm", "centroid_z_mm")
"""These follow the middle station's header, also where no seam is near."""


def labels_on(phantom: Phantom, grid: Grid, to_true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both label maps on a grid whose world `to_true` (4 x 4) maps to where the person was."""
    inside = np.linalg.inv(phantom.acquisition.world) @ to_true @ grid.affine
    canvas = rasterise(phantom.anatomy, Grid(grid.shape, inside))
    return canvas.subregion, canvas.vertebra


def stitched_labels(phantom: Phantom, seed: int) -> tuple[Volume, Volume]:
    """Return the true maps of the stitched scan: above, between and below its seams as the stations show it."""
    cut = {station.name: station for station in cut_stations(phantom.image, seed)}
    result = stitched({name: station.volume for name, station in cut.items()})
    grid = result.volume.grid
    ends = [0, *(row + 1 for row in result.rows), grid.shape[DOWN]]
    maps = [np.zeros(grid.shape, np.uint8) for _ in range(2)]
    for place, name in enumerate(result.names):
        back = np.eye(4)
        back[:3, 3] = np.negative(cut[name].shift_mm)
        part = slice(ends[place], ends[place + 1])
        start = np.array([0, part.start, 0])
        affine = grid.affine.copy()
        affine[:3, 3] = grid.to_world(start)
        shape = (grid.shape[0], part.stop - part.start, grid.shape[2])
        own = Grid(shape, affine)
        for target, drawn in zip(
            maps, labels_on(phantom, own, back @ np.linalg.inv(result.motions[place])), strict=True
        ):
            target[:, part] = drawn
    return Volume(maps[0], grid.affine), Volume(maps[1], grid.affine)


def rows_of(subregion: Volume, vertebra: Volume) -> dict[tuple[str, str], dict]:
    """Return (table, level) -> the measures of a pair of maps."""
    measured = asdict(measure(None, subregion, vertebra))
    return {(table, row["level"]): row for table in TABLES for row in measured[table]}


def compare(seed: int, ratios: dict[tuple[str, str], list[float]]) -> None:
    """Add |difference| / repeatability of every measure of a person."""
    in_plane, apart = VOXEL_MM
    asked = {"in_plane_mm": in_plane, "slice_mm": apart, "with_truth": False}
    phantom = make_phantom(seed, region="whole", **asked)
    whole = rows_of(phantom.subregion, phantom.vertebra)
    found = rows_of(*stitched_labels(phantom, seed))
    stated = read_repeatability()
    lost = sorted(whole.keys() - found.keys())
    print(
        f"seed {seed}: {len(whole)} rows uncut, {len(found)} stitched; lost: {lost or 'none'}",
        flush=True,
    )
    for key in whole.keys() & found.keys():
        for name, figures in stated.get(key[0], {}).items():
            one, other = whole[key].get(name), found[key].get(name)
            if name in PLACES or not isinstance(one, float) or not isinstance(other, float):
                continue
            if np.isfinite(one) and np.isfinite(other) and figures["Difference95"] > 0:
                ratios[key[0], name].append(abs(one - other) / figures["Difference95"])


def main() -> None:
    """Compare some spines and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[301, 302, 303])
    args = parser.parse_args()
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    for seed in args.seeds:
        compare(seed, ratios)
    for (table, name), values in sorted(ratios.items()):
        within = 100 * np.mean(np.array(values) <= 1)
        print(
            f"{table:10}{name:40}{len(values):5} rows, {within:5.1f} % within; median {np.median(values):.2f} of it"
        )
    everything = np.concatenate([np.array(values) for values in ratios.values()])
    print(
        f"all: {everything.size} values, {100 * np.mean(everything <= 1):.1f} % within the stated repeatability"
    )


if __name__ == "__main__":
    main()
