"""What the border of the scan cuts off is counted and marked, so that no mean mixes it with whole structures."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.solid_spine import L3, L4, SolidSpine, render

from wirbel.core.geometry import Volume
from wirbel.core.measures import measure
from wirbel.core.measures.coverage.completeness import add_complete
from wirbel.core.measures.label_maps import LabelMaps

SPACING = (2.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def maps():
    return render(SolidSpine(), SPACING)


def cut(maps, box):
    """Return both maps cut to a box of voxels, at the same place in the world."""
    start = [s.start or 0 for s in box]
    affine = maps[0].affine.copy()
    affine[:3, 3] = maps[0].grid.to_world(start)
    return [Volume(v.data[box].copy(), affine) for v in maps]


def index(maps, right=0.0, anterior=0.0, superior=0.0):
    return maps[0].grid.to_index([right, anterior, superior]).round().astype(int)


def measured(maps):
    result = measure(None, *maps)
    return result, {row["label"]: row for row in result.vertebrae}


def test_everything_in_view_is_complete(maps):
    result, _ = measured(maps)
    assert [row["complete"] for row in (*result.vertebrae, *result.discs)] == [True] * 3
    assert (result.scan["vertebrae_found"], result.scan["vertebrae_in_view"]) == (2, 2)
    assert (result.scan["discs_found"], result.scan["discs_in_view"]) == (1, 1)


def test_half_a_vertebra_is_in_view_but_not_found(maps):
    above = cut(maps, np.s_[:, :, : index(maps, superior=0)[2]])  # the border runs through L3
    result, rows = measured(above)
    assert (rows[L3]["complete"], rows[L4]["complete"]) == (False, True)
    assert (result.scan["vertebrae_found"], result.scan["vertebrae_in_view"]) == (1, 2)
    assert result.scan["first_level"] == "L3"


def test_half_a_disc_is_in_view_but_not_found(maps):
    above = cut(maps, np.s_[:, :, : index(maps, superior=-17)[2]])  # through the disc
    result, _ = measured(above)
    assert [row["complete"] for row in result.discs] == [False]
    assert (result.scan["discs_found"], result.scan["discs_in_view"]) == (0, 1)


def test_a_vertebra_without_its_arch_in_view_is_found_but_not_complete(maps):
    """The arch ends 42 mm behind the body's middle; its volume is known, that of the vertebra is not."""
    result, rows = measured(cut(maps, np.s_[:, index(maps, anterior=-39)[1] :, :]))
    assert result.scan["vertebrae_found"] == 2
    assert rows[L3]["body_status"] == "ok" and rows[L3]["complete"] is False
    assert rows[L3]["width_status"] == "ok" and rows[L3]["body_surface_volume_mm3"] > 0


def test_a_flank_beyond_the_outer_slices_leaves_a_body_found(maps):
    result, rows = measured(cut(maps, np.s_[: index(maps, right=15)[0], :, :]))
    assert result.scan["vertebrae_found"] == 2 and result.scan["bodies_complete"] == 0
    assert rows[L3]["complete"] is False and rows[L3]["vertebra_status"] == "touches_border"


def test_a_level_beside_a_body_that_is_cut_has_an_uncertain_share(maps):
    """Shares end half-way between the centres of bodies, and the centre of half a body lies elsewhere."""
    levels = [{"label": v, "canal_status": "ok", "cord_status": "absent"} for v in (L3, L4)]
    add_complete(LabelMaps(*maps), [], [], levels)
    assert [row["complete"] for row in levels] == [True, True]
    add_complete(LabelMaps(*cut(maps, np.s_[:, :, : index(maps)[2]])), [], [], levels)
    assert [row["canal_status"] for row in levels] == ["touches_border"] * 2
    assert [row["complete"] for row in levels] == [False, False]
    assert levels[0]["cord_status"] == "absent"  # there is none, however it is shared
