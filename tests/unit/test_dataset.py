"""What the main process knows of a data set at a start, and says about it."""

import os

from support.studies.batch_lists import update_batches
from support.studies.bids_scans import put_scan

from wirbel.manifests.findings import data_set_mark, read_findings
from wirbel.study.listing.dataset import look_up


def test_what_is_odd_is_said_with_its_number_and_an_example(tmp_path):
    put_scan(tmp_path / "in", "sub-001")
    put_scan(tmp_path / "in", "sub-2", suffix="_T2W.nii.gz")
    (tmp_path / "in/participants.tsv").write_text("participant_id\tage\n1\t61\n7\t62\n8\t63\t\tx\n")
    found = look_up(tmp_path / "in", tmp_path / "out")
    assert [(f.participant_id, f.reason) for f in found.findings] == [
        ("sub-2", "no_scan"),
        ("sub-7", "no_scan"),
    ]
    assert found.remarks == [
        "2 participants have no T2w scan (no_scan), such as sub-2",
        "1 path is ignored because of spelling or place, such as sub-2/anat/sub-2_T2W.nii.gz; expected "
        "sub-*/[ses-*/]anat/*_T2w.nii.gz",
        "participants.tsv: 1 of 2 ids match no participant of the data set, or more than one, such as '7': they are "
        "not used",
        "participants.tsv: line 4 has 4 cells, but the header has 2: not used",
    ]


def test_participants_asked_for_that_are_not_there_are_counted_and_listed(tmp_path):
    put_scan(tmp_path / "in", "sub-01")
    found = look_up(tmp_path / "in", tmp_path / "out", ["01", "sub-07", "08"])
    assert found.remarks[0] == "2 of 3 participants asked for were not found, such as sub-07"
    assert [f.participant_id for f in found.findings] == ["sub-07", "sub-08"]


def test_the_mark_follows_content_not_time(tmp_path):
    put_scan(tmp_path / "in", "sub-01")
    people = tmp_path / "in/participants.tsv"
    people.write_text("participant_id\tage\n01\t61\n")
    found = look_up(tmp_path / "in", tmp_path / "out")
    found.write(tmp_path / "out")
    assert data_set_mark(tmp_path / "out") == found.mark
    os.utime(people, (4e9, 4e9))  # in the year 2096
    assert look_up(tmp_path / "in", tmp_path / "out").mark == found.mark
    people.write_text("participant_id\tage\n01\t62\n")
    assert look_up(tmp_path / "in", tmp_path / "out").mark != found.mark
    (tmp_path / "in/sub-02").mkdir()
    look_up(tmp_path / "in", tmp_path / "out").write(tmp_path / "out")
    assert [f.participant_id for f in read_findings(tmp_path / "out")] == ["sub-02"]


def test_scans_of_a_folder_that_cannot_be_listed_at_the_moment_keep_their_place(
    tmp_path, monkeypatch
):
    for name in ("sub-01", "sub-02"):
        put_scan(tmp_path / "in", name)
    update_batches(tmp_path / "in", tmp_path / "out", 2)
    before = look_up(tmp_path / "in", tmp_path / "out").scans
    real = os.scandir

    def scandir(path):
        if str(path).endswith("sub-01"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = look_up(tmp_path / "in", tmp_path / "out")
    assert found.scans == before
    assert "cannot be listed (Permission denied): give this user the permission" in found.remarks[0]
