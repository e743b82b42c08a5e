"""The whole workflow over toy stages: what is computed, when, and what the user is told."""

from wirbel.manifests.records import read_records


def test_everything_runs_once_and_then_nothing_is_left_to_do(finished, first_run):
    _, told = first_run
    assert "3 scans measured, 1 failed" in told
    assert "sub-04: failed at resample (unreadable): sub-04 is broken" in told
    assert f"Table: {finished.output}/cohort/vertebrae.csv" in told
    assert (finished.output / "cohort" / "scans.csv").read_text() == (
        "scan_id,value\nsub-01,1RSIMF\nsub-02,2RSIMF\nsub-03,3RSIMF\nsub-04,unreadable\n"
    )
    record = read_records(finished.output / "work" / "merge" / "b00001.tsv")["sub-01"]
    assert record.status == "ok"
    assert record.outputs == ("work/merge/sub-01.txt",)
    assert len(finished.computed()) == 3 * 5 + 1
    assert "Nothing to be done" in finished.run()
    assert finished.computed() == []


def test_edited_library_code_reruns_the_stages_that_use_it_and_all_after_them(workflow):
    workflow.scan("sub-01", "1")
    workflow.run(keep_intermediates="true")
    workflow.computed()
    package = workflow.folder / "workflow_scripts" / "wirbel"
    (package / "core" / "smallest.py").write_text('FULL_STOP = "."\n')
    stage = package / "stages" / "merge.py"
    stage.write_text(
        stage.read_text()
        .replace("import sys\n", "import sys\nfrom wirbel.core.smallest import FULL_STOP\n")
        .replace("LETTERS[NAME]", "LETTERS[NAME] + FULL_STOP")
    )
    told = workflow.run("--dry-run", keep_intermediates="true")
    assert "merge          1 scan in 1 of 1 batch: the code changed" in told
    assert "features       1 scan in 1 of 1 batch: follows merge" in told
    workflow.run(keep_intermediates="true")
    assert workflow.computed() == ["features sub-01", "merge sub-01"]
    (package / "core" / "smallest.py").write_text('FULL_STOP = "!"\n')
    workflow.run(keep_intermediates="true")
    assert workflow.computed() == ["features sub-01", "merge sub-01"]
    assert b"sub-01,1RSIM!F" in workflow.tables()["scans.csv"]
    (package / "core" / "smallest.py").write_text('# A remark.\nFULL_STOP = "!"\n')
    assert "Nothing to be done" in workflow.run(keep_intermediates="true")


def test_failed_scans_are_retried_when_asked_each_time(finished):
    finished.computed()
    finished.run(retry_failed="not_sagittal")
    assert finished.computed() == []
    for _ in range(2):
        finished.run(retry_failed="unreadable")
        assert finished.computed() == ["resample sub-04"]
    finished.run()
    assert finished.computed() == []


def test_some_participants_only_and_later_all(workflow):
    for number in (1, 2, 3):
        workflow.scan(f"sub-{number:02}", str(number))
    workflow.run(participants="sub-02")
    assert workflow.tables()["scans.csv"] == b"scan_id,value\nsub-02,2RSIMF\n"
    workflow.computed()
    workflow.run(batch_size=2)
    assert not [line for line in workflow.computed() if line.endswith("sub-02")]
    assert workflow.tables()["scans.csv"].count(b"\n") == 4


def test_a_result_deleted_by_hand_is_found_by_verify_and_computed_again(finished):
    finished.computed()
    (finished.output / "work" / "features" / "sub-01.txt").unlink()
    told = finished.run("verify")
    assert "features b00001: results missing or changed for sub-01" in told
    finished.run()
    assert finished.computed() == ["features sub-01"]
    assert "0 results missing or changed: nothing to do" in finished.run("verify")
