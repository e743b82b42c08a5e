"""Draw one picture of the cohort: image, subregions and vertebrae of its scans, and what failed.

At most `--scans` scans are shown, evenly spread over the cohort; they are read one after another. Vertebrae have the
names that were measured: those of the reader who corrected them, or of the session's other stations.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.labels import BODY_LABELS, LEVEL_NAMES, SACRUM
from wirbel.core.pictures.contact_sheet import Entry, Failure, draw_sheet, pixel_size_mm
from wirbel.core.pictures.sagittal_views import sagittal_view, view_size_mm
from wirbel.core.preparation.voxel_values import cleaned
from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.maps.reviewed_map import naming_map
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.pictures import write_picture
from wirbel.io.sidecars import read_json
from wirbel.manifests.batches import Scan, StageFolders, list_batches, read_scans
from wirbel.manifests.receipts import digest_of_seals, read_seals, write_receipt
from wirbel.manifests.records import OK, Record, read_records
from wirbel.plan.plan import output_of, read_plan
from wirbel.report.attention import LOW_CONFIDENCE

LAST_STAGES = ("merge", "features")
SHEET = "qc/contact_sheet.png"
DAMAGED = "its maps were damaged after they had been written: run the same command again, which makes them again"

TOY_BANNER = (
    "TOY WEIGHTS ({}): trained almost only on simulated scans, for trying the software; names and outlines of real "
    "scans are not fit for science"
)


@dataclass(frozen=True)
class Segmented:
    """A scan, its row of the stage that wrote the maps, and which files hold the names that were measured."""

    scan: Scan
    record: Record
    renamed: Record | None = None
    """The row of the measurements, where these wrote a map with other names."""

    @property
    def naming(self) -> str:
        """Which map to show: `vertebra`, or `reviewed` with the names that were measured instead."""
        return naming_map(self.renamed.outputs if self.renamed else ())

    def damaged(self, output_dir: Path) -> set[str]:
        """Return those of its maps that are no longer what was written."""
        rows = [row for row in (self.record, self.renamed) if row]
        return {name for row in rows for name in row.damaged(output_dir, trust_stamps=False)}


def segmented(
    output_dir: Path, stages: tuple[str, ...] = LAST_STAGES, ingested: str = ""
) -> list[Segmented]:
    """Return every scan with its rows of the stages that wrote the maps and measured them, in the order of the batches.

    `ingested`: see `wirbel.manifests.batches.read_scans`.
    """
    found = []
    for batch in list_batches(output_dir):
        manifests = [output_dir / "work" / stage / f"{batch}.tsv" for stage in stages]
        for manifest in manifests:
            if not manifest.exists():
                raise InfrastructureError(f"{manifest} is missing; run the workflow first")
        written, measured = map(read_records, manifests)
        for scan in read_scans(output_dir, batch, ingested):
            if scan.scan_id in written:
                renamed = measured.get(scan.scan_id)
                if renamed is None or naming_map(renamed.outputs) == "vertebra":
                    renamed = None
                found.append(Segmented(scan, written[scan.scan_id], renamed))
    return found


def evenly(items: list, most: int) -> list:
    """Return at most `most` of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]


def entry_of(scan: Scan, folders: StageFolders, naming: str = "vertebra") -> Entry:
    """Read one scan with its maps and return what the sheet shows of it; `naming` is the map with the names."""
    stem = folders.anat(scan) / f"{scan.scan_id}_desc"
    subregion = read_volume(f"{stem}-subregion_dseg.nii.gz")
    vertebra = read_volume(f"{stem}-{naming}_dseg.nii.gz")
    image = _image(scan, subregion)
    levels = read_json(f"{stem}-{naming}_dseg.json")["Levels"]
    pixel_mm = pixel_size_mm(*view_size_mm(subregion))
    bodies = np.unique(vertebra.data[np.isin(subregion.data, BODY_LABELS)])
    caption, warning = describe(bodies, levels)
    view = sagittal_view(image, subregion, vertebra, pixel_mm)
    return Entry(scan.scan_id, view, caption, warning)


def banner_of(scans: list[Scan], folders: StageFolders) -> str:
    """Return the warning over a sheet on which maps of networks for trying the software are shown."""
    models = [_models(scan, folders) for scan in scans]
    toys = {part["Name"] for parts in models for part in parts.values() if part.get("ToyWeights")}
    return TOY_BANNER.format(", ".join(sorted(toys))) if toys else ""


def _models(scan: Scan, folders: StageFolders) -> dict[str, dict]:
    sidecar = folders.anat(scan) / f"{scan.scan_id}_desc-vertebra_dseg.json"
    return read_json(sidecar).get("Models", {})


def describe(present: np.ndarray, levels: dict) -> tuple[str, bool]:
    """Return a line on the vertebrae found and how sure their names are, and whether it is a warning.

    `present` are the labels of vertebrae with a body, which the tables count as well: of one more, only a process may
    be in view.
    """
    names = [name for label, name in LEVEL_NAMES.items() if label in present and label != SACRUM]
    if not names:
        return "no vertebra found", True
    number = "1 vertebra" if len(names) == 1 else f"{len(names)} vertebrae"
    words = f"{number}, {names[0]} to {names[-1]}" if len(names) > 1 else f"{number}, {names[0]}"
    method = {
        "top": "counted from the top",
        "sacrum": "counted from the sacrum",
        "both": "counted from both ends",
        "estimated": "estimated",
        "labelling": "named by the labelling network",
        "stations": "named together with the session's other stations",
        "reader": "corrected by a reader",
    }.get(levels["method"], levels["method"])
    words += f"; levels {method}"
    if levels["method"] != "reader":
        words += f", confidence {levels['confidence']:.2f}"
    if levels["agree"] is False:
        words += "; top and sacrum disagree"
    return words, levels["agree"] is False or levels["confidence"] < LOW_CONFIDENCE


def _image(scan: Scan, like: Volume) -> Volume:
    """Return the scan's image; a black one when the file was moved after its segmentation."""
    try:
        image = cleaned(read_volume(scan.path))
    except ScanError:
        return like.with_data(np.zeros(like.data.shape, np.float32))
    if image.data.shape != like.data.shape:
        return like.with_data(np.zeros(like.data.shape, np.float32))
    return image.with_data(image.data.astype(np.float32))


def is_damaged(one: Segmented, output_dir: Path) -> bool:
    """Whether a scan's maps are no longer what was written; they are removed, so that the next run makes them again."""
    damaged = one.damaged(output_dir)
    for name in damaged:
        (output_dir / name).unlink(missing_ok=True)
    return bool(damaged)


def draw(
    output_dir: Path,
    sheet: Path,
    scans: int,
    failures: int,
    stages: tuple[str, ...] = LAST_STAGES,
    ingested: str = "",
) -> str:
    """Draw the sheet and return its subtitle."""
    found = segmented(output_dir, stages, ingested)
    worked = [one for one in found if one.record.status == OK]
    failed = [one.record for one in found if one.record.status != OK]
    chosen = evenly(worked, scans)
    shown = [one for one in chosen if not is_damaged(one, output_dir)]
    broken = [replace(c.record, reason="damaged", detail=DAMAGED) for c in chosen if c not in shown]
    failed = broken + failed
    listed = failed[:failures]
    folders = StageFolders(output_dir)
    subtitle = f"{len(shown)} of {len(worked)} segmented scans shown; {len(failed)} failed"
    picture = draw_sheet(
        "Wirbel contact sheet",
        subtitle,
        [entry_of(one.scan, folders, one.naming) for one in shown],
        [Failure(record.scan_id, record.reason, record.detail) for record in listed],
        len(failed) - len(listed),
        banner_of([one.scan for one in shown], folders),
    )
    write_picture(sheet, picture)
    return subtitle


def main(argv: list[str] | None = None) -> int:
    """Draw the contact sheet; return the exit code."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.contact_sheet", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="work/plan.json")
    parser.add_argument("--threads", type=int, default=1, help="not used: one is enough")
    parser.add_argument("--scans", type=int, default=24, help="most scans to show")
    parser.add_argument("--failures", type=int, default=24, help="most failed scans to list")
    args = parser.parse_args(argv)
    output_dir = output_of(args.plan)
    sheet = output_dir / SHEET
    try:
        plan = read_plan(args.plan)
        stages = plan.names[-2:]
        seals = read_seals(output_dir, plan, stages)
        wanted = args.scans, args.failures, stages, plan.ingested
        print(f"contact_sheet: {draw(output_dir, sheet, *wanted)}")
        made_by, made_from = plan.stage("contact_sheet").fingerprint, digest_of_seals(seals)
        write_receipt(output_dir, "contact_sheet", made_by, made_from, [sheet])
    except (InfrastructureError, ScanError, OSError) as error:
        print(f"contact_sheet: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
