"""Checks of scans before the first job: each is a failure, a warning, or off."""

import json
import os

import pytest

from wirbel.core.preparation.contrast_timing import not_t2w
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.dataset.sidecar_facts import sidecar_doubts
from wirbel.plan.checks import levels_of
from wirbel.study.listing.discovery import plan_batches
from wirbel.study.sources import doubts
from wirbel.study.sources.doubts import doubts_of
from wirbel.study.sources.source import Source

T2W_TIMES = {"EchoTime": 0.101, "RepetitionTime": 3.76}


@pytest.mark.parametrize(
    ("echo_ms", "repetition_ms", "odd"),
    [
        (101, 3760, False),
        (85, None, False),
        (None, None, False),
        (9.5, 600, True),
        (101, 600, True),
        (12, 3000, True),  # density-weighted
        (0, 0, False),  # not known
    ],
)
def test_times_of_t2_weighted_scans_are_long(echo_ms, repetition_ms, odd):
    assert bool(not_t2w(echo_ms, repetition_ms)) == odd


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (T2W_TIMES, []),
        ({"EchoTime": 0.0095}, ["not_t2w"]),
        ({**T2W_TIMES, "ImageType": ["DERIVED", "PRIMARY", "MPR"]}, ["derived_image"]),
        ({**T2W_TIMES, "ImageType": ["ORIGINAL", "PRIMARY", "DERIVED"]}, []),
        ({"EchoTime": "long", "RepetitionTime": True, "ImageType": "DERIVED"}, []),
        ({"EchoTime": 10**400, "RepetitionTime": float("nan")}, []),
        ([1, 2], []),
    ],
)
def test_a_sidecar_says_what_a_scan_is(tmp_path, content, codes):
    path = tmp_path / "sub-1_T2w.json"
    path.write_text(json.dumps(content))
    assert list(sidecar_doubts(str(path))) == codes


@pytest.mark.parametrize("content", [b"{\xff", b"[" * 100_000, b"", None])
def test_a_sidecar_that_cannot_be_read_says_nothing(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    assert sidecar_doubts(str(path)) == {}


@pytest.fixture
def data_set(tmp_path):
    """Three scans: one whose sidecar says T1, and two with the same content."""
    made = []
    for name, content in (("sub-1", "one"), ("sub-2", "two!"), ("sub-3", "two!")):
        path = tmp_path / f"{name}_T2w.nii"
        path.write_text(content)
        status = path.stat()
        made.append(FoundScan(name, name, "", "", str(path), status.st_size, status.st_mtime_ns))
    (tmp_path / "sub-1_T2w.json").write_text(json.dumps({"EchoTime": 0.01}))
    return made


def look(scans, folder, **checks):
    return doubts_of(scans, Source(), levels_of(checks), folder / "out")


def test_warnings_and_failures_are_told_apart_by_the_settings(data_set, tmp_path):
    found = look(data_set, tmp_path)
    assert found.problems == {}
    codes = {scan: list(told) for scan, told in found.warnings.items()}
    assert codes == {"sub-1": ["not_t2w"], "sub-2": ["same_content"], "sub-3": ["same_content"]}
    assert found.warnings["sub-2"]["same_content"] == "the same content as sub-3"
    found = look(data_set, tmp_path, not_t2w="failure", same_content=False)
    assert list(found.problems) == ["sub-1"] and found.warnings == {}
    assert found.problems["sub-1"].startswith("not_t2w: sub-1_T2w.json says an echo time of 10 ms")
    assert found.unflagged == ["same_content"]
    (told,) = found.in_words()
    assert told.startswith("1 scan is refused (not_t2w), such as sub-1: ")


def test_a_refused_scan_has_its_reason_in_the_list_of_its_batch(data_set, tmp_path):
    problems = look(data_set, tmp_path, not_t2w="failure").problems
    out = tmp_path / "out"
    plan_batches(tmp_path, out, 8, (), data_set, problems=problems).write()
    (rows,) = plan_batches(
        tmp_path, tmp_path / "new", 8, (), data_set, problems=problems
    ).lists.values()
    assert [row[7][:8] for row in rows] == ["not_t2w:", "", ""]
    again = plan_batches(tmp_path, out, 8, (), data_set)
    assert again.changes["b00001"].changed == {"sub-1"}, "without the check it is tried"


def test_files_are_read_again_only_when_one_changed(data_set, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(doubts, "sidecar_doubts", lambda path: read.append(path) or {})
    first = look(data_set, tmp_path)
    first.write(tmp_path / "out")
    assert len(read) == 1
    assert look(data_set, tmp_path).found == first.found and len(read) == 1
    sidecar = tmp_path / "sub-1_T2w.json"
    os.utime(sidecar, ns=(1, 1))
    look(data_set, tmp_path)
    assert len(read) == 2


def test_of_other_contrasts_and_deliveries_no_time_is_asked(data_set, tmp_path):
    found = doubts_of(data_set, Source(suffix="T1w"), levels_of({}), tmp_path / "out")
    assert "sub-1" not in found.found
    found = doubts_of(data_set, Source(dicom=True), levels_of({}, dicom=True), tmp_path / "out")
    assert list(found.found) == ["sub-2", "sub-3"]
