"""How right and how repeatable the measures are, given the true label maps of simulated persons.

Each person (a seed) is drawn on several scan grids: the standard one (0.86 x 0.86 x 3.3 mm), and two of these in
turn: shifted by fractions of a voxel, rotated by any angle, with slices of 4.4 mm, with voxels of 1 mm, and mirrored
left to right with its axes stored in another order. Besides, the standard one's label maps are themselves resliced,
by the nearest voxel, to 1 mm, to slices of 4.4 mm, or to the rotated grid, in turn. Every scan is measured. The first
one is compared with the truth, the others with the first.

    python benchmarks/measures/phantoms.py --seeds 201 202        # measure and print
    python benchmarks/measures/phantoms.py --summarise                # print again, and write the dictionary's figures

Values go to results/benchmarks/measures.tsv, one line each, so that more seeds can be added later; what is in there
is not measured again. Figures of a measure that rest on more scans than this file holds stay as they are.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from figures import (
    KEYS,
    OTHER_SCANS,
    PAGE,
    RESLICED,
    STANDARD,
    TRUTH,
    read,
    summarise,
    with_earlier,
    write_page,
)
from scipy.ndimage import affine_transform

from wirbel.core.dictionary import NUMBER, TABLES
from wirbel.core.geometry import Grid, Volume, reorient
from wirbel.core.labels import LEFT_RIGHT_PAIRS
from wirbel.core.measures import measure
from wirbel.phantom.imaging.acquisition import sample_acquisition
from wirbel.phantom.imaging.contrast import sample_contrast
from wirbel.phantom.imaging.raster import rasterise
from wirbel.phantom.imaging.scanner import fine_grid, image_tissues
from wirbel.phantom.person.anatomy import sample_anatomy
from wirbel.phantom.person.pose import rotation_from_deg
from wirbel.phantom.person.surroundings import draw_surroundings, sample_habitus
from wirbel.phantom.true_values.truth import truth_tables

ROOT = Path(__file__).parents[2]
VALUES = ROOT / "results" / "benchmarks" / "measures.tsv"
FIGURES = ROOT / "workflow_scripts" / "wirbel" / "core" / "dictionary" / "repeatability.json"
COLUMNS = ("seed", "condition", "table", "row", "measure", "value")
VISIBLE = {
    "vertebrae": ("body_fully_visible", "fully_visible"),
    "discs": ("fully_visible",),
    "levels": ("body_fully_visible",),
}
NOT_MEASURES = ("level_confidence", "in_plane_spacing_mm", "slice_spacing_mm")
GRADES = (
    "genant_grade",
    "meyerding_grade",
    "stenosis_grade",
    "fracture_count",
    "spinal_deformity_index",
)
"""Whole numbers that are measures as well."""
WITH_IMAGE = (STANDARD, "shifted", "mirrored")
"""Conditions that are imaged as well, with noise of their own: for the signal ratios."""
SCANS_OF_A_PERSON = 2
"""So many of the other scans are made of one person, in turn."""
RESLICED_TO = ("isotropic", "thick", "rotated")
"""One of these is made of one person's label maps, in turn."""
LARGEST_ANGLES_DEG = (40.0, 15.0, 20.0)
"""Rotations about the right, the anterior and the superior axis are sampled up to these."""
STORED = ("S", "L", "A")
"""Storage order of the mirrored scans."""


def person(seed: int):
    """Return (anatomy, habitus, contrast, acquisition) as `make_phantom` samples them."""
    rng = np.random.default_rng([seed, 20261])
    anatomy = sample_anatomy(rng)
    habitus = sample_habitus(rng, anatomy)
    contrast = sample_contrast(rng, anatomy, False)
    return anatomy, habitus, contrast, sample_acquisition(rng, anatomy, "whole", 0.86, 3.3)


def grid_like(grid: Grid, spacing_mm, rotation=None, shift=(0, 0, 0)) -> Grid:
    """Return a grid with the same middle that holds the same field of view, turned, shifted (voxels) or coarser."""
    spacing = np.asarray(spacing_mm, float)
    axes = grid.affine[:3, :3] / grid.spacing_mm
    turned = axes if rotation is None else rotation @ axes
    extent = np.abs(turned.T @ axes) @ (np.array(grid.shape) * grid.spacing_mm)
    shape = np.ceil(extent / spacing).astype(int)
    middle = grid.to_world((np.array(grid.shape) - 1) / 2)
    affine = np.eye(4)
    affine[:3, :3] = turned * spacing
    affine[:3, 3] = middle - affine[:3, :3] @ ((shape - 1) / 2 + shift)
    return Grid(tuple(map(int, shape)), affine)


def conditions(grid: Grid, seed: int) -> dict[str, Grid]:
    """Return condition -> the grid that the person is scanned on; the standard one is the first."""
    standard, rng = (0.86, 0.86, 3.3), np.random.default_rng([seed, 7])
    rotation = rotation_from_deg(*(rng.uniform(-1, 1, 3) * LARGEST_ANGLES_DEG))
    grids = {
        "shifted": grid_like(grid, standard, shift=rng.uniform(0.2, 0.8, 3)),
        "rotated": grid_like(grid, standard, rotation),
        "thick": grid_like(grid, (0.8, 0.8, 4.4)),
        "isotropic": grid_like(grid, (1.0, 1.0, 1.0)),
        "mirrored": grid_like(grid, standard, shift=rng.uniform(0.2, 0.8, 3)),
    }
    first = seed * SCANS_OF_A_PERSON
    names = [OTHER_SCANS[(first + k) % len(OTHER_SCANS)] for k in range(SCANS_OF_A_PERSON)]
    resliced = {RESLICED: grids[RESLICED_TO[seed % len(RESLICED_TO)]]}
    return {STANDARD: grid} | {name: grids[name] for name in names} | resliced


def scan(anatomy, habitus, contrast, acquisition, grid: Grid, number: int, imaged: bool):
    """Return (image or None, subregion map, vertebra map) of one scan, in scanner RAS mm."""
    acquisition = replace(acquisition, grid=grid, seed=acquisition.seed + number)
    affine = acquisition.world @ grid.affine
    drawn = rasterise(anatomy, grid)
    image = None
    if imaged:
        fine = fine_grid(acquisition)
        tissue = rasterise(anatomy, fine, draw_surroundings(anatomy, habitus, fine)).tissue
        image = Volume(image_tissues(tissue, contrast, acquisition), affine)
    return image, Volume(drawn.subregion, affine), Volume(drawn.vertebra, affine)


def reslice(label_map: Volume, world: np.ndarray, grid: Grid) -> Volume:
    """Return a label map on another grid (voxel -> anatomical frame, `world` leads on to the scanner's mm)."""
    affine = world @ grid.affine
    matrix = np.linalg.inv(label_map.affine) @ affine
    data = affine_transform(label_map.data, matrix[:3, :3], matrix[:3, 3], grid.shape, order=0)
    return Volume(data, affine)


def mirror(image: Volume, subregion: Volume, vertebra: Volume) -> tuple[Volume, Volume, Volume]:
    """Return a scan of the person's mirror image, with its axes stored in another order."""
    swap = np.arange(256, dtype=np.uint8)
    for left, right in LEFT_RIGHT_PAIRS:
        swap[[left, right]] = right, left
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    scans = image, subregion.with_data(swap[subregion.data]), vertebra
    return tuple(reorient(Volume(v.data, flip @ v.affine), STORED) for v in scans)


def mirror_back(tables: dict) -> dict:
    """Return what was measured in a mirror image as the person's own: left and right change places."""
    return {
        table: {
            key: {_other_side(name): _mirrored(name, value) for name, value in row.items()}
            for key, row in rows.items()
        }
        for table, rows in tables.items()
    }


def _other_side(name: str) -> str:
    for one, other in (("_left", "_right"), ("_right", "_left")):
        if f"{one}_" in name:
            return name.replace(one, other)
    return name


def _mirrored(name: str, value):
    changes = name.endswith("centroid_x_mm") or name == "coronal_wedge_angle_deg"
    return -value if changes and value is not None else value


def run(seed: int, writer, done: set[str]) -> None:
    """Measure one person under the conditions that are not `done` and write all values."""
    anatomy, habitus, contrast, acquisition = person(seed)
    if TRUTH not in done:
        _write(writer, seed, TRUTH, true(truth_tables(anatomy, acquisition, contrast)))
    for number, (name, grid) in enumerate(conditions(acquisition.grid, seed).items()):
        if name in done:
            continue
        drawn_on = acquisition.grid if name == RESLICED else grid
        volumes = scan(
            anatomy, habitus, contrast, acquisition, drawn_on, number, name in WITH_IMAGE
        )
        if name == RESLICED:
            maps = [reslice(v, acquisition.world, grid) for v in volumes[1:]]
            tables = measured(measure(None, *maps))
        elif name == "mirrored":
            tables = mirror_back(measured(measure(*mirror(*volumes))))
        else:
            tables = measured(measure(*volumes))
        _write(writer, seed, name, tables)
        print(f"seed {seed}: {name}", flush=True)


def measured(result) -> dict:
    """Return table -> row -> values."""
    tables = {"vertebrae": result.vertebrae, "discs": result.discs, "levels": result.levels}
    found = {t: {row[KEYS[t]]: row for row in rows} for t, rows in tables.items()}
    return found | {"scans": {0: result.scan}}


def true(tables: dict) -> dict:
    """Return the truth of what lies wholly in view, in the same manner."""
    found = {
        t: {row[KEYS[t]]: row for row in tables[t] if all(row[name] for name in VISIBLE[t][:1])}
        for t in KEYS
    }
    for row in found["vertebrae"].values():
        if not row["fully_visible"]:
            row |= dict.fromkeys(name for name in row if _is_of_whole(name))
        row["body_surface_volume_mm3"] = row["body_volume_mm3"]
    for row in found["discs"].values():
        row["disc_surface_volume_mm3"] = row["disc_volume_mm3"]
    return found | {"scans": {0: tables["scan"]}}


def _is_of_whole(name: str) -> bool:
    """Whether a volume is that of a vertebra or of one of its processes, which slices may cut off."""
    return name.endswith("_volume_mm3") and not name.startswith("body")


def _write(writer, seed: int, condition: str, tables: dict) -> None:
    for table, rows in tables.items():
        numbers = [c.name for c in TABLES[table] if c.kind == NUMBER and c.name not in NOT_MEASURES]
        numeric = [*numbers, *(c.name for c in TABLES[table] if c.name in GRADES)]
        for key, row in rows.items():
            for name in numeric:
                if row.get(name) is not None:
                    writer.writerow((seed, condition, table, key, name, f"{row[name]:.5g}"))


def conditions_of(seed: int) -> set[str]:
    """Return the conditions under which a person was measured before."""
    with VALUES.open(newline="") as file:
        lines = csv.DictReader(file, delimiter="\t")
        return {line["condition"] for line in lines if line["seed"] == str(seed)}


def main() -> None:
    """Measure the seeds asked for, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--summarise", action="store_true", help="write the dictionary's figures")
    args = parser.parse_args()
    VALUES.parent.mkdir(parents=True, exist_ok=True)
    for seed in args.seeds:
        fresh = not VALUES.exists()
        done = set() if fresh else conditions_of(seed)
        with VALUES.open("a", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            if fresh:
                writer.writerow(COLUMNS)
            run(seed, writer, done)
    values = read(VALUES)
    stated = summarise(values)
    if args.summarise:
        stated = with_earlier(stated, json.loads(FIGURES.read_text()))
        FIGURES.write_text(json.dumps(stated, indent=1, sort_keys=True) + "\n")
        write_page(values, stated)
        print(f"written: {FIGURES.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
