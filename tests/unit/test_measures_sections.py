"""Sections of a canal of 24 x 18 mm with a cord of 12 x 8 mm, straight and oblique to the grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.solid_spine import SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.measures import measure
from wirbel.core.measures.curvature.curves import ClosedCurve

CANAL_AREA, CORD_AREA = np.pi * 12 * 9, np.pi * 6 * 4


def upper_level(maps):
    return measure(None, *maps).levels[0]


@settings(max_examples=2, deadline=None)
@given(st.floats(-30, 30), st.floats(-8, 8), st.sampled_from([(3.3, 0.86, 0.86), (4.4, 0.8, 0.8)]))
def test_sections_hold_at_any_angle_between_canal_and_grid(pitch, turn, spacing):
    # cut along the grid instead, the area would grow by 1 / cos(30 degrees) = 15 %
    row = upper_level(render(SolidSpine(elliptic=True), spacing, rotation(pitch, 0, turn)))
    for place in ("body", "disc"):
        assert row[f"canal_area_{place}_mm2"] == pytest.approx(CANAL_AREA, rel=0.05)
        assert row[f"canal_ap_{place}_mm"] == pytest.approx(17.9, abs=0.7)
        assert row[f"canal_rl_{place}_mm"] == pytest.approx(24, abs=2.2)  # half a slice
        assert row[f"cord_area_{place}_mm2"] == pytest.approx(CORD_AREA, rel=0.1)
        assert row[f"cord_ap_{place}_mm"] == pytest.approx(7.9, abs=0.7)


def test_the_depth_of_something_narrower_than_3_mm_is_that_over_all_of_it():
    ellipse = ClosedCurve(2.0, 2.0, 2.0, 0.0, 0.0, 2.0, 2.0)
    wide = ClosedCurve(300.0, 2.0, 2.0, 0.0, 0.0, 2.0, 2.0)
    assert 0 < ellipse.mean_depth_mm(3.0) < 4.0
    assert wide.mean_depth_mm(3.0) == pytest.approx(4.0, abs=0.01)


def test_space_and_ratio_follow_from_canal_and_cord():
    row = upper_level(render(SolidSpine(elliptic=True), (2.0, 0.8, 0.8)))
    assert row["space_for_cord_body_mm"] == pytest.approx(10, abs=0.6)
    assert row["cord_to_canal_ratio_body"] == pytest.approx(CORD_AREA / CANAL_AREA, rel=0.08)


def test_below_the_cord_there_is_a_canal_but_no_cord():
    maps = render(SolidSpine(elliptic=True))
    maps[0].data[maps[0].data == L.CORD] = L.CANAL
    row = upper_level(maps)
    assert row["canal_body_status"] == "ok" and row["cord_body_status"] == "absent"
    assert row["cord_area_body_mm2"] is None and row["space_body_status"] == "absent"


def test_behind_the_middle_of_a_body_that_is_cut_nothing_is_measured():
    """Its middle would be that of the imaged part, half a vertebra away from where other people's is."""
    maps = render(SolidSpine(), (1.0, 1.0, 1.0))
    top = int(maps[0].grid.to_index([0, 0, 5.0])[2])  # L3 reaches from -13 to 13 mm
    row = upper_level([Volume(v.data[:, :, :top].copy(), v.affine) for v in maps])
    assert row["canal_body_status"] == row["cord_body_status"] == "touches_border"
    assert row["canal_area_body_mm2"] is row["cord_ap_body_mm"] is None
    assert row["canal_disc_status"] == "ok"


def cut_between(right_mm, left_mm=-99.0):
    """Return the upper level of a spine of which the border cuts off what lies further to the sides."""
    maps = render(SolidSpine(elliptic=True), (1.0, 1.0, 1.0))
    last, first = (int(maps[0].grid.to_index([at, 0, 0])[0]) for at in (right_mm, left_mm))
    part = np.s_[max(first, 0) : last]
    start = maps[0].grid.to_world([max(first, 0), 0, 0])
    affine = maps[0].affine.copy()
    affine[:3, 3] = start
    return upper_level([Volume(v.data[part].copy(), affine) for v in maps])


@pytest.mark.parametrize("ends", [(9.5,), (5.0,), (8.0, -8.0)], ids=["flank", "much", "both"])
def test_a_canal_with_cut_flanks_has_an_ap_diameter_but_no_area(ends):
    """The canal reaches 12 mm to either side and is 17.9 mm deep over its middle 3 mm."""
    row = cut_between(*ends)
    assert row["canal_body_status"] == "touches_border"
    assert row["canal_area_body_mm2"] is row["canal_rl_body_mm"] is None
    assert row["canal_ap_body_status"] == row["canal_ap_min_status"] == "ok"
    assert row["canal_ap_body_mm"] == pytest.approx(17.9, abs=0.7)
    whole = cut_between(15.0)
    assert row["canal_ap_min_mm"] == pytest.approx(whole["canal_ap_min_mm"], abs=0.3)
    assert (row["stenosis_grade"], row["stenosis_status"]) == (0, "ok")
    assert row["canal_area_min_mm2"] is None and row["canal_min_status"] == "touches_border"
    assert row["ratio_body_status"] == "touches_border"


def test_the_cord_inside_a_canal_with_a_cut_flank_is_whole():
    row = cut_between(9.5)
    assert row["cord_body_status"] == "cord_questioned" and row["cord_area_body_mm2"] > 0  # at L3
    assert row["space_for_cord_body_mm"] == pytest.approx(10, abs=0.6)


def test_a_canal_whose_middle_the_border_cuts_has_no_section():
    row = cut_between(1.0)
    assert row["canal_ap_body_status"] == "touches_border" and row["canal_ap_body_mm"] is None
    assert row["stenosis_grade"] is None and row["stenosis_status"] == "touches_border"
