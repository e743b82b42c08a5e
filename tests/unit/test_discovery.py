"""Scans keep the batch they once got; what is new, changed or gone is known before anything is written."""

import os

import pytest
from support.studies.batch_lists import update_batches
from support.studies.bids_scans import members, put_scan

from wirbel.manifests.batches import batch_file, list_batches, read_batch
from wirbel.study.listing import discovery
from wirbel.study.listing.batch_rows import ListChange
from wirbel.study.listing.discovery import plan_batches


def test_new_scans_get_new_batches_and_another_batch_size_moves_nothing(tmp_path):
    data, output = tmp_path / "in", tmp_path / "out"
    for number in (1, 3, 5):
        put_scan(data, f"sub-{number:02}")
    assert update_batches(data, output, 2) == ["b00001", "b00002"]
    put_scan(data, "sub-02")
    assert update_batches(data, output, 50) == ["b00001", "b00002", "b00003"]
    assert [members(output, batch) for batch in list_batches(output)] == [
        ["sub-01", "sub-03"],
        ["sub-05"],
        ["sub-02"],
    ]


def test_lists_are_rewritten_only_when_their_content_changes(tmp_path):
    data, output = tmp_path / "in", tmp_path / "out"
    paths = [put_scan(data, f"sub-{number:02}") for number in range(4)]
    update_batches(data, output, 2)
    before = [batch_file(output, batch).stat().st_mtime_ns for batch in list_batches(output)]
    update_batches(data, output, 2)
    assert before == [batch_file(output, b).stat().st_mtime_ns for b in list_batches(output)]
    paths[3].write_bytes(b"another image")
    update_batches(data, output, 2)
    after = [batch_file(output, batch).stat().st_mtime_ns for batch in list_batches(output)]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_removed_scan_leaves_and_comes_back_to_its_batch(tmp_path):
    data, output = tmp_path / "in", tmp_path / "out"
    for number in range(1, 4):
        put_scan(data, f"sub-{number:02}")
    update_batches(data, output, 1)
    assert update_batches(data, output, 1, participants=["sub-02"]) == ["b00002"]
    assert list_batches(output) == ["b00002"]
    assert update_batches(data, output, 1) == ["b00001", "b00002", "b00003"]
    assert members(output, "b00003") == ["sub-03"]


def test_two_files_that_claim_one_name_become_one_faulty_scan(tmp_path):
    put_scan(tmp_path / "in", "sub-01")
    put_scan(tmp_path / "in", "sub-01", suffix="_T2w.nii")
    update_batches(tmp_path / "in", tmp_path / "out", 1)
    (scan,) = read_batch(batch_file(tmp_path / "out", "b00001"))
    assert scan.problem == (
        "duplicate: claimed by sub-01_T2w.nii, sub-01_T2w.nii.gz; keep one of them"
    )


@pytest.fixture
def study(tmp_path):
    """Three scans in batches of two, listed; returns (data folder, output folder, paths of the scans)."""
    paths = [put_scan(tmp_path / "in", f"sub-{number:02}") for number in (1, 2, 3)]
    update_batches(tmp_path / "in", tmp_path / "out", 2)
    return tmp_path / "in", tmp_path / "out", paths


def test_a_plan_says_what_differs_and_writes_nothing(study):
    data, output, paths = study
    before = {path: path.read_bytes() for path in output.rglob("*.*")}
    paths[0].write_bytes(b"IMAGE")
    os.utime(paths[0], ns=(1, 1))
    paths[2].unlink()
    put_scan(data, "sub-00")
    plan = plan_batches(data, output, 2)
    assert plan.sizes == {"b00001": 2, "b00003": 1}
    assert plan.changes == {
        "b00001": ListChange(changed=frozenset({"sub-01"})),
        "b00002": ListChange(gone=frozenset({"sub-03"})),
        "b00003": ListChange(new=frozenset({"sub-00"})),
    }
    assert sorted(plan.lists) == ["b00001", "b00003"]
    assert {path: path.read_bytes() for path in output.rglob("*.*")} == before
    plan.write()
    assert plan_batches(data, output, 2).changes == {}


def test_while_nothing_changes_no_list_is_opened(study, monkeypatch):
    data, output, _ = study
    monkeypatch.setattr(discovery, "list_on_disk", None)
    monkeypatch.setattr(discovery, "read_assignment", None)
    plan = plan_batches(data, output, 64)
    assert plan.sizes == {"b00001": 2, "b00002": 1}
    assert (plan.lists, plan.changes) == ({}, {})


def test_a_list_deleted_by_hand_or_never_written_is_noticed(study, monkeypatch):
    """A process killed while it wrote leaves no fingerprint, a removed list does not fit to it."""
    data, output, _ = study
    batch_file(output, "b00002").unlink()
    assert list(plan_batches(data, output, 2).lists) == ["b00002"]
    update_batches(data, output, 2)
    put_scan(data, "sub-04")
    plan = plan_batches(data, output, 2)
    with monkeypatch.context() as patch:
        patch.setattr(discovery, "write_text", None)
        pytest.raises(TypeError, plan.write)
    (data / "sub-04" / "anat" / "sub-04_T2w.nii.gz").unlink()
    assert plan_batches(data, output, 2).assignment, (
        "compared with the lists, not with the fingerprint"
    )


def test_folders_may_have_any_blanks_in_their_names(tmp_path):
    data = tmp_path / "two  blanks\tand a tab"
    path = put_scan(data, "sub-01")
    update_batches(data, tmp_path / "out", 1)
    assert read_batch(batch_file(tmp_path / "out", "b00001"))[0].path == path


def test_where_no_scan_is_left_no_list_is(study):
    data, output, paths = study
    for path in paths:
        path.unlink()
    assert update_batches(data, output, 2) == []
    assert list_batches(output) == []
