"""Scans are found by name."""

import pytest

from wirbel.io.bids import find_scans
from wirbel.runner.batches import batch_file, read_batch


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
