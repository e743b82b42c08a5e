"""What would fail hours later is refused, or remarked on, at the start."""

import os
from collections import namedtuple

import pytest
from support.studies.bids_scans import put_scan

from wirbel.io.dataset.bids import find_scans
from wirbel.study.checks import space
from wirbel.study.checks.space import check_space, estimate
from wirbel.study.checks.start import (
    check_reference,
    check_start_folder,
    check_writable,
    search_path_remark,
)
from wirbel.study.ending.finish import exit_code
from wirbel.study.refused import Refused

Disk = namedtuple("Disk", "f_bavail f_frsize f_files f_favail")


def test_a_reference_must_be_a_folder_with_maps(tmp_path):
    with pytest.raises(Refused, match="expected a folder with label maps, found nothing"):
        check_reference(tmp_path / "nowhere")
    with pytest.raises(Refused, match=r"expected label maps .* found none"):
        check_reference(tmp_path)
    put_scan(tmp_path, "sub-01")
    check_reference(tmp_path)


def test_an_output_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "out/qc").mkdir(parents=True)
    check_writable(tmp_path / "out")
    check_writable(tmp_path / "new/deeper")
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "qc")
    with pytest.raises(Refused, match="may not write to .*/out/qc"):
        check_writable(tmp_path / "out")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(Refused, match=f"may not write to {tmp_path}, "):
        check_writable(tmp_path / "new/deeper")


def test_other_copies_of_packages_in_the_search_path_are_told(tmp_path):
    (tmp_path / "numpy").mkdir()
    told = search_path_remark({"PYTHONPATH": f"/nowhere:{tmp_path}"})
    assert told == f"PYTHONPATH offers other packages (numpy in {tmp_path}): jobs do without it"
    assert search_path_remark({"PYTHONPATH": "/nowhere"}) == search_path_remark({}) == ""


def test_space_is_estimated_from_the_scans_own_sizes(tmp_path, monkeypatch):
    for number in range(10):
        put_scan(tmp_path, f"sub-{number}").write_bytes(bytes(1000))
    scans = find_scans(tmp_path)
    needed = estimate(scans, keep_intermediates=False)
    pages = space.PAGES_BYTES + 10 * space.PANEL_BYTES
    assert (needed.final, needed.most, needed.files) == (pages + 600, pages + 10600, 60)
    assert estimate(scans, keep_intermediates=True).final == pages + 10600
    assert estimate([], keep_intermediates=False).final == 0  # nothing new, nothing needed
    for free, files, told in (
        (pages + 500, 100, "free some space"),
        (pages + 700, 50, "50 more files may be made"),
        (pages + 700, 100, None),
    ):
        monkeypatch.setattr(space.os, "statvfs", lambda _, f=free, n=files: Disk(f, 1, 1000, n))
        if told:
            with pytest.raises(Refused, match=told):
                check_space(tmp_path / "new", needed)
        else:
            assert "results between the stages may take up to" in check_space(tmp_path, needed)[0]
    monkeypatch.setattr(space.os, "statvfs", lambda _: Disk(pages + 20000, 1, 0, 0))
    assert check_space(tmp_path, needed) == [], "this file system does not count files"


@pytest.mark.parametrize(
    ("fail_on", "scans", "failed", "code"),
    [
        ("none", 9, 9, 0),
        ("any", 9, 0, 0),
        ("any", 10, 1, 3),
        ("0.1", 10, 1, 0),
        ("0.1", 9, 1, 3),
        ("0.5", 1, 1, 3),
        ("0", 10, 1, 3),
        ("1", 9, 9, 0),
    ],
)
def test_the_exit_code_follows_the_share_of_failed_scans(fail_on, scans, failed, code):
    assert exit_code(fail_on, failed, scans) == code


@pytest.mark.parametrize("has_notes", [False, True])
def test_a_folder_that_snakemake_cannot_write_its_notes_to_is_named_at_the_start(
    tmp_path, monkeypatch, has_notes
):
    monkeypatch.chdir(tmp_path)
    check_start_folder()
    notes = tmp_path / ".snakemake"
    if has_notes:
        notes.mkdir()
    locked = notes if has_notes else tmp_path
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked)
    with pytest.raises(
        Refused, match=f"{tmp_path}, cannot be written to.* or add --directory FOLDER"
    ):
        check_start_folder()
