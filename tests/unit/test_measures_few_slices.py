"""Few slices, slices to one side, and borders on both sides: values are right, or their status says they lean."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, body, disc, render
from support.spines.solid_spine import rotation

from wirbel.core.geometry import Volume
from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS
from wirbel.core.measures import measure
from wirbel.core.measures.coverage.border import is_cut
from wirbel.core.measures.frames import region_of_mask

L2, L3, L4 = (LEVEL_LABELS[name] for name in ("L2", "L3", "L4"))
LINKS = [body(L2, 26), disc(L2, 8, 12), body(L3, 26), disc(L3, 8, 12), body(L4, 26)]


def of(rows, label):
    return next(row for row in rows if row.get("label", row.get("label_above")) == label)


def in_slices(maps, label, kept):
    """Return both maps with a structure in some slices only."""
    gone = np.isin(maps[1].data, (label, label + 200))
    gone[list(kept)] = False
    return [volume.with_data(np.where(gone, 0, volume.data)) for volume in maps]


def middle_slices(maps, label, number):
    seen = np.flatnonzero((maps[1].data == label).any((1, 2)))
    first = seen[0] + (len(seen) - number) // 2
    return range(first, first + number)


@pytest.mark.parametrize(("turn", "status"), [(0, "ok"), (12, "form_assumed")])
def test_two_slices_that_stand_askew_say_that_heights_lean_on_level_endplates(turn, status):
    maps = render(ChainSpine(LINKS), pose=rotation(0, 0, turn))
    row = of(measure(None, *in_slices(maps, L3, middle_slices(maps, L3, 2))).vertebrae, L3)
    assert row["height_status"] == status
    assert row["height_middle_mm"] == pytest.approx(26, abs=0.6)
    assert row["depth_middle_mm"] == pytest.approx(30, abs=1.0)


def test_walls_of_a_turned_body_in_two_thin_slices_are_found():
    """Turned by 15 degrees, they stand 4 mm to either side of the middle, further than two slices of 2 mm."""
    maps = render(ChainSpine(LINKS), (2.0, 0.8, 0.8), rotation(0, 0, 15))
    row = of(measure(None, *in_slices(maps, L3, middle_slices(maps, L3, 2))).vertebrae, L3)
    assert row["depth_middle_mm"] == pytest.approx(30, abs=1.2)


@pytest.mark.parametrize(("slices_mm", "status"), [(5.2, "form_assumed"), (3.3, "ok")])
def test_a_width_of_fewer_than_five_slices_leans_on_the_usual_form(slices_mm, status):
    links = [body(L2, 14, 17, 22), disc(L2, 5, 6, 17, 22), body(L3, 14, 17, 22)]
    maps = render(ChainSpine(links), (slices_mm, 0.86, 0.86))
    row = of(measure(None, *maps).vertebrae, L2)
    assert row["width_status"] == status
    assert row["width_middle_mm"] == pytest.approx(22, abs=slices_mm / 2)


def test_a_disc_seen_on_one_side_has_the_depth_of_its_middle():
    """The slices reach from its left flank to just beyond its middle; at their centroid it is a tenth less deep."""
    maps = render(ChainSpine(LINKS))
    seen = np.flatnonzero((maps[1].data == DISC_OFFSET + L3).any((1, 2)))
    kept = seen[: len(seen) // 2 + 1]
    row = of(measure(None, *in_slices(maps, DISC_OFFSET + L3, kept)).discs, L3)
    assert row["disc_width_status"] == "partly_seen"
    assert row["disc_depth_mm"] == pytest.approx(34, abs=1.0)
    assert row["disc_height_mm"] == pytest.approx(10, abs=0.6)


def test_the_border_on_both_sides_leaves_the_middle_unknown_unless_the_canal_tells_it():
    """Of a body 40 mm wide, 18 mm are seen, from 4 mm to the right of the middle to 14 mm to the left."""
    right, front = (np.arange(n) - (n - 1) / 2 for n in (60, 56))
    mask = np.abs(right[:, None] / 20) ** 2.2 + np.abs(front / 17) ** 2.2 < 1
    kept = np.repeat(mask[16:34, :, None], 9, axis=2)
    affine = np.eye(4)
    affine[:3, 3] = -13.5, -27.5, 0
    box = (slice(0, 18), slice(0, 56), slice(2, 7))
    region = region_of_mask(kept[box], box, Volume(kept, affine))
    assert is_cut(region, np.array([1.0, 0, 0]), np.array([0.0, -30, 4]))
    assert not is_cut(region, np.array([1.0, 0, 0]), np.array([-5.0, -30, 4]))


def test_a_hollow_body_with_a_cut_flank_keeps_its_heights():
    """Its flanks are the highest part of it, and the turned canal behind it lies 5 mm to the side."""
    right, front, up = np.meshgrid(
        *(np.arange(n) - (n - 1) / 2 for n in (60, 56, 40)), indexing="ij"
    )
    outline = np.abs(right / 20) ** 2.2 + np.abs(front / 17) ** 2.2
    mask = (outline < 1) & (np.abs(up) < 9 + 5 * outline)
    kept = mask[: 50 - 4]
    affine = np.eye(4)
    affine[:3, 3] = -29.5, -27.5, -19.5
    box = (slice(0, len(kept)), slice(0, 56), slice(2, 38))
    region = region_of_mask(kept[box], box, Volume(kept, affine))
    assert not is_cut(region, np.array([1.0, 0, 0]), np.array([-5.0, -30.0, 0.0]))
