"""The figures of an evaluation, on maps of a few voxels and rows of a few numbers."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.dictionary import TABLES
from wirbel.core.evaluation.compared_measures import MEASURES, TEXTS, unit_of
from wirbel.core.evaluation.figures import measure_rows, summarise
from wirbel.core.evaluation.instances import instance_rows
from wirbel.core.geometry import Volume


def slices(*rows):
    """Return a map of one sagittal slice (3 mm), its rows from the top down, 1 mm voxels."""
    return Volume(np.array([rows], np.uint8), np.diag([3.0, 1.0, 1.0, 1.0]))


TRUTH = slices(
    [0, 20, 20, 0],
    [0, 0, 0, 0],
    [0, 21, 21, 0],
    [0, 0, 0, 0],
    [0, 22, 22, 0],
)


def figures(reference, prediction):
    rows = instance_rows("sub-1", reference, prediction.data)
    return {k: v["value"] for k, v in summarise([], rows, []).items()}


def test_vertebrae_cut_by_the_border_count_neither_as_missed_nor_as_invented():
    # 20 and 22 lie in the first and the last row: only 21 counts
    missed = slices([0] * 4, [0] * 4, [0, 9, 9, 0], [0] * 4, [0] * 4)
    assert figures(TRUTH, missed)["vertebrae_found"] == 1.0
    added = slices([8, 0, 0, 0], [0] * 4, [0, 21, 21, 0], [0] * 4, [0, 0, 0, 23])
    assert figures(TRUTH, added)["vertebrae_invented"] == 0.0


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_the_border_cuts_does_not_depend_on_how_a_file_stores_its_axes(axes):
    # 1 mm in all directions: 21 reaches the first sagittal slice alone, which cuts nothing off within slices
    data = np.zeros((3, 6, 6), np.uint8)
    data[0:2, 2:4, 2:4] = 21
    affine = np.eye(4)[:, [*axes, 3]]
    stored = Volume(np.transpose(data, axes), affine)
    (row,) = instance_rows("sub-1", stored, np.zeros_like(stored.data))
    assert row["at_border"] is False and row["found"] is False


def test_found_invented_and_rightly_named():
    prediction = slices([0] * 4, [0, 8, 0, 0], [0, 9, 9, 0], [0] * 4, [0] * 4)
    result = figures(TRUTH, prediction)
    assert result["vertebrae_found"] == 1.0
    assert result["levels_right"] == 0.0
    assert result["vertebrae_invented"] == 0.5  # 8 beside 9
    assert result["dice_vertebra_instances"] == 1.0


def test_measures_of_matched_vertebrae_are_compared_whatever_their_names():
    truth = [{"label": 20, "level": "L1", "height_anterior_mm": 25.0, "body_volume_mm3": 20000.0}]
    truth[0] |= {"height_middle_mm": None, "height_posterior_mm": 26.0}
    truth[0] |= {"vertebra_volume_mm3": 30000.0, "fully_visible": False}
    measured = [{"label": 19, "height_anterior_mm": 24.5, "body_volume_mm3": 21000.0}]
    measured[0] |= {"height_posterior_mm": None, "vertebra_volume_mm3": 1.0}
    rows = measure_rows("sub-1", "vertebrae", truth, measured, {20: 19})
    errors = {row["measure"]: (row["error_mm"], row["error_percent"]) for row in rows}
    assert errors == {
        "height_anterior_mm": (-0.5, pytest.approx(-2.0)),
        "height_posterior_mm": (None, None),  # not measured
        "body_volume_mm3": (1000.0, pytest.approx(5.0)),
    }
    summary = summarise([], [], rows)
    assert summary["height_anterior_mm_bias_mm"] == {"value": -0.5, "count": 1}
    assert summary["body_height_mean_absolute_error_mm"]["reached"]
    assert summary["volume_mean_absolute_error_percent"]["value"] == pytest.approx(5.0)
    missed = measure_rows("sub-1", "vertebrae", truth, measured, {})  # L1 was not found
    assert [row["measured"] for row in missed] == [None, None, None]
    shares = [summarise([], [], r)["measured_in_vertebrae"] for r in (rows, missed)]
    assert shares == [{"value": 0.6667, "count": 3}, {"value": 0.0, "count": 3}]


def test_grades_and_names_are_right_or_wrong():
    """Two grades are right of three; the conus is named one vertebra too low; the side of a curve is missing."""
    grades = ((1, 1), (0, 0), (2, 1))
    truth = [{"label": k, "genant_grade": true} for k, (true, _) in enumerate(grades)]
    found = [{"label": k, "genant_grade": mine} for k, (_, mine) in enumerate(grades)]
    rows = measure_rows("sub-1", "vertebrae", truth, found, {0: 0, 1: 1, 2: 2})
    scan = {"conus_level": "L1", "cobb_side": "left"}
    rows += measure_rows(
        "sub-1", "scans", [scan], [{"conus_level": "L2", "cobb_side": float("nan")}], {}
    )
    summary = summarise([], [], rows)
    assert summary["genant_grade_right"] == {"value": 0.6667, "count": 3}
    assert summary["genant_grade_mean_absolute_error_grades"]["value"] == 0.3333
    assert summary["conus_level_right"] == {"value": 0.0, "count": 1}
    assert "cobb_side_right" not in summary
    assert summary["measured_in_scans"] == {"value": 0.5, "count": 2}


def test_every_measure_of_the_evaluation_is_a_column_with_a_unit():
    for table, measures in MEASURES.items():
        declared = {column.name for column in TABLES[table]}
        for name, _ in measures:
            assert name in declared
            assert name in TEXTS or unit_of(name)


def test_a_missed_target_is_said_so():
    rows = [{"scan_id": "sub-1", "structure": "sacrum", "dice": value} for value in (0.8, 0.9)]
    assert summarise(rows, [], [])["dice_sacrum"] == {
        "value": 0.85,
        "count": 2,
        "target": ">= 0.9",
        "reached": False,
    }
