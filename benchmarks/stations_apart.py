"""Stations put together against stations segmented apart: vertebrae found, names, and measures against the uncut scan.

Simulated whole spines are cut into three overlapping stations with known shifts and tilts. Once they are stitched, as
the stage `ingest` does; once each is a scan of its own, and their vertebrae are joined by position (`stitch: false`).
Masks are the true ones as each grid shows them, so that what differs is due to the cuts alone: names come from the
decision that the stage `merge` takes, measures from the stage `features`. Prints for both ways the share of vertebrae
that are found, complete and rightly named, and how far heights and volumes are from those of the uncut scan.
Run: nice .venv/bin/python benchmarks/stations_apart.py --seeds 301 302 303
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import asdict, dataclass, field

import numpy as np
from stitched_measures import VOXEL_MM, labels_on, stitched_labels

from wirbel.core.geometry import Volume
from wirbel.core.joining.choosing import best_rows
from wirbel.core.joining.naming import joint_names
from wirbel.core.joining.stations import Station, body_centroids
from wirbel.core.labels import LEVEL_LABELS, LEVEL_NAMES, LEVEL_ORDER, SACRUM
from wirbel.core.levels.naming import Levels, name_levels
from wirbel.core.measures import measure
from wirbel.core.reviewing.shifting import moved_names
from wirbel.core.stitching.stations import seam_above
from wirbel.phantom import Phantom, make_phantom
from wirbel.phantom.imaging.stations import cut_stations

COMPARED = (
    "height_anterior_mm",
    "height_middle_mm",
    "height_posterior_mm",
    "body_volume_mm3",
    "vertebra_volume_mm3",
)
Maps = tuple[Volume, Volume]


@dataclass
class Found:
    """What one way finds of one person: true level -> (name, row)."""

    rows: dict[str, tuple[str, dict]] = field(default_factory=dict)


def own_names(maps: Maps) -> tuple[Levels, dict[int, int]]:
    """Return what a scan's own evidence says of its levels, and true label -> name; 0 for none."""
    subregion, vertebra = maps
    present = [int(v) for v in np.unique(vertebra.data) if v in LEVEL_NAMES and v != SACRUM]
    present.sort(key=lambda label: LEVEL_ORDER[label])
    counters = np.zeros(256, np.uint8)
    counters[present] = np.arange(1, len(present) + 1)
    counters[SACRUM] = SACRUM
    levels = name_levels(vertebra.with_data(counters[vertebra.data]), subregion)
    return levels, dict(zip(present, levels.labels, strict=True))


def rows_of(maps: Maps) -> dict[str, dict]:
    """Return true level -> the measures of its vertebra."""
    return {row["level"]: row for row in asdict(measure(None, *maps))["vertebrae"]}


def in_one_piece(maps: Maps) -> Found:
    """Return what a scan finds that shows all stations, or was never cut."""
    _, names = own_names(maps)
    rows = rows_of(maps)
    told = {level: LEVEL_NAMES.get(names[LEVEL_LABELS[level]], "") for level in rows}
    return Found({level: (told[level], row) for level, row in rows.items()})


def in_stations(phantom: Phantom, seed: int) -> Found:
    """Return what the stations find, each by itself, after they are joined by position."""
    cut = {station.name: station for station in cut_stations(phantom.image, seed)}
    volumes = {name: station.volume for name, station in cut.items()}
    maps, names, stations = {}, {}, []
    for name, station in cut.items():
        back = np.eye(4)
        back[:3, 3] = np.negative(station.shift_mm)
        subregion, vertebra = labels_on(phantom, station.volume.grid, back)
        affine = station.volume.affine
        maps[name] = Volume(subregion, affine), Volume(vertebra, affine)
        levels, names[name] = own_names(maps[name])
        seam = seam_above(volumes, name)
        places = body_centroids(*maps[name])
        stations.append(
            Station(
                name,
                {
                    names[name][label]: place
                    for label, place in places.items()
                    if names[name][label]
                },
                levels.confidence,
                levels.method,
                levels.alternative,
                *(() if seam is None else (seam[0].upper, seam[1])),
            )
        )
    joined = joint_names(stations)
    for station in stations:
        told = joined[station.name]
        print(
            f"    {station.name}: confidence {station.confidence:.2f}, moved by {told.shift} {told.flags}"
        )
        new = moved_names([v for v in names[station.name].values() if v], told.shift)
        names[station.name] = {k: new.get(v, 0) for k, v in names[station.name].items()}
    return best_of(maps, names, {name: one.numbers for name, one in joined.items()})


def best_of(maps: dict[str, Maps], names: dict[str, dict[int, int]], numbers: dict) -> Found:
    """Return the rows that no other station has better; both maps carry true labels."""
    order = list(maps)
    rows = [list(rows_of(maps[name]).values()) for name in order]
    called = [
        [LEVEL_NAMES.get(names[name][LEVEL_LABELS[row["level"]]], "") for row in own]
        for name, own in zip(order, rows, strict=True)
    ]
    columns = []
    for own, levels in zip(rows, called, strict=True):
        named = [(row, level) for row, level in zip(own, levels, strict=True) if level]
        columns.append(
            {
                "level": [level for _, level in named],
                "complete": [
                    row["body_status"] == row["vertebra_status"] == "ok" for row, _ in named
                ],
                "vertebra_volume_mm3": [row["vertebra_volume_mm3"] for row, _ in named],
                "row": [row for row, _ in named],
            }
        )
    kept = best_rows("vertebrae", columns, [numbers[name] for name in order])
    found = Found()
    for own, places in zip(columns, kept, strict=True):
        for place in places:
            true = own["row"][place]["level"]
            if true in found.rows:
                print(f"    {true} is there twice")
            found.rows[true] = own["level"][place], own["row"][place]
    return found


def compare(seed: int, figures: dict[str, dict[str, list[float]]]) -> None:
    """Add the figures of one person."""
    in_plane, apart = VOXEL_MM
    asked = {"in_plane_mm": in_plane, "slice_mm": apart, "with_truth": False}
    phantom = make_phantom(seed, region="whole", **asked)
    print(f"seed {seed}", flush=True)
    whole = in_one_piece((phantom.subregion, phantom.vertebra))
    ways = {
        "uncut": whole,
        "stitched": in_one_piece(stitched_labels(phantom, seed)),
        "apart": in_stations(phantom, seed),
    }
    for way, found in ways.items():
        for level, (_, row) in whole.rows.items():
            name, other = found.rows.get(level, ("", {}))
            figures[way]["found"].append(bool(other))
            figures[way]["rightly named"].append(name == level)
            figures[way]["body wholly in view"].append(other.get("body_status") == "ok")
            for column in COMPARED if other and row["body_status"] == "ok" else ():
                one, two = row[column], other[column]
                if one is not None and two is not None:
                    figures[way][column].append(abs(two - one) / one)


def main() -> None:
    """Compare some spines and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[301, 302, 303])
    args = parser.parse_args()
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in args.seeds:
        compare(seed, figures)
    for way, found in figures.items():
        for name in ("found", "rightly named", "body wholly in view"):
            print(f"{way:10}{name:24}{sum(found[name]):5.0f} of {len(found[name])}")
        for name in COMPARED if way != "uncut" else ():
            values = 100 * np.array(found[name])
            told = f"median {np.median(values):.2f} %, 95th percentile {np.percentile(values, 95):.2f} %"
            print(
                f"{way:10}{name:24}{values.size:5} rows, off by {told}, most {values.max():.1f} %"
            )


if __name__ == "__main__":
    main()
