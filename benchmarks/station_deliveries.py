"""Deliveries of three stations per person through the stage `ingest`: what comes of each, and how exact the seams are.

Simulated whole spines are cut into stations with known shifts, tilts and gains and delivered as zipped DICOM: a tenth
damaged, the others whole in many ways, in random order (tests/support/deliveries/station_cohort.py). Prints what did
not come out as it should, counts by way, and the errors of the seams. Exit code 1 if anything is wrong.
Run: nice .venv/bin/python benchmarks/station_deliveries.py --count 200 --folder /tmp/deliveries
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.deliveries.ingesting import Study  # noqa: E402
from support.deliveries.station_cohort import (  # noqa: E402
    BAD,
    GOOD,
    RULES,
    SeamError,
    delivered,
    seam_errors,
)
from support.deliveries.stations import tall  # noqa: E402

from wirbel.core.geometry import Volume  # noqa: E402
from wirbel.io.sidecars import read_json  # noqa: E402
from wirbel.manifests.records import Record  # noqa: E402
from wirbel.phantom import make_phantom  # noqa: E402

EACH_SPINE = 5
"""Times that a spine is cut anew: making it takes half as long as putting it together."""
VOXEL_MM = (1.5, 4.4)
"""In plane and between slices: coarser than protocols have it (0.9 and 3.3), which is quicker and harder."""
BRIGHTEST = 3500
"""Of 12 bits, so that stations are stored with the gains that they were given."""
BAD_SHARE = 0.1
LARGEST_ERROR_MM = 0.5


@lru_cache(2)
def texture(seed: int) -> Volume:
    """Return a volume of 390 mm with structure everywhere, which takes a tenth of a spine's time."""
    return tall(rows=260, seed=seed)


@lru_cache(2)
def spine(seed: int) -> Volume:
    """Return the scan of a simulated whole spine."""
    in_plane, apart = VOXEL_MM
    asked = {"in_plane_mm": in_plane, "slice_mm": apart, "with_truth": False}
    image = make_phantom(seed, region="whole", **asked).image
    return image.with_data(image.data * (BRIGHTEST / image.data.max()))


def ways_of(count: int, seed: int) -> list:
    """Return how each person's stations are delivered: every way as often as every other of its kind."""
    bad = round(BAD_SHARE * count)
    ways = [list(BAD)[i % len(BAD)] for i in range(bad)]
    ways += [list(GOOD)[i % len(GOOD)] for i in range(count - bad)]
    random.Random(seed).shuffle(ways)
    return ways


def problems_of(way, record: Record | None, sidecar: dict) -> list[str]:
    """Return what did not come out of a delivery as it should."""
    expected = {**GOOD, **BAD}[way]
    if record is None:
        return ["lost"]
    wanted = ("failed", expected.reason) if expected.reason else ("ok", "")
    if (record.status, record.reason) != wanted:
        return [f"expected {wanted}, found {record.status} {record.reason}: {record.detail}"]
    missing = sidecar.get("MissingStations", {})
    return [] if missing == expected.missing else [f"stations missing: {missing}"]


def run(count: int, seed: int, folder: Path, image_of: Callable[[int], Volume]) -> int:
    """Deliver, ingest, compare; return how many deliveries are wrong."""
    study, ways, stations = Study(folder), ways_of(count, seed), []
    paths: list[tuple[str, Path]] = []
    for number, way in enumerate(ways):
        own = study.folder / f"d{number:04}"
        made, cut = delivered(way, own, image_of(seed + number // EACH_SPINE), 1000 * seed + number)
        paths += [(f"{number:04}", path) for path in made]
        stations.append(cut)
    random.Random(seed).shuffle(paths)
    for name, path in paths:
        study.deliver(name, path)
    began = time.process_time()
    records = study.run(stations=RULES)
    told = f"{(time.process_time() - began) / count:.1f} s of a processor each, without dcm2niix"
    wrong, counted, errors = 0, Counter[str](), []
    for number, way in enumerate(ways):
        record = records.get(f"sub-{number:04}")
        good = record is not None and record.status == "ok"
        sidecar = read_json(study.out / record.outputs[1]) if record and good else {}
        found = seam_errors(sidecar, stations[number]) if sidecar else []
        errors += found
        problems = problems_of(way, record, sidecar)
        problems += [f"seam {e}" for e in found if e.shift_mm > LARGEST_ERROR_MM]
        counted[f"{way.__name__}: {'wrong' if problems else 'right'}"] += 1
        wrong += bool(problems)
        for problem in problems:
            print(f"sub-{number:04} ({way.__name__}): {problem}")
    print("\n".join(f"{number:4} {name}" for name, number in sorted(counted.items())))
    print(f"{count} deliveries, {len(paths)} paths, {len(records)} records, {wrong} wrong; {told}")
    print(seams_in_words(errors))
    return wrong


def seams_in_words(errors: list[SeamError]) -> str:
    """Return the median and the largest errors."""
    told = []
    for name, unit in (("shift_mm", "mm"), ("rotation_deg", "deg"), ("gain", "of the brightness")):
        values = np.array([getattr(error, name) for error in errors])
        told.append(f"{name} median {np.median(values):.3f}, largest {values.max():.3f} {unit}")
    return f"{len(errors)} seams: " + "; ".join(told)


def main() -> int:
    """Run as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--image", choices=("spine", "texture"), default="spine")
    parser.add_argument("--folder", type=Path, help="where to work; kept. Default: a temporary one")
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    wrong = run(args.count, args.seed, folder, {"spine": spine, "texture": texture}[args.image])
    if args.folder is None:
        shutil.rmtree(folder)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
