"""Sections of cords of any form: right where slices tell it, and not `ok` where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.measures.cord.sections import cut_section
from wirbel.core.measures.curvature.curves import CORD_FORM
from wirbel.core.measures.frames import make_frame
from wirbel.core.measures.label_maps import LabelMaps


def cord(depth, width, slices_mm, shift):
    """Return section and status of an upright elliptic cord, its middle `shift` slices beside a slice's."""
    spacing = np.array([slices_mm, 0.86, 0.86])
    shape = (15, 50, 24)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -np.array([7 + shift, 24.8, 11.7]) * spacing
    x, y, _ = (
        np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3).T * spacing[:, None] + affine[:3, 3:]
    )
    inside = (2 * x / width) ** 2 + (2 * y / depth) ** 2 < 1
    volume = Volume(np.where(inside, L.CORD, 0).astype(np.uint8).reshape(shape), affine)
    maps = LabelMaps(volume, volume.with_data(np.zeros_like(volume.data)))
    frame = make_frame(np.zeros(3), np.array([0.0, 0, 1]), np.array([0.0, -30, 0]))
    return cut_section(maps, (L.CORD,), frame, CORD_FORM)


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5])
@pytest.mark.parametrize(
    ("depth", "width", "slices_mm"), [(6, 6, 1.5), (3, 15, 2.0), (8, 8, 2.0), (6.8, 13, 3.3)]
)
def test_where_slices_tell_its_form_a_cord_keeps_it(depth, width, slices_mm, shift):
    section, state = cord(depth, width, slices_mm, shift)
    assert state == "ok"
    assert section.area_mm2 == pytest.approx(np.pi / 4 * depth * width, rel=0.1)
    assert section.width_mm == pytest.approx(width, abs=1.2)
    assert section.depth_mm == pytest.approx(depth, abs=0.5)


@pytest.mark.parametrize("shift", [0.25, 0.5])
@pytest.mark.parametrize(
    ("depth", "width", "slices_mm"), [(6, 6, 3.3), (5.8, 8.2, 4.4), (3, 15, 4.4)]
)
def test_where_slices_do_not_tell_its_form_the_status_says_so(depth, width, slices_mm, shift):
    section, state = cord(depth, width, slices_mm, shift)
    assert state == "form_assumed"
    assert section.depth_mm == pytest.approx(
        depth, abs=0.6
    )  # what one slice shows is known all the same
