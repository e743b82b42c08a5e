"""The real workflow from simulated scans to tables and pictures, with the embedded networks."""

import re
import subprocess
import sys

import pytest
from support.studies.bids_errors import bids_errors
from support.studies.toy_workflow import CHAIN, REPOSITORY, Workflow, copy_workflow

from wirbel.io.tabular.tables import read_table

WEIGHTS = REPOSITORY / "models" / "builtin" / "instance" / "inference_config.json"
FILES_PER_SCAN = 6
"""Two maps with their sidecars, the measurements and the panel (docs/outputs.md)."""
FILES_PER_BATCH = len(CHAIN) + 6
"""A manifest for each stage, list, records and log; thumbnails, what is in them, and their receipt
(docs/outputs.md)."""
MOST_BYTES_PER_SCAN = 1_000_000
"""Of this lumbar scan: its label maps compress well."""
HEIGHT_TOLERANCE_MM = 2.0
"""Twice the mean error that is asked for over many scans: this is one scan."""


def analyse(output) -> None:
    """Run the Python of docs/analyse.md on the tables, one block after the other."""
    page = (REPOSITORY / "docs" / "analyse.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 2
    line = [sys.executable, "-W", "ignore", "-c", "\n".join(blocks)]
    done = subprocess.run(line, cwd=output, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "height_anterior_mm" in done.stdout and "L3" in done.stdout


@pytest.fixture
def real_workflow(tmp_path) -> Workflow:
    """The workflow as it is, models included."""
    workflow = Workflow(tmp_path)
    copy_workflow(workflow.folder)
    return workflow


@pytest.mark.skipif(not WEIGHTS.exists(), reason="models/builtin holds no weights yet")
def test_from_simulated_scans_to_tables_and_pictures(real_workflow):
    workflow = real_workflow
    simulate = "{count: 2, seed: 77, regions: [lumbar], broken: 1}"
    workflow.run("simulate", simulate=simulate)
    told = workflow.run(batch_size=2)
    assert "1 scan measured, 1 failed" in told
    assert "sub-sim0002: failed at resample (unreadable): sub-sim0002_T2w.nii.gz" in told

    cohort, truth = workflow.output / "cohort", workflow.data / "derivatives" / "truth"
    failures = read_table(cohort / "failures.csv")
    assert list(failures["participant_id"]) == ["sub-sim0002"]
    assert list(failures["stage"]) == ["resample"]
    assert set(read_table(cohort / "scans.csv")["participant_id"]) == {"sub-sim0001", "sub-sim0002"}
    found, true = read_table(cohort / "vertebrae.csv"), read_table(truth / "vertebrae.csv")
    whole = true[true["fully_visible"].astype(str).str.lower() == "true"]
    both = whole.merge(found, on=["participant_id", "level"], suffixes=("_true", ""))
    assert len(both) >= 0.75 * len(whole)
    error_mm = (both["height_middle_mm"] - both["height_middle_mm_true"]).abs()
    assert error_mm.mean() < HEIGHT_TOLERANCE_MM

    anat = workflow.output / "sub-sim0001" / "anat"
    for kind in ("subregion", "vertebra"):
        assert (workflow.output / f"desc-{kind}_dseg.tsv").stat().st_size > 0
        for suffix in ("nii.gz", "json"):
            assert (anat / f"sub-sim0001_desc-{kind}_dseg.{suffix}").stat().st_size > 0
    for data_set in (workflow.data, truth, workflow.output):
        assert bids_errors(data_set) == []
    analyse(workflow.output)
    picture = (workflow.output / "qc" / "contact_sheet.png").read_bytes()
    assert picture.startswith(b"\x89PNG")

    kept = [path for path in workflow.output.rglob("sub-sim0001*") if path.is_file()]
    assert len(kept) == FILES_PER_SCAN
    of_batch = [path for path in workflow.output.rglob("*b00001*") if path.is_file()]
    assert len(of_batch) == FILES_PER_BATCH
    assert sum(path.stat().st_size for path in kept) < MOST_BYTES_PER_SCAN

    everything = {p: p.stat().st_mtime_ns for p in workflow.output.rglob("*") if p.is_file()}
    assert "Nothing to be done" in workflow.run(batch_size=2)
    logs = {p for p in everything if "logs" in p.parts or p.name == "workflow.lock"}
    assert all(p.stat().st_mtime_ns == t for p, t in everything.items() if p not in logs)

    for stage in CHAIN:  # the stages look again, and find that nothing needs the dropped results
        (workflow.output / "work" / stage / "b00001.tsv").unlink()
    workflow.run(batch_size=2)
    log = (workflow.output / "logs" / "b00001.log").read_text()
    assert log.count("0 of 2 computed now") == len(CHAIN)
    assert [path for path in workflow.output.rglob("sub-sim0001*") if path.is_file()] == kept
