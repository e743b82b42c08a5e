"""Data sets as people have them: told before the first job, and no oddity stops the good scans."""

import json

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
        "sub-a b,xRSIMF",
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
    people.touch()
    assert "Nothing to be done" in workflow.run()


def test_participants_given_as_a_list_are_taken_as_they_were_written(workflow):
    for name in ("sub-001", "sub-1", "sub-12E4"):
        workflow.scan(name, "x")
    assert "1 scan found" in workflow.run("--dry-run", participants="001")
    assert "1 scan found" in workflow.run("--dry-run", participants="12E4")
    told = workflow.run("--dry-run", participants="lists/mine.txt", fails=True)
    assert "there is no file 'lists/mine.txt'" in told
