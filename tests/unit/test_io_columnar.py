"""CSV and Parquet written piece by piece hold the same table."""

from __future__ import annotations

import pandas as pd
import pytest

from wirbel.io import columnar
from wirbel.io.columnar import TableWriter

COLUMNS = [
    ("scan_id", "string"),
    ("label", "integer"),
    ("height_mm", "number"),
    ("agree", "boolean"),
]
ROWS = [
    {"scan_id": "sub-1", "label": 20, "height_mm": 26.125, "agree": True},
    {"scan_id": "sub,2", "label": 21, "height_mm": None, "agree": None},
    {"scan_id": "", "label": None, "height_mm": 3.0, "agree": False},
]


def write(folder, rows=ROWS):
    with TableWriter(folder / "t", COLUMNS) as writer:
        for row in rows:
            writer.add([row])
    return writer


def test_both_files_hold_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(columnar, "GROUP_ROWS", 2)  # more than one group
    assert write(tmp_path).written == 3
    assert (tmp_path / "t.csv").read_text() == (
        'scan_id,label,height_mm,agree\nsub-1,20,26.125,true\n"sub,2",21,,\n,,3.0,false\n'
    )
    parquet = pd.read_parquet(tmp_path / "t.parquet")
    text = pd.read_csv(tmp_path / "t.csv")
    assert list(parquet.columns) == list(text.columns)
    pd.testing.assert_frame_equal(
        text.astype(object).where(text.notna(), None),
        parquet.astype(object).where(parquet.notna(), None),
    )


def test_types_do_not_depend_on_the_values(tmp_path):
    write(tmp_path, [])
    types = pd.read_parquet(tmp_path / "t.parquet").dtypes.astype(str)
    assert types["height_mm"] == "float64" and types["label"] == "int64"
    assert (tmp_path / "t.csv").read_text() == "scan_id,label,height_mm,agree\n"


def test_the_same_rows_give_the_same_bytes(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    write(first), write(second)
    for name in ("t.csv", "t.parquet"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_error_leaves_the_old_table(tmp_path):
    write(tmp_path)
    before = (tmp_path / "t.csv").read_bytes()
    with pytest.raises(RuntimeError), TableWriter(tmp_path / "t", COLUMNS) as writer:
        writer.add(ROWS)
        raise RuntimeError
    assert (tmp_path / "t.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.parquet"]


def test_a_value_of_the_wrong_type_leaves_no_table(tmp_path):
    with pytest.raises(Exception, match="number|convert|float"):
        write(tmp_path, [{"height_mm": "tall"}])
    assert list(tmp_path.iterdir()) == []
