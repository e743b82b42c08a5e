"""Files of measurements come back as pieces of tables, in order, however many processes read them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from wirbel.io.prefetch import FILES_AHEAD, read_ahead
from wirbel.io.tabular import measurements
from wirbel.io.tabular.measurements import (
    DamagedMeasurements,
    ScanRows,
    read_piece,
    read_pieces,
    write_measurements,
)

COLUMNS = {
    "scans": [("scan_id", "string"), ("scan_status", "string"), ("age", "integer")],
    "discs": [("scan_id", "string"), ("level", "string"), ("disc_height_mm", "number")],
}


def measured(folder, name, heights):
    rows = [{"level": f"L{i}", "disc_height_mm": h} for i, h in enumerate(heights, 1)]
    path = folder / f"{name}.json"
    write_measurements(path, {"scan_status": "ok"}, {"discs": rows})
    return ScanRows(path, {"scan_id": name, "age": 61})


def failed(name):
    return ScanRows(None, {"scan_id": name}, {"scans": {"scan_status": "unreadable"}})


def test_measured_and_failed_scans(tmp_path):
    parts = [measured(tmp_path, "a", [8.5, None]), failed("b"), measured(tmp_path, "c", [])]
    tables = read_piece(parts, COLUMNS)
    assert tables["scans"].to_pylist() == [
        {"scan_id": "a", "scan_status": "ok", "age": 61},
        {"scan_id": "b", "scan_status": "unreadable", "age": None},
        {"scan_id": "c", "scan_status": "ok", "age": 61},
    ]
    assert tables["discs"].to_pylist() == [
        {"scan_id": "a", "level": "L1", "disc_height_mm": 8.5},
        {"scan_id": "a", "level": "L2", "disc_height_mm": None},
    ]


def test_rows_that_lack_a_key_are_missing_there(tmp_path):
    rows = [{"level": "L1"}, {"level": "L2", "disc_height_mm": 9.0}]
    write_measurements(tmp_path / "a", {}, {"discs": rows})
    piece = read_piece([ScanRows(tmp_path / "a", {})], COLUMNS)["discs"]
    assert piece["disc_height_mm"].to_pylist() == [None, 9.0]


def test_processes_give_the_same_in_the_same_order(tmp_path, monkeypatch):
    monkeypatch.setattr(measurements, "PIECE", 2)
    parts = [measured(tmp_path, f"s{i}", [float(i)]) for i in range(5)]
    alone, together = (list(read_pieces(parts, COLUMNS, n, print)) for n in (1, 2))
    assert [len(piece["discs"]) for piece in alone] == [2, 2, 1]
    assert alone == together


@pytest.mark.parametrize("damage", ["cut", "another digit"])
def test_a_damaged_file_is_named(tmp_path, damage):
    part = measured(tmp_path, "a", [8.5])
    text = part.path.read_text()
    part = replace(part, sha256=hashlib.sha256(text.encode()).hexdigest()[:16])
    assert read_piece([part], COLUMNS)
    part.path.write_text(text[:20] if damage == "cut" else text.replace("8.5", "9.5"))
    with pytest.raises(DamagedMeasurements, match="a.json was damaged after it had been written"):
        read_piece([part], COLUMNS)


def test_files_are_read_ahead_in_their_order(tmp_path):
    paths = [tmp_path / f"{i}" for i in range(FILES_AHEAD + 5)]
    for path in paths:
        path.write_text(path.name)
    assert [int(content) for content in read_ahead(paths)] == list(range(FILES_AHEAD + 5))
    with pytest.raises(FileNotFoundError):
        list(read_ahead([tmp_path / "none"]))
