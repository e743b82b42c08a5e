"""The lines that pictures show are those that were measured: each is as long as the number in the table."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.solid_spine import SolidSpine, render, rotation

from wirbel.core.measures import measure

POSES = [rotation(0, 0, 0), rotation(20, 10, 30)]


def lengths(measured, kind: str, level: str) -> list[float]:
    """Lengths in mm of the lines of one kind at a level."""
    rows = [row[2:] for row in measured.landmarks if row[:2] == [kind, level]]
    return [float(np.linalg.norm(np.subtract(row[3:], row[:3]))) for row in rows]


@pytest.mark.parametrize("pose", POSES, ids=["upright", "turned"])
def test_every_line_is_as_long_as_its_measure(pose):
    measured = measure(None, *render(SolidSpine(wedge=0.1), pose=pose))
    body, disc = measured.vertebrae[0], measured.discs[0]
    heights = [body[f"height_{name}_mm"] for name in ("posterior", "middle", "anterior")]
    assert lengths(measured, "height", "L3") == pytest.approx(heights, abs=0.2)
    assert lengths(measured, "depth", "L3") == pytest.approx([body["depth_middle_mm"]], abs=0.2)
    assert lengths(measured, "width", "L3") == pytest.approx([body["width_middle_mm"]], abs=0.2)
    assert len(lengths(measured, "endplate", "L3")) == 2
    middle = lengths(measured, "disc_height", "L3")
    assert middle == pytest.approx([disc["disc_height_middle_mm"]], abs=0.5)


def test_the_canals_diameter_lies_in_the_canal():
    spine = SolidSpine()
    measured = measure(None, *render(spine))
    found = [row for row in measured.landmarks if row[0] == "canal_ap"]
    assert found
    for row in found:  # a canal 18 mm deep, its middle 10.5 mm behind the bodies
        assert (row[3] + row[6]) / 2 == pytest.approx(-spine.depth_mm / 2 - 10.5, abs=0.7)
        assert abs(row[6] - row[3]) == pytest.approx(18, abs=1.2)
