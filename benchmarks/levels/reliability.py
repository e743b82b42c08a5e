"""How often are levels named right, and is `level_confidence` honest? On faulty label maps of simulated persons.

    python benchmarks/levels/reliability.py --persons 60               # spoil, name, print
    python benchmarks/levels/reliability.py --persons 0                # print again what is known
    python benchmarks/levels/reliability.py --calibrate                # fit the calibration and write its figures

Every person's true map is read as it is, and with one or two faults at a time (`faults.py`). A scan is right where
every body that is at least half in view has its own name, and no other row has one. With `--predicted FOLDER`, with
`*_subregion.nii.gz` and `*_vertebra.nii.gz` (bodies by their true numbers), these maps are spoilt as well. Values go to
results/benchmarks/levels.tsv, one line a map.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faults import FAULTS, Case
from fitting import fit, write_calibration

from wirbel.core.geometry import Grid, Volume, reorient, upright
from wirbel.core.instances.bodies import Bodies, separate_bodies
from wirbel.core.labels import BODY_LABELS, SACRUM
from wirbel.core.levels.certainty import model_probability
from wirbel.core.levels.naming import Levels, levels_of
from wirbel.io.nifti.volumes import read_volume
from wirbel.phantom import REGIONS
from wirbel.phantom.imaging.acquisition import sample_acquisition
from wirbel.phantom.imaging.raster import rasterise
from wirbel.phantom.person.anatomy import sample_anatomy

ROOT = Path(__file__).parents[2]
VALUES = ROOT / "results" / "benchmarks" / "levels.tsv"
IN_PLANE_MM, SLICE_MM = 1.2, 3.3
MAPS_PER_PERSON = 20
COLUMNS = ("person", "source", "faults", "probability", "confidence", "right", "flags", "method")
IN_VIEW = 0.5


@dataclass(frozen=True)
class Person:
    """A map to be spoilt, with its name."""

    name: str
    source: str
    case: Case


def simulated(seed: int) -> Person:
    """Return the true maps of one simulated scan, on a coarse grid."""
    random = np.random.default_rng([seed, 20261])
    anatomy = sample_anatomy(random)
    region = REGIONS[(seed % 7) % len(REGIONS)] if seed % 7 < 4 else "lumbar"
    scan = sample_acquisition(random, anatomy, region, IN_PLANE_MM, SLICE_MM)
    canvas = rasterise(anatomy, scan.grid)
    flat = upright(Volume(canvas.subregion, scan.world @ scan.grid.affine))
    return Person(f"sim{seed}", f"simulated {region}", _case(flat, canvas.vertebra))


def predicted(folder: Path) -> list[Person]:
    """Return the maps of a folder."""
    found = []
    for path in sorted(folder.glob("*_subregion.nii.gz")):
        maps = [
            reorient(read_volume(str(path).replace("subregion", k)))
            for k in ("subregion", "vertebra")
        ]
        name = path.name.removesuffix("_subregion.nii.gz")
        found.append(Person(name, "predicted", _case(upright(maps[0]), maps[1].data)))
    return found


def _case(flat: Volume, vertebra: np.ndarray) -> Case:
    return Case(
        np.ascontiguousarray(flat.data),
        np.ascontiguousarray(vertebra),
        Grid(flat.data.shape, flat.affine),
    )


def spoilt(person: Person, number: int) -> tuple[Case, list[str]]:
    """Return a copy of a person's map with none (number 0), one or two faults, and their names."""
    random = np.random.default_rng([sum(map(ord, person.name)), number])
    case = Case(person.case.subregion.copy(), person.case.vertebra, person.case.grid)
    case.body, case.labels = person.case.body, person.case.labels
    wanted = 0 if number == 0 else int(random.choice([1, 1, 2]))
    done: list[str] = []
    for at in random.permutation(len(FAULTS)):
        if len(done) < wanted and FAULTS[at](case, random):
            done.append(FAULTS[at].__name__)
    return case, done


def judge(case: Case, bodies: Bodies, levels: Levels, whole: dict[int, int]) -> bool:
    """Return whether every body in view has its own name, and nothing else has one."""
    named = np.zeros(256, np.uint8)
    named[1 : len(levels.labels) + 1] = levels.labels
    found = named[bodies.numbers]
    for label, size in whole.items():
        inside = case.of(label) & np.isin(case.subregion, BODY_LABELS)
        if np.count_nonzero(inside) < IN_VIEW * size:
            continue
        if np.bincount(found[inside], minlength=1).argmax() != label:
            return False
    rows = [int(n) for n in np.unique(found) if 0 < n != SACRUM]
    return all(
        np.bincount(case.vertebra[(found == n) & case.body], minlength=1).argmax() == n
        for n in rows
    )


def rows_of(person: Person, count: int) -> list[dict]:
    """Name a person's map and its spoilt versions; return a row of values for each."""
    rows = []
    touching = _at_the_border(person.case)
    whole = {n: int(person.case.of(n).sum()) for n in person.case.labels if n not in touching}
    for number in range(count):
        case, done = spoilt(person, number)
        bodies = separate_bodies(Volume(case.subregion, case.grid.affine))
        counters = Volume(bodies.numbers, case.grid.affine)
        levels = levels_of(counters, bodies)
        rows.append(
            {
                "person": person.name,
                "source": person.source,
                "faults": "+".join(done) or "none",
                "probability": round(model_probability(bodies.decision), 4),
                "confidence": levels.confidence,
                "right": int(judge(case, bodies, levels, whole)),
                "flags": ";".join(levels.flags),
                "method": levels.method,
            }
        )
    return rows


def _at_the_border(case: Case) -> set[int]:
    faces = [np.take(case.vertebra, side, axis) for axis in (0, 1) for side in (0, -1)]
    return {int(n) for face in faces for n in np.unique(face)}


def read() -> list[dict]:
    """Return the rows that are known."""
    if not VALUES.exists():
        return []
    with VALUES.open() as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def add(rows: list[dict]) -> None:
    """Add rows to the file."""
    VALUES.parent.mkdir(parents=True, exist_ok=True)
    new = not VALUES.exists()
    with VALUES.open("a") as stream:
        writer = csv.DictWriter(stream, COLUMNS, delimiter="\t")
        if new:
            writer.writeheader()
        writer.writerows(rows)


CONFIDENCES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.001)


def summarise(rows: list[dict]) -> None:
    """Print how many are right, by fault and by confidence."""
    right = np.array([row["right"] == "1" for row in rows])
    confidence = np.array([float(row["confidence"]) for row in rows])
    told = np.array([bool(row["flags"]) for row in rows]) | (confidence < 0.7)
    print(
        f"{len(rows)} maps, {right.mean():.1%} right, {_share(told[~right])} of the wrong ones told"
    )
    print("(told: flagged, or confidence below 0.7)")
    for name in sorted({fault for row in rows for fault in row["faults"].split("+")}):
        own = np.array([name in row["faults"].split("+") for row in rows])
        told_of = _share(told[own & ~right])
        print(f"  {name:28s} {own.sum():5d} maps, {right[own].mean():6.1%} right, {told_of} told")
    for low, high in zip(CONFIDENCES, CONFIDENCES[1:], strict=False):
        own = (confidence >= low) & (confidence < high)
        if own.any():
            mean, share = confidence[own].mean(), right[own].mean()
            print(
                f"  confidence from {low:.2f}: {own.sum():5d} maps, mean {mean:.3f}, {share:6.1%} right"
            )


def _share(found: np.ndarray) -> str:
    return f"{found.mean():.0%}" if len(found) else "none"


def main(argv: list[str] | None = None) -> int:
    """Spoil, name, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persons", type=int, default=0, help="simulated persons to add")
    parser.add_argument("--maps", type=int, default=MAPS_PER_PERSON, help="of each person")
    parser.add_argument("--first", type=int, default=31000, help="seed of the first person")
    parser.add_argument("--predicted", type=Path, help="folder with predicted maps to add")
    parser.add_argument("--calibrate", action="store_true", help="write the calibration")
    args = parser.parse_args(argv)
    known = {row["person"] for row in read()}
    people = predicted(args.predicted) if args.predicted else []
    seeds = (args.first + i for i in range(args.persons))
    for number, make in enumerate([*people, *seeds]):
        name = make.name if isinstance(make, Person) else f"sim{make}"
        if name not in known:
            add(rows_of(make if isinstance(make, Person) else simulated(make), args.maps))
            print(f"\r{number + 1} persons", end="", file=sys.stderr, flush=True)
    rows = read()
    summarise(rows)
    if args.calibrate:
        write_calibration(*fit(rows), rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
