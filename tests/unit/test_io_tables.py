"""Tables, sidecars and arrays: exact round trips and the same bytes twice."""

import math

import numpy as np
import pandas as pd
import pytest

from wirbel.io.sidecars import read_arrays, read_json, write_arrays, write_json, write_lookup
from wirbel.io.tabular.tables import read_rows, read_table, write_rows


def test_rows_keep_their_text_and_white_space_cannot_break_the_table(tmp_path):
    path = tmp_path / "a.tsv"
    write_rows(path, ("name", "detail"), [{"name": "x", "detail": 'a "b",\n\tc'}, {"name": None}])
    assert read_rows(path) == [
        {"name": "x", "detail": 'a "b", c'},
        {"name": "", "detail": ""},
    ]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_is_read_to_the_last_bit(tmp_path, suffix):
    table = pd.DataFrame(
        {"level": ["C2", "NA"], "height_mm": [0.1 + 0.2, math.nan], "label": [2, 3]}
    )
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, sep="," if suffix == ".csv" else "\t", index=False)
    pd.testing.assert_frame_equal(read_table(path), table, check_exact=True)


def test_json_holds_numpy_values_and_turns_nan_into_null(tmp_path):
    write_json(tmp_path / "a.json", {"n": np.int16(3), "v": np.array([1.5, math.nan]), "t": (1,)})
    assert read_json(tmp_path / "a.json") == {"n": 3, "v": [1.5, None], "t": [1]}


def test_packed_arrays_carry_no_time_stamp(tmp_path):
    arrays = {"labels": np.arange(6, dtype=np.uint8).reshape(1, 2, 3), "centre_mm": np.ones((1, 3))}
    write_arrays(tmp_path / "a.npz", **arrays)
    write_arrays(tmp_path / "b.npz", **arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = read_arrays(tmp_path / "a.npz")
    np.testing.assert_array_equal(back["labels"], arrays["labels"])
    assert back["labels"].dtype == np.uint8


def test_the_lookup_table_has_the_columns_of_bids(tmp_path):
    write_lookup(tmp_path / "d.tsv", {49: "body", 26: "sacrum"}, {49: "#ff0000", 26: "#00ff00"})
    assert (tmp_path / "d.tsv").read_text().splitlines() == [
        "index\tname\tcolor",
        "26\tsacrum\t#00ff00",
        "49\tbody\t#ff0000",
    ]
