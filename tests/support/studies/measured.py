"""An output folder of two batches, measured from the map of a spine of boxes, and its cohort tables."""

import numpy as np
import pandas as pd

from support.studies import planned
from support.studies.planned import BUILTIN, seal_manifests
from wirbel.core import labels as L
from wirbel.core.dictionary import TABLES
from wirbel.io.nifti.volumes import write_volume
from wirbel.io.sidecars import write_json
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.batches import COLUMNS
from wirbel.manifests.records import Record, write_records
from wirbel.plan.plan import plan_file
from wirbel.stages import cohort, features

BEFORE = ("resample", "semantic", "instance", "merge")
MADE_BY = {
    "Models": {kind: {"Name": "builtin", "ToyWeights": True} for kind in ("semantic", "instance")},
    "GeneratedBy": [{"Name": "wirbel", "Version": "0.9"}],
}
LEVELS = {"confidence": 0.9, "method": "sacrum", "agree": None, "flags": ["gap"]}


def scan_row(folder, scan_id, participant, session=""):
    row = {"scan_id": scan_id, "participant_id": participant, "session_id": session}
    return row | {
        "run_id": "",
        "path": str(folder / f"{scan_id}_T2w.nii.gz"),
        "size": 1,
        "mtime_ns": 1,
        "problem": "",
    }


def image_of(subregion):
    """Marrow of 100, discs of 50, cord of 80 and fluid of 200."""
    values = {L.BODY_BORDER: 100, L.DISC: 50, L.CORD: 80, L.CANAL: 200}
    image = np.zeros(subregion.data.shape, np.float32)
    for label, value in values.items():
        image[subregion.data == label] = value
    return subregion.with_data(image)


def gather(output, *more, bids="nowhere"):
    plan = planned.plan_of(output, BUILTIN, bids_dir=str(bids))
    seal_manifests(output, plan)
    assert cohort.main(["--plan", str(plan_file(output)), *map(str, more)]) == 0
    return {t: pd.read_csv(output / "cohort" / f"{t}.csv") for t in TABLES}


def measure_two_batches(folder, maps):
    """Two batches: a measured scan and one that was never readable; another measured scan."""
    batches = {
        "b00001": [
            scan_row(folder, "sub-1_ses-a", "sub-1", "ses-a"),
            scan_row(folder, "sub-2", "sub-2"),
        ],
        "b00002": [scan_row(folder, "sub-3", "sub-3")],
    }
    for batch, rows in batches.items():
        write_rows(folder / f"work/batches/{batch}.tsv", COLUMNS, rows)
        for stage in BEFORE:
            records = [Record(row["scan_id"], "ok", key=stage) for row in rows]
            if batch == "b00001":
                status = "failed" if stage == "resample" else "skipped"
                records[1] = Record("sub-2", status, "unreadable", "sub-2.nii.gz is cut short")
            write_records(folder / f"work/{stage}/{batch}.tsv", records)
    for place, scan_id in (("sub-1/ses-a", "sub-1_ses-a"), ("sub-3", "sub-3")):
        stem = folder / place / "anat" / f"{scan_id}_desc"
        write_volume(folder / f"{scan_id}_T2w.nii.gz", image_of(maps[0]))
        write_volume(f"{stem}-subregion_dseg.nii.gz", maps[0])
        write_volume(f"{stem}-vertebra_dseg.nii.gz", maps[1])
        if scan_id != "sub-3":
            write_json(f"{stem}-vertebra_dseg.json", {"Levels": LEVELS, **MADE_BY})
    for batch in batches:
        assert planned.run(features, folder, BUILTIN, batch=batch) == 0
