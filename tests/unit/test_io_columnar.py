"""Rows gathered piece by piece come out as CSV and Parquet tables with the same content."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from wirbel.io.tabular import spool as spooling
from wirbel.io.tabular.columnar import write_both
from wirbel.io.tabular.rows import Rows
from wirbel.io.tabular.spool import Spool

COLUMNS = [
    ("scan_id", "string"),
    ("label", "integer"),
    ("height_mm", "number"),
    ("agree", "boolean"),
]
ROWS = [
    {"scan_id": "sub-1", "label": 20, "height_mm": 26.125, "agree": True},
    {"scan_id": 'a,"b"\nc', "label": 21, "height_mm": None, "agree": None},
    {"scan_id": "", "label": None, "height_mm": 3.0, "agree": False},
]


def piece(*rows):
    gathered = Rows(COLUMNS)
    for row in rows:
        gathered.add_one(row)
    return gathered.batch()


def write(folder, rows=ROWS):
    with Spool(folder / "t", COLUMNS) as spool:
        for row in rows:
            spool.append(piece(row))
        return write_both(folder / "t", COLUMNS, spool.batches())


def test_both_files_hold_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(spooling, "GROUP_ROWS", 2)  # more than one piece
    assert write(tmp_path) == 3
    assert (tmp_path / "t.csv").read_text() == (
        'scan_id,label,height_mm,agree\nsub-1,20,26.125,TRUE\n"a,""b""\nc",21,,\n,,3.0,FALSE\n'
    )
    expected = [row | {"scan_id": row["scan_id"] or None} for row in ROWS]
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == expected


def test_pandas_reads_integers_and_booleans_as_such_in_spite_of_missing_values(tmp_path):
    write(tmp_path)
    parquet = pd.read_parquet(tmp_path / "t.parquet")
    assert parquet.dtypes.astype(str).to_dict() == {
        "scan_id": "str",
        "label": "Int64",
        "height_mm": "float64",
        "agree": "boolean",
    }
    text = pd.read_csv(tmp_path / "t.csv", dtype=parquet.dtypes.to_dict())
    pd.testing.assert_frame_equal(text, parquet, check_exact=True)


def test_ordered_categories_sort_by_their_order_in_parquet_and_are_text_in_csv(tmp_path):
    order = ["sub-9", "sub-1", "sub-0"]
    rows = [{"scan_id": name, "label": 1} for name in ("sub-0", None, "sub-9", "sub-1")]
    pieces = [piece(*rows[:2]), piece(*rows[2:])]
    write_both(tmp_path / "t", COLUMNS, pieces, orders={"scan_id": order})
    table = pd.read_parquet(tmp_path / "t.parquet")
    assert table.scan_id.cat.ordered and list(table.scan_id.cat.categories) == order
    assert table.scan_id.sort_values().dropna().tolist() == order
    assert (tmp_path / "t.csv").read_text().splitlines()[1:3] == ["sub-0,1,,", ",1,,"]
    with pytest.raises(ValueError, match="sub-9"):
        write_both(tmp_path / "t", COLUMNS, pieces, orders={"scan_id": order[1:]})


def test_types_do_not_depend_on_the_values(tmp_path):
    write(tmp_path)
    full = pd.read_parquet(tmp_path / "t.parquet").dtypes
    write(tmp_path, [])
    assert (pd.read_parquet(tmp_path / "t.parquet").dtypes == full).all()
    assert (tmp_path / "t.csv").read_text() == "scan_id,label,height_mm,agree\n"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3.0, "3.0"),
        (-0.0, "-0.0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-7, "1e-7"),
        (123456789.0, "123456789.0"),
        (1e10, "1e+10"),
    ],
)
def test_a_number_reads_back_to_the_last_bit_and_is_no_integer(tmp_path, number, text):
    write(tmp_path, [{"scan_id": "a", "height_mm": number}])
    (row,) = csv.DictReader((tmp_path / "t.csv").open())
    assert row["height_mm"] == text and float(text) == number


def test_the_same_rows_give_the_same_bytes(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    write(first), write(second)
    for name in ("t.csv", "t.parquet"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_error_leaves_the_old_table_and_nothing_else(tmp_path):
    write(tmp_path)
    before = (tmp_path / "t.csv").read_bytes()
    with pytest.raises(RuntimeError), Spool(tmp_path / "t", COLUMNS) as spool:
        spool.append(piece({"label": 1}))
        raise RuntimeError
    assert (tmp_path / "t.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.parquet"]


def test_a_value_of_the_wrong_type_is_refused_with_its_column(tmp_path):
    with pytest.raises(ValueError, match="column height_mm"):
        write(tmp_path, [{"height_mm": "tall"}])
    assert list(tmp_path.iterdir()) == []


def test_columns_are_read_back_whole(tmp_path):
    rows = Rows(COLUMNS)
    rows.add({"label": [1, None], "height_mm": [0.5, 1.5], "unknown": [1, 2]}, {"scan_id": "a"})
    rows.add({}, {"scan_id": "none"})
    with Spool(tmp_path / "t", COLUMNS) as spool:
        spool.append(rows.batch())
        spool.append(piece({"label": 3, "scan_id": "b"}))
        assert spool.rows == 3
        np.testing.assert_array_equal(spool.numbers("label"), [1, np.nan, 3])
        np.testing.assert_array_equal(spool.numbers("height_mm"), [0.5, 1.5, np.nan])
        codes, values = spool.categories("scan_id")
        assert (codes.tolist(), values) == ([0, 0, 1], ["a", "b"])
        assert spool.categories("agree")[0].tolist() == [-1, -1, -1]


def test_an_empty_table_has_empty_columns(tmp_path):
    with Spool(tmp_path / "t", COLUMNS) as spool:
        assert len(spool.numbers("label")) == 0 and spool.categories("scan_id")[1] == []


def test_columns_that_come_later_are_put_in_their_place(tmp_path):
    with Spool(tmp_path / "t", COLUMNS[:2]) as spool:
        spool.append(piece(*ROWS).select(["scan_id", "label"]).replace_schema_metadata(None))
        more = {"height_mm": np.array([1.5, np.nan, 2.5]), "agree": [True, None, False]}
        write_both(tmp_path / "t", COLUMNS, spool.batches(), more)
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column_names == [name for name, _ in COLUMNS]
    assert table["height_mm"].to_pylist() == [1.5, None, 2.5]


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="height_mm has 1 values for 2 rows"):
        Rows(COLUMNS).add({"label": [1, 2], "height_mm": [0.5]})


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="age"):
        Spool(tmp_path / "t", [("age", "integer"), ("age", "string")])
