"""Zipped stations through the whole workflow, each segmented by itself, with the embedded networks."""

import pytest
from support.studies.toy_workflow import Workflow, copy_workflow
from workflow.test_phantoms import HEIGHT_TOLERANCE_MM, WEIGHTS

from wirbel.io.tabular.tables import read_table

RULES = "{neck: {description: neck}, chest: {description: chest}, lumbar: {description: lumbar}}"
STATIONS = ["neck", "chest", "lumbar"]


@pytest.mark.skipif(not WEIGHTS.exists(), reason="models/builtin holds no weights yet")
def test_zipped_stations_become_one_table_of_vertebrae(tmp_path):
    workflow = Workflow(tmp_path)
    copy_workflow(workflow.folder)
    workflow.run("simulate", simulate="{count: 1, seed: 31, stations: true}")
    deliveries = workflow.data / "sourcedata"
    asked = {"scans": deliveries, "dicom": "true", "stations": RULES, "stitch": "false"}
    assert "3 scans measured" in workflow.run(**asked)
    cohort, truth = workflow.output / "cohort", workflow.data / "derivatives" / "truth"
    scans = read_table(cohort / "scans.csv")
    assert list(scans["scan_id"]) == [f"sub-sim0001_chunk-{n}" for n in (1, 2, 3)]
    assert list(scans["station"]) == STATIONS
    found, true = read_table(cohort / "vertebrae.csv"), read_table(truth / "vertebrae.csv")
    assert list(found["level"]) == list(true["level"])
    assert list(dict.fromkeys(found["station"])) == STATIONS
    both = found.merge(true, on="level", suffixes=("", "_true"))
    error_mm = (both["height_middle_mm"] - both["height_middle_mm_true"]).abs()
    assert error_mm.mean() < HEIGHT_TOLERANCE_MM
    assert (workflow.output / "qc" / "index.html").exists()

    (deliveries / "sub-sim0001" / "lumbar.zip").unlink()
    assert "2 scans measured, 1 failed" in workflow.run(**asked)
    failures = read_table(cohort / "failures.csv")
    assert failures[["station", "reason"]].to_numpy().tolist() == [["lumbar", "no_series"]]
    left = read_table(cohort / "vertebrae.csv")
    assert set(left["station"]) == {"neck", "chest"}
