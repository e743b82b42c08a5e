"""Whether finished results are still what was written, and what is said of those that were not read."""

import os

import pytest

from wirbel.manifests.records import (
    OK,
    DamagedManifest,
    Record,
    read_records,
    sum_of,
    write_records,
)
from wirbel.manifests.seals import Seal, digest_of_records, seal_line
from wirbel.study.decision.results import ResultCheck, unread_in_words


@pytest.fixture
def manifest(tmp_path):
    """A manifest of one scan, whose one result has four bytes; as written, and then touched."""
    path = tmp_path / "map.txt"
    path.write_text("1234")
    stamp = path.stat().st_mtime_ns
    row = Record("sub-1", OK, outputs=("map.txt",), sizes=(4,), sums=(sum_of(path),))
    rows = [Record(**{**vars(row), "stamps": (stamp,)})]
    seal = Seal("plan", "list", digest_of_records(rows))
    write_records(tmp_path / "b00001.tsv", rows, seal_line(seal))
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


@pytest.mark.parametrize(
    "content", [b"\xff", b"scan_id\tstatus\nsub-1\n"], ids=["no text", "cells missing"]
)
def test_a_manifest_with_other_rows_than_its_seal_says_is_damaged(manifest, content):
    check = ResultCheck(manifest.parent)
    manifest.write_text(manifest.read_text().replace("ok", "nk"))
    with pytest.raises(DamagedManifest):
        check.damaged(manifest)
    manifest.write_bytes(content)
    with pytest.raises(DamagedManifest, match="is damaged: remove it"):
        read_records(manifest)
