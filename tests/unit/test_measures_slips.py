"""Slips where one of the two bones has a single endplate: below C2, and on the sacrum."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.solid_spine import L3, L4, SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.measures import measure

L5 = L.LEVEL_LABELS["L5"]


def renamed(maps, upper: int, lower: int):
    """Return the maps of L3 and L4 under other numbers; a sacrum is one piece of one label."""
    subregion, vertebra = maps[0].data.copy(), maps[1].data.copy()
    lookup = np.arange(256, dtype=np.uint8)
    for offset in (0, L.DISC_OFFSET, L.ENDPLATE_OFFSET):
        lookup[offset + L3], lookup[offset + L4] = offset + upper, offset + lower
    vertebra = lookup[vertebra]
    if lower == L.SACRUM:
        subregion[vertebra == lower] = L.SACRUM
    return Volume(subregion, maps[0].affine), Volume(vertebra, maps[1].affine)


def slip_of(maps):
    (disc,) = measure(None, *maps).discs
    return disc


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.3, 0.86, 0.86)])
@pytest.mark.parametrize(
    ("slip", "grade", "pose"), [(0.0, 0, (25, 3, 4)), (6.0, 1, (-10, 4, 0)), (12.0, 2, (20, 0, 5))]
)
def test_l5_slips_on_the_sacrum_by_a_known_distance(slip, grade, pose, spacing):
    disc = slip_of(
        renamed(render(SolidSpine(slip_mm=slip), spacing, rotation(*pose)), L5, L.SACRUM)
    )
    assert (disc["level"], disc["slip_status"]) == ("L5-S1", "ok")
    assert disc["slip_mm"] == pytest.approx(slip, abs=0.6)
    assert disc["slip_percent"] == pytest.approx(100 * slip / 30, abs=2.5)
    assert disc["meyerding_grade"] == grade


def test_c2_slips_on_c3_by_a_known_distance():
    spine = SolidSpine(width_mm=20, depth_mm=16, height_mm=18, disc_mm=5, slip_mm=2.5)
    disc = slip_of(renamed(render(spine, pose=rotation(8, 3, 2)), 2, 3))
    assert (disc["level"], disc["slip_status"]) == ("C2-C3", "ok")
    assert disc["slip_mm"] == pytest.approx(2.5, abs=0.6)


def test_a_sacrum_cut_off_by_the_border_has_no_corner():
    maps = renamed(render(SolidSpine(), pose=rotation(10, 0, 0)), L5, L.SACRUM)
    inside = np.argwhere(maps[0].data == L.SACRUM)
    last = inside[:, 2].max() - 6  # five millimetres of the sacrum are left
    cut = [Volume(v.data[:, :, last:].copy(), v.affine) for v in maps]
    for volume, whole in zip(cut, maps, strict=True):
        volume.affine[:3, 3] = whole.grid.to_world((0, 0, last))
    disc = slip_of(cut)
    assert disc["slip_mm"] is None and disc["slip_status"] == "touches_border"


def test_without_a_sacrum_nothing_is_slipped_on():
    maps = renamed(render(SolidSpine()), L5, L.SACRUM)
    sacrum = maps[0].data == L.SACRUM
    for volume in maps:
        volume.data[sacrum] = 0
    assert slip_of(maps)["slip_status"] == "no_neighbour"
