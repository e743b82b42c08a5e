"""Scans are found by name."""

import pytest
from support.studies.bids_scans import put_scan

from wirbel.io.dataset.bids import find_scans, list_dataset


def test_participants_sessions_and_runs_are_read_from_the_folders_and_names(tmp_path):
    put_scan(tmp_path, "sub-02")
    put_scan(tmp_path, "sub-01", "ses-a", "run-2")
    put_scan(tmp_path, "sub-01", "ses-a", "", "_T1w.nii.gz")
    (tmp_path / "derivatives").mkdir()
    found = [(s.scan_id, s.participant_id, s.session_id, s.run_id) for s in find_scans(tmp_path)]
    assert found == [
        ("sub-01_ses-a_run-2", "sub-01", "ses-a", "run-2"),
        ("sub-02", "sub-02", "", ""),
    ]


def test_a_missing_folder_or_participant_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no_such"):
        find_scans(tmp_path / "no_such")
    put_scan(tmp_path, "sub-01")
    with pytest.raises(FileNotFoundError, match="sub-07"):
        find_scans(tmp_path, ["07"])
    listing = list_dataset(tmp_path, ["sub-01", "07"])
    assert [scan.scan_id for scan in listing.scans] == ["sub-01"] and listing.unmatched == ["07"]
