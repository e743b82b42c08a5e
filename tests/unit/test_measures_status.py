"""No value is missing without a code that says why."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, body, disc
from support.spines.chain_spine import render as draw_chain
from support.spines.solid_spine import L3, L4, SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.dictionary import TABLES
from wirbel.core.geometry import Volume
from wirbel.core.measures import measure
from wirbel.core.measures.coverage.contiguity import level_below
from wirbel.core.measures.status import STATUS_CODES

HEIGHTS = ("height_anterior_mm", "height_middle_mm", "height_posterior_mm")


@pytest.fixture
def maps():
    return render(SolidSpine(), pose=rotation(5, 3, 0))


def vertebra(maps, label):
    return next(r for r in measure(None, *maps).vertebrae if r["label"] == label)


def cut(maps, box):
    """Return both maps cut to a box of voxels that starts at the first."""
    return [Volume(v.data[box].copy(), v.affine) for v in maps]


def test_a_body_at_the_border_has_no_height_but_the_imaged_volume(maps):
    top_cut = cut(maps, np.s_[:, :, : 145 - 40])  # L3 reaches above the field of view
    row = vertebra(top_cut, L3)
    assert row["height_status"] == row["body_status"] == "touches_border"
    assert [row[name] for name in HEIGHTS] == [None] * 3
    assert 0 < row["body_volume_mm3"] < vertebra(maps, L3)["body_volume_mm3"]
    assert vertebra(top_cut, L4)["height_status"] == "ok"


def test_a_cut_flank_spoils_the_volume_but_not_the_heights(maps):
    # an elliptic body of 40 mm width, 2 mm of its right flank outside of the field of view
    whole = render(SolidSpine(elliptic=True), (1.0, 1.0, 1.0))
    slices = int(whole[0].grid.to_index([18.0, 0, 0])[0]) + 1
    row, uncut = vertebra(cut(whole, np.s_[:slices]), L3), vertebra(whole, L3)
    assert (row["body_status"], row["height_status"]) == ("touches_border", "ok")
    assert [row[n] for n in HEIGHTS] == pytest.approx([uncut[n] for n in HEIGHTS], abs=0.1)
    assert vertebra(cut(whole, np.s_[: slices - 8]), L3)["height_status"] == "touches_border"


def test_a_vertebra_of_which_only_the_arch_is_labelled_has_no_row(maps):
    maps[1].data[(maps[1].data == L3) & (maps[0].data == L.BODY_BORDER)] = 0
    measured = measure(None, *maps)
    assert [row["label"] for row in measured.vertebrae] == [L4]
    disc = measured.discs[0]
    assert disc["slip_status"] == "no_neighbour" and disc["disc_height_status"] == "ok"


def test_of_a_part_out_of_view_nothing_is_known_but_in_view_there_is_none(maps):
    whole = vertebra(maps, L3)
    assert whole["vertebra_status"] == "ok" and whole["spinous_process_volume_mm3"] == 0.0
    row = vertebra(cut(maps, np.s_[:, :, : 145 - 40]), L3)
    assert row["vertebra_status"] == "touches_border" and row["spinous_process_volume_mm3"] is None


def test_without_canal_the_mid_sagittal_plane_is_unknown(maps):
    maps[0].data[np.isin(maps[0].data, (L.CANAL, L.CORD))] = 0
    measured = measure(None, *maps)
    assert {row["height_status"] for row in measured.vertebrae} == {"no_canal"}
    assert measured.scan["canal_status"] == measured.scan["cord_status"] == "absent"
    assert {row["canal_status"] for row in measured.levels} == {"absent"}


def test_c2_has_no_body_height(maps):
    maps[1].data[maps[1].data == L3] = 2
    assert vertebra(maps, 2)["height_status"] == "not_defined_for_c2"


def test_endplates_count_by_nearness_not_by_number(maps):
    # some label maps give both endplates of a gap the number of the vertebra above
    expected = [vertebra(maps, L4)[name] for name in HEIGHTS]
    plates = maps[1].data > L.ENDPLATE_OFFSET
    maps[1].data[plates] = L.ENDPLATE_OFFSET + L3
    assert [vertebra(maps, L4)[name] for name in HEIGHTS] == pytest.approx(expected)


def test_a_stray_voxel_does_not_stretch_a_body(maps):
    expected = [vertebra(maps, L3)[name] for name in HEIGHTS]
    i, j, k = (n // 2 for n in maps[1].data.shape)
    maps[0].data[i, j, k - 60], maps[1].data[i, j, k - 60] = L.BODY_BORDER, L3
    assert [vertebra(maps, L3)[name] for name in HEIGHTS] == pytest.approx(expected)


def test_each_level_has_its_share_of_the_canal_where_both_neighbours_are_there():
    """Levels of 26 mm body and 8 mm disc, a canal of 24 x 16 mm less a cord of 11 x 7 mm."""
    links = [link for v in (21, L3, L4, 24) for link in (body(v, 26), disc(v, 8, 8))]
    rows = measure(None, *draw_chain(ChainSpine(links, sacrum=True))).levels
    assert [row["canal_status"] for row in rows] == ["vertebra_missing", "ok", "ok", "ok"]
    assert rows[0]["canal_volume_mm3"] is None  # L1 is not in the map
    share = 34 * np.pi / 4 * (24 * 16 - 11 * 7)
    assert [row["canal_volume_mm3"] for row in rows[1:3]] == pytest.approx([share] * 2, rel=0.03)


def test_every_missing_value_is_explained(maps):
    maps[0].data[(maps[0].data == L.ARCUS)] = 0
    measured = measure(None, *cut(maps, np.s_[:, :, : 145 - 40]))
    for table in ("vertebrae", "discs", "levels"):
        status_of = {c.name: c.status for c in TABLES[table]}
        for row in getattr(measured, table):
            for name, value in row.items():
                if value is None:
                    assert row[status_of[name]] not in ("ok", ""), name
                if name.endswith("_status"):
                    assert value in STATUS_CODES


def test_an_empty_map_gives_empty_tables():
    empty = Volume(np.zeros((4, 5, 6), np.uint8), np.eye(4))
    measured = measure(None, empty, empty)
    assert (measured.vertebrae, measured.discs, measured.levels) == ([], [], [])
    assert measured.scan["vertebrae_found"] == 0 and measured.scan["first_level"] is None


def test_maps_on_different_grids_are_refused(maps):
    shifted = Volume(maps[1].data, maps[1].affine + np.diag([0, 0, 0.5, 0]))
    with pytest.raises(ValueError, match="same grid"):
        measure(None, maps[0], shifted)


@pytest.mark.parametrize(
    ("above", "present", "below"),
    [
        ("C7", (), "T1"),
        ("T11", ("L1",), "L1"),  # eleven thoracic vertebrae
        ("T12", ("T13", "L1"), "T13"),  # thirteen thoracic vertebrae
        ("T12", ("L1",), "L1"),
        ("T12", ("T13",), "T13"),
        ("L4", ("S1",), "S1"),  # four lumbar vertebrae
        ("L5", ("S1",), "S1"),
        ("L5", ("L6", "S1"), "L6"),  # six lumbar vertebrae: L6 lies between
        ("L5", (), "S1"),  # nothing below in view: the usual name
    ],
)
def test_the_vertebra_below_where_numbers_vary(above, present, below):
    numbers = {L.LEVEL_LABELS[name] for name in present}
    assert L.LEVEL_NAMES[level_below(L.LEVEL_LABELS[above], numbers)] == below
