"""The tables of a cohort of simulated measurements, with participants' columns."""

import numpy as np

from support.studies import planned
from wirbel.io.tabular.measurements import write_measurements
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.batches import COLUMNS, batch_file
from wirbel.manifests.records import Record, write_records
from wirbel.plan.chain import STAGES
from wirbel.plan.plan import plan_file
from wirbel.stages import cohort

SCANS = 40
ODD = 7


def gather_simulated_cohort(output, bids):
    """Forty scans with one vertebra each; number 7 has an odd height, number 8 no complete one."""
    names = [f"sub-{i:02d}" for i in range(SCANS)]
    heights = 26 + np.linspace(-2, 2, SCANS).round(2)
    heights[ODD] = 39
    for name, height in zip(names, heights.tolist(), strict=True):
        status = "touches_border" if name == "sub-08" else "ok"
        row = {"label": 20, "level": "L1", "height_anterior_mm": height, "height_status": status}
        path = output / "work" / "features" / f"{name}_features.json"
        scan = {"scan_status": "ok", "model": "builtin (toy weights)", "wirbel_version": "0.0.1"}
        write_measurements(path, scan, {"vertebrae": [row]})
    blank = {"session_id": "", "run_id": "", "size": 1, "mtime_ns": 1, "problem": ""}
    rows = [blank | {"scan_id": n, "participant_id": n, "path": f"/{n}.nii"} for n in names]
    write_rows(batch_file(output, "b00001"), COLUMNS, rows)
    for stage in STAGES:
        outputs = [(f"work/{stage}/{name}_{stage}.json",) for name in names]
        records = [Record(n, "ok", outputs=o) for n, o in zip(names, outputs, strict=True)]
        write_records(output / "work" / stage / "b00001.tsv", records)
    people = ["participant_id\tsex\tage\tsite\tsmoker\tlabel"]
    people += [
        f"{name}\tF\t{'n/a' if i == 3 else 50}\t007\ttrue\tx" for i, name in enumerate(names)
    ]
    (bids / "participants.tsv").write_text("\n".join(people[:-1]) + "\n")  # the last is not listed
    plan = planned.plan_of(output, planned.BUILTIN, bids_dir=str(bids))
    planned.seal_manifests(output, plan)
    assert cohort.main(["--plan", str(plan_file(output))]) == 0
    return output / "cohort"
