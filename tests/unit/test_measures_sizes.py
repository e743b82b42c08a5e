"""Depths, widths, angles, slips, indices and corrected volumes of shapes that can be worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.solid_spine import L3, L4, SolidSpine, render, rotation

from wirbel.core.measures import measure

COHORT_GRID = (3.3, 0.86, 0.86)
THICK = (4.4, 0.8, 0.8)
DEPTHS = ("depth_upper_mm", "depth_middle_mm", "depth_lower_mm")
WIDTHS = ("width_upper_mm", "width_middle_mm", "width_lower_mm")


def measured(spine, spacing=COHORT_GRID, pose=None):
    result = measure(None, *render(spine, spacing, pose))
    return {row["label"]: row for row in result.vertebrae}, result.discs[0]


def values(row, names):
    return [row[name] for name in names]


def test_a_box_of_40_by_30_mm():
    bodies, disc = measured(SolidSpine(), (1.0, 1.0, 1.0))
    assert values(bodies[L3], DEPTHS) == pytest.approx([30] * 3, abs=0.4)
    assert values(bodies[L3], WIDTHS) == pytest.approx([40] * 3, abs=0.6)
    assert disc["disc_depth_mm"] == pytest.approx(30, abs=0.4)
    assert disc["disc_area_mm2"] == pytest.approx(30 * 8, rel=0.03)


@pytest.mark.parametrize("spacing", [COHORT_GRID, THICK])
def test_flanks_between_thick_slices_are_found_by_the_shape_of_the_slices(spacing):
    # the last slice of 4.4 mm that shows an ellipse of 40 mm may lie 4 mm inside of its flank
    spine = SolidSpine(elliptic=True)
    bodies, disc = measured(spine, spacing, rotation(8, 3, 5))
    for row in bodies.values():
        assert values(row, WIDTHS) == pytest.approx([40] * 3, abs=0.8)
        assert values(row, DEPTHS) == pytest.approx([30] * 3, abs=0.5)
    assert disc["disc_width_mm"] == pytest.approx(40, abs=0.8)
    assert disc["disc_depth_mm"] == pytest.approx(30, abs=0.5)


def test_volumes_corrected_for_the_slices():
    spine = SolidSpine(width_mm=20, depth_mm=16, height_mm=14, disc_mm=5, elliptic=True)
    bodies, disc = measured(spine, COHORT_GRID, rotation(5, 3, 0))
    ellipse = np.pi / 4 * 20 * 16
    assert bodies[L3]["body_surface_volume_mm3"] == pytest.approx(ellipse * 12, rel=0.03)
    assert disc["disc_surface_volume_mm3"] == pytest.approx(ellipse * 5, rel=0.04)


def test_the_angle_between_the_endplates_of_a_wedge():
    # each endplate falls by 0.125 mm per mm: 2 * atan(0.125) = 14.25 degrees, lower in front
    bodies, disc = measured(SolidSpine(wedge=-0.25, elliptic=True), pose=rotation(10, 4, 3))
    assert bodies[L3]["wedge_angle_deg"] == pytest.approx(-14.25, abs=1.0)
    assert bodies[L3]["coronal_wedge_angle_deg"] == pytest.approx(0, abs=1.5)
    assert disc["disc_wedge_angle_deg"] == pytest.approx(14.25, abs=1.5)


def test_ratios_and_indices_follow_from_the_heights():
    bodies, disc = measured(SolidSpine(wedge=-0.25, elliptic=True))
    row = bodies[L3]
    anterior, posterior = 26 - 0.25 * 10.5, 26 + 0.25 * 10.5
    assert row["wedge_ratio"] == pytest.approx(anterior / posterior, abs=0.02)
    assert row["biconcavity_ratio"] == pytest.approx(26 / posterior, abs=0.02)
    assert row["crush_ratio"] == pytest.approx(1.0, abs=0.03)
    assert (row["genant_grade"], row["genant_type"]) == (1, "wedge")  # 24 % between the corners
    assert disc["disc_height_index"] == pytest.approx(8 / 26, abs=0.02)
    assert disc["disc_area_index"] == pytest.approx(8 * 30 / 30**2, abs=0.02)


@pytest.mark.parametrize(("slip", "grade"), [(0.0, 0), (6.0, 1), (9.0, 2), (-1.0, 0)])
def test_a_block_that_has_slipped_by_a_known_distance(slip, grade):
    spine = SolidSpine(slip_mm=slip, elliptic=True)
    _, disc = measured(spine, pose=rotation(12, 3, 4))
    assert disc["slip_mm"] == pytest.approx(slip, abs=0.6)
    assert disc["slip_percent"] == pytest.approx(100 * slip / 30, abs=2.0)
    assert disc["meyerding_grade"] == grade


def test_sheared_blocks_stand_back_by_the_lean_of_their_walls():
    # walls lean forward by 0.2 mm per mm, so the upper body's lower back corner lies 26 * 0.2 mm behind the
    # lower body's upper back corner
    _, disc = measured(SolidSpine(shear=0.2, elliptic=True))
    assert disc["slip_mm"] == pytest.approx(-5.2, abs=0.7)


def test_a_cut_flank_leaves_depths_but_no_widths():
    maps = render(SolidSpine(elliptic=True), (1.0, 1.0, 1.0))
    slices = int(maps[0].grid.to_index([18.0, 0, 0])[0]) + 1
    cut = [type(v)(v.data[:slices].copy(), v.affine) for v in maps]
    row = measure(None, *cut).vertebrae[1]
    assert row["label"] == L4
    assert (row["height_status"], row["width_status"]) == ("ok", "touches_border")
    assert values(row, WIDTHS) == [None] * 3 and row["body_surface_volume_mm3"] is None
    assert row["depth_middle_mm"] == pytest.approx(30, abs=0.5)
