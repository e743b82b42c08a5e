"""Data sets as people have them: told before the first job, and no oddity stops the good scans."""

import json
import os

ODD_NAMES = ["sub-a;b", "sub-a  b", "sub-'q\"", "sub-ä", "sub-x\x1b[2J", "sub-t\tab", "sub-u\u2028"]


def test_odd_names_stop_nobody_and_reach_no_terminal(workflow):
    workflow.scan("sub-01", "1")
    for name in ODD_NAMES:
        workflow.scan(name, "x")
    workflow.scan("sub-" + 225 * "l", "long")
    copy = workflow.data / "sub-01 (copy)" / "anat" / "sub-01_T2w.nii.gz"
    copy.parent.mkdir(parents=True)
    copy.write_text("copied")
    (workflow.data / "sub-02").mkdir()
    people = workflow.data / "participants.tsv"
    people.write_bytes('participant_id;age\r\n1;61\r\n"77;62\r\n'.encode("utf-16"))
    told = workflow.run(batch_size=3)
    assert "5 scans or folders are left out because of their names (misnamed), such as" in told
    assert "1 of 2 ids match no participant of the data set, or more than one, such as" in told
    assert "\x1b[2J" not in told and "\u2028" not in told and "sub-t\tab" not in told
    scans = (workflow.output / "cohort" / "scans.csv").read_text().splitlines()
    assert scans[1:] == [
        '"sub-\'q""",xRSIMF',
        "sub-01,1RSIMF",
        "sub-a  b,xRSIMF",
        "sub-a;b,xRSIMF",
        "sub-ä,xRSIMF",
    ]
    found = json.loads((workflow.output / "work/batches/dataset.json").read_text())["findings"]
    reasons = sorted(row["reason"] for row in found)
    assert reasons == ["misnamed"] * 5 + ["no_scan"] * 2
    assert "Nothing to be done" in workflow.run(batch_size=3)


def test_participants_are_checked_before_the_first_job_and_changes_noticed_by_content(workflow):
    workflow.scan("sub-001", "1")
    people = workflow.data / "participants.tsv"
    people.write_text("id\tage\n001\t61\n")
    told = workflow.run(fails=True)
    assert "participants.tsv has no column participant_id" in told and "Traceback" not in told
    assert not (workflow.output / "work" / "resample").exists()
    people.write_text("participant_id\tage\n1\t61\n")
    workflow.run()
    workflow.computed()
    people.write_text("participant_id\tage\n1\t62\n")
    told = workflow.run("--dry-run")
    assert "cohort         participants.tsv, or what is odd in the data set, changed" in told
    workflow.run()
    tables = workflow.tables()
    os.utime(people, (4e9, 4e9))  # in the year 2096
    assert "Nothing to be done" in workflow.run()
    assert workflow.tables() == tables


def test_participants_given_as_a_list_are_taken_as_they_were_written(workflow):
    for name in ("sub-001", "sub-1", "sub-12E4"):
        workflow.scan(name, "x")
    assert "1 scan found" in workflow.run("--dry-run", participants="001")
    assert "1 scan found" in workflow.run("--dry-run", participants="12E4")
    told = workflow.run("--dry-run", participants="lists/mine.txt", fails=True)
    assert "there is no file 'lists/mine.txt'" in told


def test_the_exit_code_tells_a_script_also_when_there_is_nothing_to_do(finished):
    """One of four scans failed: fine by default, not with fail_on=any; nothing is computed for the second."""
    for fail_on, code in (("any", 3), ("0.2", 3), ("0.25", 0), ("none", 0)):
        process = finished.start(fail_on=fail_on)
        told = process.communicate(timeout=300)[0]
        assert process.returncode == code, told
        assert "Nothing to be done" in told
        assert "3 scans measured, 1 failed" in told
        assert "sub-04: failed at resample (unreadable): sub-04 is broken" in told
    runs = (finished.output / "logs" / "runs.tsv").read_text().splitlines()
    assert [line.split("\t")[-1] for line in runs[-4:]] == ["3", "3", "0", "0"]


def test_a_failing_table_stage_leaves_the_old_tables_and_the_summary_says_so(finished):
    before = finished.tables()
    finished.scan("sub-05", "5")
    stage = finished.folder / "workflow_scripts" / "wirbel" / "stages" / "cohort.py"
    whole = stage.read_text()
    stage.write_text("raise SystemExit('cohort: the disk is full')\n")
    told = finished.run(fails=True)
    assert finished.tables() == before
    assert "cohort was not made again: the disk is full (see " in told
    assert "cohort/vertebrae.csv is from an earlier run" in told
    stage.write_text(whole)
    told = finished.run()
    assert "was not made again" not in told and b"sub-05" in finished.tables()["scans.csv"]


def test_a_run_up_to_a_stage_counts_what_it_left_out_neither_as_failed_nor_as_measured(workflow):
    """One of four scans failed: a quarter of all, also where no other was measured yet."""
    for number in (1, 2, 3):
        workflow.scan(f"sub-{number:02}", str(number))
    workflow.scan("sub-04", "broken")
    told = workflow.run("--until", "semantic", batch_size=4, fail_on=0.25)
    assert "0 scans measured, 1 failed, 3 not finished" in told


def test_a_job_that_fails_is_told_though_manifests_of_an_earlier_run_stand(finished):
    code = finished.folder / "workflow_scripts" / "wirbel" / "stages" / "semantic.py"
    whole = code.read_text()
    code.write_text(
        whole.replace("import sys\n", "import sys\nprint('semantic: no memory')\nsys.exit(1)\n", 1)
    )
    told = finished.run(fails=True)
    assert "semantic b00001: no memory (see " in told
    assert "0 scans measured, 1 failed, 3 not finished" in told
    runs = (finished.output / "logs" / "runs.tsv").read_text().splitlines()
    assert runs[-1].split("\t")[-3:] == ["0", "1", "1"], "measured, failed, exit"


def test_earlier_tables_of_an_evaluation_that_fails_stay_as_they_were(finished, tmp_path):
    (finished.data / "derivatives" / "truth").mkdir(parents=True)
    (finished.data / "derivatives" / "truth" / "sub-01_desc-vertebra_dseg.nii.gz").touch()
    tables = [finished.output / "evaluation" / f"{name}.csv" for name in ("structures", "measures")]
    tables[0].parent.mkdir()
    for path in tables:
        path.write_text("of an earlier evaluation")
    stage = finished.folder / "workflow_scripts" / "wirbel" / "stages" / "evaluate.py"
    stage.write_text("raise SystemExit('evaluate: out of memory')\n")
    assert "out of memory" in finished.run("evaluate", fails=True)
    assert [path.read_text() for path in tables] == ["of an earlier evaluation"] * 2


def test_a_run_record_that_cannot_be_written_hides_no_summary(finished):
    """As on a disk that is full at the end: what was measured, and which jobs failed, is told all the same."""
    cohort = finished.folder / "workflow_scripts" / "wirbel" / "stages" / "cohort.py"
    runs = finished.output / "logs" / "runs.tsv"
    fails = f"import os, sys\nos.path.isfile({str(runs)!r}) and os.unlink({str(runs)!r})\n"
    cohort.write_text(f"{fails}os.makedirs({str(runs)!r}, exist_ok=True)\nsys.exit(1)\n")
    told = finished.run(fails=True, batch_size=4)
    assert "3 scans measured, 1 failed" in told
    assert "logs/runs.tsv lacks how this run ended" in told
    assert "Traceback" not in told and "__onerror" not in told
