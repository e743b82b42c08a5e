"""Foramina between pedicles of known height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, body, disc
from support.spines.chain_spine import render as render_chain
from support.spines.solid_spine import L3, L4, SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.measures import measure


@dataclass(frozen=True)
class WithPedicles(SolidSpine):
    """Pedicles 8 mm wide, from 5 mm below the middle of each body to 7 mm above on the left, to 3 mm on the right."""

    def draw(self, r, a, s):
        """Return (subregion, vertebra) at points of the spine's frame."""
        subregion, vertebra = super().draw(r, a, s)
        behind = -self.depth_mm / 2 - a
        for label, centre in ((L3, 0.0), (L4, -self.height_mm - self.disc_mm)):
            top = np.where(r < 0, 7.0, 3.0)
            pedicle = (np.abs(np.abs(r) - 17) < 4) & (behind > 0) & (behind < 9)
            pedicle &= (s - centre < top) & (s - centre > -5.0)
            subregion[pedicle], vertebra[pedicle] = L.ARCUS, label
        return subregion, vertebra


def volume_to(volume: Volume, last: int) -> Volume:
    """Return a volume without the slices to the right of one."""
    return Volume(volume.data[: last + 1], volume.affine)


@pytest.mark.parametrize("pose", [rotation(0, 0, 0), rotation(9, 3, 4)])
@pytest.mark.parametrize("spacing", [(3.3, 0.86, 0.86), (4.4, 0.8, 0.8)])
def test_a_foramen_is_as_high_as_its_pedicles_leave_it(pose, spacing):
    """From middle to middle it is 34 mm: 34 - 5 - 7 on the left, 34 - 5 - 3 on the right."""
    row = measure(None, *render(WithPedicles(), spacing, pose=pose)).discs[0]
    assert row["foramen_left_status"] == row["foramen_right_status"] == "ok"
    assert row["foramen_height_left_mm"] == pytest.approx(22, abs=0.9)
    assert row["foramen_height_right_mm"] == pytest.approx(26, abs=0.9)


def test_without_pedicles_the_status_says_so():
    row = measure(None, *render(SolidSpine())).discs[0]
    assert row["foramen_height_left_mm"] is row["foramen_height_right_mm"] is None
    assert row["foramen_left_status"] == "surface_incomplete"  # the arch shows, its pedicles do not


def test_where_the_last_slice_shows_the_pedicle_highest_the_other_side_is_measured():
    """The field of view ends 17 mm to the right of the middle, half-way through the right pedicles."""
    maps = render(WithPedicles())
    last = int(np.floor(maps[0].grid.to_index(np.array([17.0, 0, 0]))[0]))
    row = measure(None, *(volume_to(volume, last) for volume in maps)).discs[0]
    assert row["foramen_height_left_mm"] == pytest.approx(22, abs=0.9)
    assert (row["foramen_height_right_mm"], row["foramen_right_status"]) == (None, "touches_border")


def test_only_lumbar_foramina_open_to_the_side():
    links = [x for v in (18, 19, 20) for x in (body(v, 24), disc(v, 7, 7))]
    rows = measure(None, *render_chain(ChainSpine(links[:-1]))).discs
    assert [row["level"] for row in rows] == ["T11-T12", "T12-L1"]
    assert {row["foramen_left_status"] for row in rows} == {"not_defined_at_level"}
