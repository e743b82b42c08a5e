"""Whether finished results are still what was written, and what is said of those that were not read."""

import os

import pytest

from wirbel.manifests.records import OK, Record, sum_of, write_records
from wirbel.study.decision.results import ResultCheck, unread_in_words


@pytest.fixture
def manifest(tmp_path):
    """A manifest of one scan, whose one result has four bytes; as written, and then touched."""
    path = tmp_path / "map.txt"
    path.write_text("1234")
    stamp = path.stat().st_mtime_ns
    row = Record("sub-1", OK, outputs=("map.txt",), sizes=(4,), sums=(sum_of(path),))
    write_records(tmp_path / "b00001.tsv", [Record(**{**vars(row), "stamps": (stamp,)})])
    os.utime(path, (1, 1))
    return tmp_path / "b00001.tsv"


def test_a_result_with_another_time_stamp_is_read(manifest):
    check = ResultCheck(manifest.parent)
    assert not check.damaged(manifest) and check.unread == 0
    (manifest.parent / "map.txt").write_text("1235")
    assert list(check.damaged(manifest)) == ["sub-1"]


def test_one_that_is_too_large_to_be_read_at_a_start_is_told(manifest):
    check = ResultCheck(manifest.parent, most_bytes=3)
    assert not check.damaged(manifest)
    (told,) = unread_in_words(check.unread)
    assert told.startswith("1 result has another time stamp") and "`verify`" in told
    assert unread_in_words(0) == []
