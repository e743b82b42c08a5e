"""Write a BIDS data set of simulated scans, and what is true about them.

Scan number i (from 0) is the phantom of seed `--seed` + i, so any of them can be made again alone. The
truth lies in `derivatives/truth`: label maps on the scans' own grids and the tables `scans.csv`,
`vertebrae.csv`, `discs.csv` and `levels.csv`. Run again, it makes only what is missing or was made otherwise.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.ingest.writing import SeriesInfo, write_zipped
from wirbel.io.atomic import write_bytes
from wirbel.io.nifti.volumes import LABELS, write_volume
from wirbel.io.sidecars import read_json, write_json
from wirbel.io.simulated import (
    CT_FOLDER,
    DELIVERIES,
    refusal,
    write_descriptions,
    write_station_settings,
)
from wirbel.io.tabular.tables import write_rows
from wirbel.phantom import REGIONS, Phantom, make_phantom
from wirbel.phantom.imaging.stations import NAMES, Station, cut_stations
from wirbel.phantom.orders import ANY_REGION, Order, age_and_sex, orders
from wirbel.phantom.tomography import make_ct
from wirbel.plan.code.codehash import stage_code_hash
from wirbel.runner.machine.locks import sole_writer
from wirbel.runner.machine.process import end_with

KEPT_SHARE = 0.6
"""Share of its bytes that a file cut short on purpose keeps."""
STATION_COLUMNS = (
    *("station", "header_shift_right_mm", "header_shift_front_mm", "header_shift_up_mm"),
    *("tilt_deg", "gain"),
)
IDENTITY = ("participant_id", "session_id", "run_id", "scan_id")


def make(order: Order, bids_dir: Path) -> dict[str, Any]:
    """Make one scan unless it stands already as ordered; return the content of its truth file."""
    truth_path = truth_folder(bids_dir, order) / f"{order.scan_id}_truth.json"
    known = _standing(truth_path, order, bids_dir)
    if known is not None:
        return known
    region = None if order.region == ANY_REGION else order.region
    phantom = make_phantom(order.seed, region=region)
    files = [*write_scan(order, phantom, bids_dir), *write_truth_maps(order, phantom, bids_dir)]
    files += write_stations(order, phantom, bids_dir) if order.stations else []
    files += write_ct(order, phantom, bids_dir) if order.ct else []
    sizes = {str(path.relative_to(bids_dir)): path.stat().st_size for path in files}
    content = {"order": asdict(order), "files": sizes, "truth": phantom.truth}
    write_json(truth_path, content)
    return read_json(truth_path)


def truth_folder(bids_dir: Path, order: Order) -> Path:
    """Return where a scan's truth goes."""
    return bids_dir / "derivatives" / "truth" / order.participant_id / "anat"


def write_scan(order: Order, phantom: Phantom, bids_dir: Path) -> list[Path]:
    """Write the image, cut short if so ordered, and its BIDS sidecar."""
    image = bids_dir / order.participant_id / "anat" / f"{order.scan_id}_T2w.nii.gz"
    write_volume(image, phantom.image, np.int16)
    if order.broken:
        content = image.read_bytes()
        write_bytes(image, content[: int(KEPT_SHARE * len(content))])
    sidecar = image.with_name(f"{order.scan_id}_T2w.json")
    thickness_mm = round(float(max(phantom.image.spacing_mm)), 4)
    write_json(
        sidecar,
        {
            "Modality": "MR",
            "Manufacturer": "simulated",
            "ImageType": ["ORIGINAL", "PRIMARY", "SIMULATED"],
            "SliceThickness": thickness_mm,
            "SpacingBetweenSlices": thickness_mm,
        },
    )
    return [image, sidecar]


def write_stations(order: Order, phantom: Phantom, bids_dir: Path) -> list[Path]:
    """Write the scan once more as three stations, a zip archive of DICOM each, and what is true about them.

    Of a broken scan the last archive is cut short.
    """
    folder, paths = bids_dir / DELIVERIES / order.participant_id, []
    stations = cut_stations(phantom.image, order.seed)
    for number, station in enumerate(stations, 1):
        info = SeriesInfo(_description(station.name), number, f"simulated {order.seed}")
        paths.append(write_zipped(folder / f"{station.name}.zip", station.volume, info))
    if order.broken:
        content = paths[-1].read_bytes()
        write_bytes(paths[-1], content[: int(KEPT_SHARE * len(content))])
    table = truth_folder(bids_dir, order) / f"{order.scan_id}_stations.tsv"
    write_rows(table, STATION_COLUMNS, map(_station_row, stations))
    return [*paths, table]


def _description(station: str) -> str:
    """Return what the series of a station is called."""
    return f"T2_TSE_SAG_{station}"


def _station_row(station: Station) -> dict[str, Any]:
    shifts = dict(zip(STATION_COLUMNS[1:4], station.shift_mm, strict=True))
    own = {"station": station.name, "tilt_deg": station.tilt_deg, "gain": station.gain}
    return own | shifts


def write_ct(order: Order, phantom: Phantom, bids_dir: Path) -> list[Path]:
    """Write the tomogram of the same person in the same position."""
    folder = bids_dir / CT_FOLDER / order.participant_id / "ct"
    write_volume(folder / f"{order.scan_id}_ct.nii.gz", make_ct(phantom), np.int16)
    return [folder / f"{order.scan_id}_ct.nii.gz"]


def write_truth_maps(order: Order, phantom: Phantom, bids_dir: Path) -> list[Path]:
    """Write both label maps on the scan's own grid."""
    paths = []
    for kind in ("subregion", "vertebra"):
        path = truth_folder(bids_dir, order) / f"{order.scan_id}_desc-{kind}_dseg.nii.gz"
        write_volume(path, getattr(phantom, kind), np.uint8, intent=LABELS)
        paths.append(path)
    return paths


def write_tables(made: list[dict[str, Any]], bids_dir: Path) -> None:
    """Write the participants' table and the tables of true measures; broken scans have no measures."""
    truth = bids_dir / "derivatives" / "truth"
    tables: dict[str, list[dict]] = {"scans": [], "vertebrae": [], "discs": [], "levels": []}
    participants = []
    for content in made:
        order = Order(**content["order"])
        identity = dict(zip(IDENTITY, (order.participant_id, "", "", order.scan_id), strict=True))
        own = {"seed": order.seed, "broken": str(order.broken).lower()}
        tables["scans"].append(identity | own | content["truth"]["scan"])
        participants.append(
            {"participant_id": order.participant_id, **age_and_sex(order.seed)} | own
        )
        for table in () if order.broken else ("vertebrae", "discs", "levels"):
            tables[table] += [identity | row for row in content["truth"][table]]
    for table, rows in tables.items():
        columns = list(dict.fromkeys(name for row in rows for name in row)) or list(IDENTITY)
        write_rows(truth / f"{table}.csv", columns, [_as_cells(row) for row in rows])
    columns = ["participant_id", "age", "sex", "seed", "broken"]
    write_rows(bids_dir / "participants.tsv", columns, participants)


def contradiction(args: argparse.Namespace) -> str:
    """Return what is wrong with the arguments; empty if nothing is."""
    if args.count < 1 or not 0 <= args.broken <= args.count:
        return "expected --count of at least 1 and --broken between 0 and --count"
    if args.stations and set(args.regions) != {"whole"}:
        return "expected --regions whole with --stations: other scans are too short for three"
    return ""


def simulate(to_make: list[Order], bids_dir: Path, processes: int) -> None:
    """Make all scans, then the tables, then `truth.json`, which says that the data set is complete."""
    write_descriptions(bids_dir, ct=any(order.ct for order in to_make))
    if any(order.stations for order in to_make):
        write_station_settings(bids_dir, {name: _description(name) for name in NAMES})
    folders = [bids_dir] * len(to_make)
    if processes > 1 and len(to_make) > 1:
        number = min(processes, len(to_make))
        with ProcessPoolExecutor(number, initializer=end_with, initargs=(os.getpid(),)) as pool:
            made = list(_told(pool.map(make, to_make, folders), len(to_make)))
    else:
        made = list(_told(map(make, to_make, folders), len(to_make)))
    write_tables(made, bids_dir)
    scans = [{"scan_id": o.scan_id, "seed": o.seed, "broken": o.broken} for o in to_make]
    write_json(bids_dir / "derivatives" / "truth" / "truth.json", {"scans": scans})


def _standing(path: Path, order: Order, bids_dir: Path) -> dict[str, Any] | None:
    """Return a scan's truth file when it was made to the same order and all its files are whole."""
    try:
        content = read_json(path)
        whole = all((bids_dir / name).stat().st_size == n for name, n in content["files"].items())
    except (OSError, ValueError, KeyError):
        return None
    return content if whole and content["order"] == asdict(order) else None


def _told(made, total: int):
    for number, content in enumerate(made, 1):
        order = content["order"]
        print(f"simulate: {number} of {total}, {order['participant_id']}", flush=True)
        yield content


def _as_cells(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with numbers rounded to 0.001 and truth values as in the cohort's tables."""
    rounded = {name: round(v, 3) if isinstance(v, float) else v for name, v in row.items()}
    return {name: str(v).lower() if isinstance(v, bool) else v for name, v in rounded.items()}


def main(argv: list[str] | None = None) -> int:
    """Simulate a cohort."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.simulate", description=__doc__)
    parser.add_argument("--bids-dir", type=Path, required=True, help="where to write the data set")
    parser.add_argument("--count", type=int, default=6, help="number of scans")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first scan")
    parser.add_argument(
        "--regions",
        nargs="+",
        choices=(*REGIONS, ANY_REGION),
        default=["whole"],
        help="fields of view, repeated over the scans in turn",
    )
    parser.add_argument(
        "--broken", type=int, default=0, help="so many of the last files are cut short on purpose"
    )
    parser.add_argument(
        "--stations",
        action="store_true",
        help="write each scan also as three stations of zipped DICOM, to sourcedata",
    )
    parser.add_argument(
        "--ct", action="store_true", help=f"also a tomogram of each person, in {CT_FOLDER}"
    )
    parser.add_argument("--processes", type=int, default=1, help="scans made at the same time")
    args = parser.parse_args(argv)
    if wrong := contradiction(args):
        parser.error(wrong)
    refused = refusal(args.bids_dir)
    if refused:
        print(f"simulate: {refused}", file=sys.stderr)
        return 1
    code = stage_code_hash("simulate")
    wanted = args.count, args.seed, args.regions, args.broken, code
    to_make = orders(*wanted, stations=args.stations, ct=args.ct)
    lock, evidence = args.bids_dir / ".simulate.lock", args.bids_dir / "derivatives" / "truth"
    with sole_writer(lock, evidence, print):
        simulate(to_make, args.bids_dir, args.processes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
