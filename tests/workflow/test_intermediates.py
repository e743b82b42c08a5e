"""Intermediate results over the whole workflow: dropped, not missed, and made again exactly when needed."""

from support.studies.toy_workflow import CHAIN

from wirbel.manifests.records import RecordBook, manifest_file, records_file

DROPPED = ["instance", "resample", "semantic"]
"""Stages whose toy results are intermediate; merge and features stand for the final ones."""


GOOD = ["sub-01", "sub-02", "sub-03"]


def _kept(workflow) -> list[str]:
    """Return the stages that have results on disk."""
    return sorted({path.parent.name for path in workflow.output.glob("work/*/sub-*.txt")})


def _edit_merge(workflow, mark: str) -> None:
    stage = workflow.folder / "workflow_scripts" / "wirbel" / "stages" / "merge.py"
    stage.write_text(stage.read_text().replace("LETTERS[NAME]", f"LETTERS[NAME] + {mark!r}", 1))


def test_they_are_dropped_and_not_missed(finished):
    finished.computed()
    assert _kept(finished) == ["features", "merge"]
    assert "0 results missing or changed: nothing to do" in finished.run("verify")
    finished.scan("sub-02", "corrected")
    finished.run()
    assert finished.computed() == sorted(f"{stage} sub-02" for stage in CHAIN)
    assert _kept(finished) == ["features", "merge"]


def test_edited_code_of_the_stage_that_reads_them_makes_them_again_and_later_code_does_not(
    finished,
):
    finished.computed()
    _edit_merge(finished, "!")
    finished.run()
    assert len(finished.computed()) == 3 * len(CHAIN)
    assert b"sub-01,1RSIM!F" in finished.tables()["scans.csv"]
    assert _kept(finished) == ["features", "merge"]
    stages = finished.folder / "workflow_scripts" / "wirbel" / "stages"
    (stages / "features.py").write_text((stages / "features.py").read_text() + "# end\nDONE = 1\n")
    finished.run()
    assert finished.computed() == [f"features {scan}" for scan in GOOD]


def test_final_results_deleted_by_hand_are_made_again_from_the_scan(finished):
    tables = finished.tables()
    finished.computed()
    (finished.output / "work" / "merge" / "sub-02.txt").unlink()
    told = finished.run("verify")
    assert "merge b00001: results missing or changed for sub-02" in told
    finished.run()
    assert finished.computed() == sorted(
        f"{stage} sub-02" for stage in CHAIN if stage != "features"
    )
    assert finished.tables() == tables

    for stage in ("merge", "features"):  # with their manifests, the records of all scans
        manifest_file(finished.output, stage, "b00001").unlink()
        book = RecordBook(records_file(finished.output, "b00001"), stage)
        book.drop(book.on_disk())
    finished.run()
    assert finished.computed() == sorted(f"{stage} {scan}" for stage in CHAIN for scan in GOOD)
    assert finished.tables() == tables
    assert _kept(finished) == ["features", "merge"]
