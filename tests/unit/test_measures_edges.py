"""Shapes at the edge of what can be measured: wedges and thin discs, few slices, cut flanks, islands."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, Link, body, disc, render
from support.spines.solid_spine import rotation

from wirbel.core.geometry import Volume
from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS
from wirbel.core.measures import measure
from wirbel.core.measures.coverage.border import is_cut
from wirbel.core.measures.frames import region_of_mask

L2, L3, L4 = (LEVEL_LABELS[name] for name in ("L2", "L3", "L4"))


def between_bodies(link: Link) -> ChainSpine:
    return ChainSpine([body(L3, 26), link, body(L4, 26)], plate_mm=0.5)


@pytest.mark.parametrize(
    ("back", "front", "exponent", "spacing", "pitch"),
    [
        (0.5, 9.9, 2.5, (1.0, 1.0, 1.0), 12.0),  # its back has no wall at all
        (0.9, 7.6, 2.0, (3.3, 0.86, 0.86), -20.0),
        (2.0, 14.0, 2.5, (3.3, 0.86, 0.86), 5.0),
        (8.0, 1.0, 2.5, (4.4, 0.8, 0.8), 5.0),
        (2.0, 2.0, 2.5, (3.3, 0.86, 0.86), 2.0),
    ],
)
def test_wedged_and_thin_discs_keep_their_depth(back, front, exponent, spacing, pitch):
    link = Link(DISC_OFFSET + L3, back, front, 35, 45, exponent=exponent)
    maps = render(between_bodies(link), spacing, rotation(pitch, 2, 3), (0.3, 0.5, 0.2))
    (row,) = measure(None, *maps).discs
    assert row["disc_depth_mm"] == pytest.approx(35, abs=1.0)
    assert row["disc_area_mm2"] == pytest.approx(35 * (back + front) / 2, rel=0.08)
    assert row["disc_wedge_angle_deg"] == pytest.approx(link.wedge_deg, abs=2)


@pytest.fixture(scope="module")
def three_bodies():
    links = [body(L2, 26), disc(L2, 8, 12), body(L3, 26), disc(L3, 8, 12), body(L4, 26)]
    return render(ChainSpine(links), pose=rotation(3, 2, 2))


def in_slices(maps, label: int, offsets) -> list[Volume]:
    """Return both maps with a structure in some slices only, counted from the middle one."""
    middle = round(float(maps[0].grid.to_index([0, 0, 0])[0]))
    gone = np.isin(maps[1].data, (label, label + 200 if label < DISC_OFFSET else label))
    gone[[middle + k for k in offsets]] = False
    return [volume.with_data(np.where(gone, 0, volume.data)) for volume in maps]


def test_a_disc_in_the_two_middle_slices_has_its_height_but_no_width(three_bodies):
    maps = in_slices(three_bodies, DISC_OFFSET + L3, (0, 1))
    row = next(r for r in measure(None, *maps).discs if r["label_above"] == L3)
    assert row["disc_height_mm"] == pytest.approx(10, abs=0.5)
    assert row["disc_wedge_angle_deg"] == pytest.approx(6.7, abs=1.5)
    assert row["disc_width_mm"] is None
    assert row["disc_width_status"] == row["disc_status"] == "partly_seen"
    assert row["complete"] is False


def test_a_structure_in_slices_to_one_side_has_no_mid_sagittal_height(three_bodies):
    rows = measure(None, *in_slices(three_bodies, DISC_OFFSET + L3, (-5, -4, -3))).discs
    row = next(r for r in rows if r["label_above"] == L3)
    assert row["disc_height_mm"] is None and row["disc_height_status"] == "partly_seen"
    rows = measure(None, *in_slices(three_bodies, L3, (4, 5))).vertebrae
    row = next(r for r in rows if r["label"] == L3)
    assert row["height_middle_mm"] is None and row["body_status"] == "partly_seen"


def test_a_disc_labelled_on_one_side_does_not_turn_the_section_behind_it(three_bodies):
    """Its centroid lies 13 mm to one side: towards there is not the canal's front."""
    mine = np.flatnonzero((three_bodies[1].data == DISC_OFFSET + L3).any((1, 2)))
    middle = round(float(three_bodies[0].grid.to_index([0, 0, 0])[0]))
    aside = range(mine[0] - middle, mine[0] - middle + len(mine) // 3)
    rows = [
        next(r for r in measure(None, *maps).levels if r["label"] == L3)
        for maps in (three_bodies, in_slices(three_bodies, DISC_OFFSET + L3, aside))
    ]
    for name in ("canal_rl_disc_mm", "canal_ap_disc_mm", "cord_rl_disc_mm"):
        assert rows[1][name] == pytest.approx(rows[0][name], abs=0.5)


@pytest.mark.parametrize(
    ("lost", "aside", "cut"),
    [(0.1, -5.0, False), (0.1, 5.0, False), (0.4, 0.0, True), (0.4, 5.0, True)],
)
def test_a_cut_flank_is_told_from_a_cut_half_however_a_disc_is_turned(lost, aside, cut):
    """The canal lies 5 mm to the side of the disc's middle, as behind one that is turned by ten degrees."""
    right, front = (np.arange(n) - (n - 1) / 2 for n in (60, 56))
    mask = np.abs(right[:, None] / 20) ** 2.2 + np.abs(front / 17) ** 2.2 < 1
    kept = np.repeat(mask[: 50 - round(40 * lost), :, None], 9, axis=2)
    affine = np.eye(4)
    affine[:3, 3] = -29.5, -27.5, 0
    box = (slice(0, len(kept)), slice(0, 56), slice(2, 7))
    region = region_of_mask(kept[box], box, Volume(kept, affine))
    assert is_cut(region, np.array([1.0, 0, 0]), np.array([aside, -30.0, 4.0])) is cut


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_border_that_cuts_a_tenth_of_the_width_leaves_the_heights(three_bodies, lost):
    wide = np.flatnonzero((three_bodies[1].data == L3).any((1, 2)))
    maps = [Volume(v.data[: wide[-1] + 1 - (lost - 1)], v.affine) for v in three_bodies]
    row = next(r for r in measure(None, *maps).vertebrae if r["label"] == L3)
    assert row["height_status"] == "ok" and row["width_status"] == "touches_border"
    assert row["height_middle_mm"] == pytest.approx(26, abs=0.3)


def test_an_island_counts_neither_for_volume_nor_position(three_bodies):
    before = next(r for r in measure(None, *three_bodies).vertebrae if r["label"] == L3)
    subregion, vertebra = (v.with_data(v.data.copy()) for v in three_bodies)
    far = np.s_[2:4, 2:6, 2:6]
    subregion.data[far], vertebra.data[far] = 49, L3
    after = next(r for r in measure(None, subregion, vertebra).vertebrae if r["label"] == L3)
    numbers = [name for name, value in before.items() if isinstance(value, float)]
    assert [after[n] for n in numbers] == pytest.approx([before[n] for n in numbers], abs=1e-3)


def test_a_body_in_the_two_middle_slices_has_heights_and_depths_but_no_width(three_bodies):
    rows = measure(None, *in_slices(three_bodies, L3, (0, 1))).vertebrae
    row = next(r for r in rows if r["label"] == L3)
    assert row["height_middle_mm"] == pytest.approx(26, abs=0.5)
    for place in ("upper", "middle", "lower"):
        assert row[f"depth_{place}_mm"] == pytest.approx(30, abs=0.8)
        assert row[f"width_{place}_mm"] is None
    assert row["coronal_wedge_angle_deg"] is None and row["width_status"] == "partly_seen"


def test_two_oblique_slices_do_not_tell_how_a_body_leans():
    links = [body(L2, 26), disc(L2, 8, 12), body(L3, 26), disc(L3, 8, 12), body(L4, 26)]
    maps = render(ChainSpine(links), (2.2, 0.73, 0.73), rotation(-20, 12, 4))
    seen = np.flatnonzero((maps[1].data == L3).any((1, 2)))
    gone = maps[1].data == L3
    gone[seen[len(seen) // 2 - 1] : seen[len(seen) // 2] + 1] = False
    few = [volume.with_data(np.where(gone, 0, volume.data)) for volume in maps]
    row = next(r for r in measure(None, *few).vertebrae if r["label"] == L3)
    assert row["height_middle_mm"] == pytest.approx(26, abs=0.7)
    assert row["depth_middle_mm"] == pytest.approx(30, abs=0.8)
