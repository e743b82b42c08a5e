"""A data set as people leave it: the good scans are kept, the odd ones are named, none stops the others."""

import os
import threading

import pytest
from support.studies.bids_scans import put_scan

from wirbel.io.dataset import walk
from wirbel.io.dataset.bids import list_dataset


def findings(listing):
    return [(f.participant_id, f.reason) for f in listing.findings]


def scans(listing):
    return [scan.scan_id for scan in listing.scans]


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"image")


def test_a_scan_in_another_participants_folder_is_named_and_the_good_one_kept(tmp_path):
    put_scan(tmp_path, "sub-05")
    put(tmp_path / "sub-04/anat/sub-05_T2w.nii.gz")
    listing = list_dataset(tmp_path)
    assert scans(listing) == ["sub-05"] and listing.scans[0].participant_id == "sub-05"
    (found,) = listing.findings
    assert (found.participant_id, found.scan_id, found.reason) == ("sub-04", "sub-05", "misnamed")
    assert found.detail.startswith(
        "sub-04/anat/sub-05_T2w.nii.gz: expected a name that begins with sub-04"
    )


def test_a_copied_folder_does_not_spoil_the_original(tmp_path):
    put_scan(tmp_path, "sub-01")
    put(tmp_path / "sub-01 (copy)/anat/sub-01_T2w.nii.gz")
    listing = list_dataset(tmp_path)
    assert scans(listing) == ["sub-01"] and findings(listing) == [("sub-01 (copy)", "misnamed")]


def test_a_session_missing_in_the_name(tmp_path):
    put_scan(tmp_path, "sub-01", "ses-a")
    put(tmp_path / "sub-01/ses-b/anat/sub-01_T2w.nii.gz")
    listing = list_dataset(tmp_path)
    assert scans(listing) == ["sub-01_ses-a"]
    assert "begins with sub-01_ses-b" in listing.findings[0].detail


@pytest.mark.parametrize(
    "name",
    [
        "sub-1\t",
        "sub-1\n",
        "sub-1\x1b[2J",
        "sub-1\x85",
        "sub-1\u2028",
        "sub-1\u00a0x",
        "sub-1\udcff",
    ],
)
def test_names_that_cannot_be_printed_are_told_in_characters_that_can(tmp_path, name):
    put_scan(tmp_path, "sub-02")
    put_scan(tmp_path, name)
    put(tmp_path / f"sub-02/anat/sub-02_{name[5:]}_T2w.nii.gz")
    listing = list_dataset(tmp_path)
    assert scans(listing) == ["sub-02"]
    assert [found.reason for found in listing.findings] == ["misnamed", "misnamed"]
    assert all("".join(vars(found).values()).isprintable() for found in listing.findings)


def test_printable_names_are_taken_however_odd(tmp_path):
    for name in ("sub-a;b", "sub-a  b", "sub- $(x)", "sub-'\"", "sub-ä"):
        put_scan(tmp_path, name)
    assert len(list_dataset(tmp_path).scans) == 5


def test_empty_names_are_findings(tmp_path):
    put_scan(tmp_path, "sub-")
    put(tmp_path / "sub-01/anat/_T2w.nii.gz")
    assert findings(list_dataset(tmp_path)) == [("sub-", "misnamed"), ("sub-01", "misnamed")]


def test_a_name_too_long_for_those_of_its_results(tmp_path):
    put_scan(tmp_path, "sub-" + 224 * "x")
    put_scan(tmp_path, "sub-" + 225 * "x")
    listing = list_dataset(tmp_path)
    assert len(listing.scans) == 1
    assert "1 bytes too long" in listing.findings[0].detail


def test_misspelt_files_and_folders_are_counted_and_their_participants_have_no_scan(tmp_path):
    put(tmp_path / "sub-01/anat/sub-01_T2W.nii.gz")
    put(tmp_path / "sub-02/anat/sub-02_T2w.NII.GZ")
    put(tmp_path / "sub-03/sub-03_T2w.nii.gz")
    put(tmp_path / "sub-04/ses-1/sub-04_ses-1_T2w.nii")
    put(tmp_path / "sub-05/Anat/sub-05_T2w.nii.gz")
    put(tmp_path / "sub-08/Session1/anat/sub-08_T2w.nii.gz")
    put(tmp_path / "SUB-06/anat/SUB-06_T2w.nii.gz")
    put(tmp_path / "sub-07/anat/sub-07_T1w.nii.gz")
    listing = list_dataset(tmp_path)
    assert listing.misspelt == [
        "SUB-06",
        "sub-01/anat/sub-01_T2W.nii.gz",
        "sub-02/anat/sub-02_T2w.NII.GZ",
        "sub-03/sub-03_T2w.nii.gz",
        "sub-04/ses-1/sub-04_ses-1_T2w.nii",
        "sub-05/Anat",
        "sub-08/Session1",
    ]
    assert findings(listing) == [(f"sub-0{number}", "no_scan") for number in (1, 2, 3, 4, 5, 7, 8)]
    assert "found sub-01/anat/sub-01_T2W.nii.gz: rename it" in listing.findings[0].detail


def test_a_folder_that_cannot_be_listed_stops_no_other(tmp_path, monkeypatch):
    put_scan(tmp_path, "sub-01")
    put_scan(tmp_path, "sub-02")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("sub-01"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    listing = list_dataset(tmp_path)
    assert scans(listing) == ["sub-02"] and findings(listing) == [("sub-01", "content_missing")]
    assert listing.unlisted == {"sub-01"}


def test_one_session_that_cannot_be_listed_hides_no_other(tmp_path, monkeypatch):
    for session in ("ses-a", "ses-b"):
        put_scan(tmp_path, "sub-01", session)
    real = os.scandir

    def scandir(path):
        if "ses-a" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    listing = list_dataset(tmp_path)
    assert scans(listing) == ["sub-01_ses-b"] and findings(listing) == [
        ("sub-01", "content_missing")
    ]


def test_links_that_lead_nowhere_or_in_a_circle_are_named(tmp_path):
    put_scan(tmp_path, "sub-01")
    (tmp_path / "sub-02").symlink_to(tmp_path / "unplugged")
    (tmp_path / "sub-03").symlink_to(tmp_path / "sub-03")
    (tmp_path / "sub-04/ses-1").mkdir(parents=True)
    (tmp_path / "sub-04/ses-1/anat").symlink_to(tmp_path / "unplugged")
    listing = list_dataset(tmp_path)
    assert scans(listing) == ["sub-01"]
    assert findings(listing) == [(f"sub-0{n}", "content_missing") for n in (2, 3, 4)]
    assert "mount its disk or repair its link" in listing.findings[0].detail
    assert listing.unlisted == {"sub-02", "sub-03", "sub-04"}


def test_participants_are_found_as_a_spreadsheet_left_them(tmp_path):
    put_scan(tmp_path, "sub-001")
    put_scan(tmp_path, "sub-002")
    assert scans(list_dataset(tmp_path, ["1", "SUB-002"])) == ["sub-001", "sub-002"]
    assert findings(list_dataset(tmp_path, ["1"])) == []


@pytest.mark.parametrize("slow_seconds", [0, 1000])
def test_a_slow_file_system_is_asked_by_several_threads_and_the_listing_is_the_same(
    tmp_path, monkeypatch, slow_seconds
):
    names = [f"sub-{number:04d}" for number in range(3 * walk.CHUNK)]
    for name in names:
        put_scan(tmp_path, name)
    threads = set()
    listed = walk._list_participant
    monkeypatch.setattr(walk, "SLOW_SECONDS", slow_seconds)
    monkeypatch.setattr(
        walk, "_list_participant", lambda *a: threads.add(threading.get_ident()) or listed(*a)
    )
    assert [scan.participant_id for scan in list_dataset(tmp_path).scans] == names
    assert (len(threads) > 1) == (slow_seconds == 0)
