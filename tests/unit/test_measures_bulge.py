"""Discs that reach back by a known length, and cross-sections of known area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from support.spines.solid_spine import SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.measures import measure
from wirbel.core.measures.shape.bulge import beyond_line_mm


@dataclass(frozen=True)
class Bulging(SolidSpine):
    """A disc whose back is an arc that reaches `bulge_mm` behind the bodies' walls in its middle."""

    bulge_mm: float = 0.0

    def draw(self, r, a, s):
        """Return (subregion, vertebra) at points of the spine's frame."""
        subregion, vertebra = super().draw(r, a, s)
        middle = -(self.height_mm + self.disc_mm) / 2
        share = np.clip(1 - (2 * (s - middle) / self.disc_mm) ** 2, 0, 1)
        behind = -self.depth_mm / 2 - a
        more = (behind >= 0) & (behind < self.bulge_mm * share) & (np.abs(r) < 17)
        more &= np.abs(s - middle) < self.disc_mm / 2
        subregion[more], vertebra[more] = L.DISC, L.DISC_OFFSET + 22
        return subregion, vertebra


def bulge_of(spine, **more) -> float:
    row = measure(None, *render(spine, **more)).discs[0]
    assert row["bulge_status"] == "ok"
    return row["posterior_bulge_mm"]


@pytest.mark.parametrize("bulge", [0.0, 2.0, 4.0])
@pytest.mark.parametrize("pose", [rotation(0, 0, 0), rotation(12, 4, 5)])
def test_a_disc_bulges_by_as_much_as_it_was_drawn_to(bulge, pose):
    """The tip of a steep bulge, 4 mm over a disc of 8 mm, is cut by half a millimetre: a parabola is smoother."""
    found = bulge_of(Bulging(bulge_mm=bulge), pose=pose)
    assert found == pytest.approx(bulge, abs=max(0.45, 0.15 * bulge))


def test_a_thin_disc_bulges_as_well():
    found = bulge_of(Bulging(bulge_mm=2.5, disc_mm=5.0), spacing_mm=(4.4, 0.8, 0.8))
    assert found == pytest.approx(2.5, abs=0.6)


def test_a_slip_tilts_the_line_and_makes_no_bulge():
    """Above stands 4 mm in front: the back corner of the disc lies on the lower body's wall, on the line's
    lower end."""
    found = bulge_of(SolidSpine(slip_mm=4.0))
    # the line runs from 4 mm in front of the disc's back to it; 15 % above its end it is 3.4 mm before the back
    assert found == pytest.approx(4.0 * 0.85 * np.cos(np.arctan(4 / 8)), abs=0.6)


def test_the_line_may_lie_any_way_and_points_beyond_its_middle_do_not_count():
    corners = np.array([[0, 2.0, 8.0], [0, 0.0, 0.0]])
    height = np.linspace(-2, 10, 200)
    back = 0.25 * height - 1.5 * np.hypot(1, 0.25)  # parallel to the line, 1.5 mm behind it
    points = np.column_stack([np.zeros(200), back, height])
    points[height > 7.5, 1:] += 20 * np.array([-8.0, 2.0]) / np.hypot(8, 2)
    assert beyond_line_mm(points, corners, 5.0) == pytest.approx(1.5, abs=1e-6)
    assert beyond_line_mm(points[height > 7.5], corners, 5.0) is None
    assert beyond_line_mm(points, corners[[0, 0]], 5.0) is None


@pytest.mark.parametrize(
    ("spine", "area", "pose"),
    [
        (SolidSpine(elliptic=True), np.pi / 4 * 40 * 30, rotation(0, 0, 0)),
        (SolidSpine(elliptic=True), np.pi / 4 * 40 * 30, rotation(8, 6, 10)),
        (SolidSpine(), 40 * 30, rotation(8, 6, 10)),
    ],
    ids=["ellipse", "ellipse turned", "box turned"],
)
def test_the_cross_section_of_a_body_is_that_of_its_outline(spine, area, pose):
    row = measure(None, *render(spine, pose=pose, field_mm=(86, 120, 134))).vertebrae[0]
    assert row["body_area_status"] == "ok"
    assert row["body_area_mm2"] == pytest.approx(area, rel=0.03)


def test_a_body_without_its_flank_has_no_cross_section():
    maps = render(SolidSpine(), field_mm=(34.0, 110.0, 124.0))
    row = measure(None, *maps).vertebrae[0]
    assert row["body_area_mm2"] is None and row["body_area_status"] == row["width_status"] != "ok"
