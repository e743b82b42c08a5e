"""Scans are found by name and keep the batch they once got."""

import pytest

from wirbel.io.bids import find_scans
from wirbel.runner.batches import batch_file, list_batches, read_batch, update_batches


def _scan(root, participant, session="", extra="", suffix="_T2w.nii.gz"):
    folder = root / participant / session / "anat"
    folder.mkdir(parents=True, exist_ok=True)
    name = "_".join(part for part in (participant, session, extra) if part) + suffix
    (folder / name).write_bytes(b"image")
    return folder / name


def _members(output, batch):
    return [scan.scan_id for scan in read_batch(batch_file(output, batch))]


def test_participants_sessions_and_runs_are_read_from_the_folders_and_names(tmp_path):
    _scan(tmp_path, "sub-02")
    _scan(tmp_path, "sub-01", "ses-a", "run-2")
    _scan(tmp_path, "sub-01", "ses-a", "", "_T1w.nii.gz")
    (tmp_path / "derivatives").mkdir()
    found = [(s.scan_id, s.participant_id, s.session_id, s.run_id) for s in find_scans(tmp_path)]
    assert found == [
        ("sub-01_ses-a_run-2", "sub-01", "ses-a", "run-2"),
        ("sub-02", "sub-02", "", ""),
    ]


def test_a_missing_folder_or_participant_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no_such"):
        find_scans(tmp_path / "no_such")
    _scan(tmp_path, "sub-01")
    with pytest.raises(FileNotFoundError, match="sub-07"):
        find_scans(tmp_path, ["sub-01", "07"])


def test_new_scans_get_new_batches_and_another_batch_size_moves_nothing(tmp_path):
    data, output = tmp_path / "in", tmp_path / "out"
    for number in (1, 3, 5):
        _scan(data, f"sub-{number:02}")
    assert update_batches(data, output, 2) == ["b00001", "b00002"]
    _scan(data, "sub-02")
    assert update_batches(data, output, 50) == ["b00001", "b00002", "b00003"]
    assert [_members(output, batch) for batch in list_batches(output)] == [
        ["sub-01", "sub-03"],
        ["sub-05"],
        ["sub-02"],
    ]


def test_lists_are_rewritten_only_when_their_content_changes(tmp_path):
    data, output = tmp_path / "in", tmp_path / "out"
    paths = [_scan(data, f"sub-{number:02}") for number in range(4)]
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
        _scan(data, f"sub-{number:02}")
    update_batches(data, output, 1)
    assert update_batches(data, output, 1, participants=["sub-02"]) == ["b00002"]
    assert list_batches(output) == ["b00002"]
    assert update_batches(data, output, 1) == ["b00001", "b00002", "b00003"]
    assert _members(output, "b00003") == ["sub-03"]


def test_two_files_that_claim_one_name_become_one_faulty_scan(tmp_path):
    _scan(tmp_path / "in", "sub-01")
    _scan(tmp_path / "in", "sub-01", suffix="_T2w.nii")
    update_batches(tmp_path / "in", tmp_path / "out", 1)
    (scan,) = read_batch(batch_file(tmp_path / "out", "b00001"))
    assert scan.problem == (
        "duplicate: claimed by sub-01_T2w.nii, sub-01_T2w.nii.gz; keep one of them"
    )
