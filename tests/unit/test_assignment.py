"""Discs and endplates belong to the right vertebra, and both maps say the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.spine_boxes import box_spine, counters

from wirbel.core.geometry import Grid, Volume, grid_with_spacing, reorient
from wirbel.core.labels import ARCUS, BODY_BORDER, DISC, ENDPLATE, SACRUM
from wirbel.core.levels.naming import Levels, apply_levels
from wirbel.core.merging.final_grid import KIND_OF_NUMBER, KIND_OF_STRUCTURE, to_scan_grid
from wirbel.core.merging.reconciliation import reconcile

LUMBAR = box_spine(range(18, 25))


def counted(spine):
    """The true vertebra map with counters 1 ... n in place of labels."""
    lookup = np.zeros(256, np.uint8)
    for counter, number in enumerate(spine.numbers, start=1):
        lookup[[number, 100 + number, 200 + number]] = counter, 100 + counter, 200 + counter
    lookup[26] = 26
    return lookup[spine.vertebra]


@pytest.mark.parametrize("numbers", [range(2, 25), range(2, 10), (23, 24)])
def test_a_disc_and_both_its_endplates_go_with_the_vertebra_above(numbers):
    spine = box_spine(numbers, sacrum=24 in numbers)
    subregion, vertebra = reconcile(spine.labels, counters(spine))
    assert np.array_equal(vertebra, counted(spine))
    assert np.array_equal(subregion, spine.labels.data)


def test_a_voxel_without_instance_leaves_both_maps():
    instances = counters(LUMBAR)
    instances[LUMBAR.labels.data == ARCUS] = 0
    subregion, vertebra = reconcile(LUMBAR.labels, instances)
    assert not (subregion == ARCUS).any()
    assert not vertebra[LUMBAR.labels.data == ARCUS].any()


def test_an_instance_outside_the_vertebrae_is_cut_back():
    everywhere = np.where(counters(LUMBAR) == 0, 3, counters(LUMBAR)).astype(np.uint8)
    _, vertebra = reconcile(LUMBAR.labels, everywhere)
    assert np.array_equal(vertebra, counted(LUMBAR))


def test_the_disc_above_the_topmost_vertebra_is_100_until_levels_are_known():
    spine = box_spine(range(20, 25), sacrum=False)
    first_disc = np.flatnonzero((spine.vertebra == 120).any((0, 2)))[0]
    labels = Volume(spine.labels.data[:, first_disc:], spine.labels.affine)
    truth = spine.vertebra[:, first_disc:]
    instances = np.where(counters(spine) > 1, counters(spine) - 1, 0)[:, first_disc:].astype(
        np.uint8
    )
    instances[truth == 20] = 0
    _, vertebra = reconcile(labels, instances)
    assert set(np.unique(vertebra[truth == 120])) == {100}
    named = apply_levels(vertebra, Levels((21, 22, 23, 24), 1.0, "top", None, ()))
    assert (named[truth == 120] == 120).all()
    c2 = apply_levels(vertebra, Levels((2, 3, 4, 5), 1.0, "top", None, ()))
    assert not c2[truth == 120].any()


def test_a_disc_component_over_two_levels_is_split():
    data = LUMBAR.labels.data.copy()
    rows = np.isin(LUMBAR.vertebra, (120, 121, 21)) & np.isin(data, (DISC, BODY_BORDER))
    data[:34][rows[:34]] = DISC  # an anterior band joins the discs above and below L2
    _, vertebra = reconcile(LUMBAR.labels.with_data(data), counters(LUMBAR))
    for number in (120, 121):
        own = (LUMBAR.vertebra == number) & (LUMBAR.labels.data == DISC)
        assert (vertebra[own] == 100 + LUMBAR.numbers.index(number - 100) + 1).all()


def test_a_disc_inside_the_sacrum_is_the_sacrums():
    data = LUMBAR.labels.data.copy()
    rows = np.flatnonzero((data == SACRUM).any((0, 2)))
    part = data[35:55, rows[20] : rows[24], 10:22]
    part[...] = DISC
    _, vertebra = reconcile(LUMBAR.labels.with_data(data), counters(LUMBAR))
    assert set(np.unique(vertebra[35:55, rows[20] : rows[24], 10:22])) == {126}


def test_discs_and_endplates_far_from_any_vertebra_leave_both_maps():
    data = LUMBAR.labels.data.copy()
    data[130:136, 40:46, 10:14] = DISC
    data[130:136, 60:62, 10:14] = ENDPLATE
    subregion, vertebra = reconcile(LUMBAR.labels.with_data(data), counters(LUMBAR))
    assert np.array_equal(subregion, LUMBAR.labels.data)
    assert np.array_equal(vertebra, counted(LUMBAR))


def test_the_model_grid_itself_is_returned_unchanged():
    subregion, vertebra = to_scan_grid(
        LUMBAR.labels, LUMBAR.labels.with_data(LUMBAR.vertebra), LUMBAR.labels.grid
    )
    assert np.array_equal(subregion.data, LUMBAR.labels.data)
    assert np.array_equal(vertebra.data, LUMBAR.vertebra)


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from([(0.7, 0.7, 3.3), (1.3, 0.8, 4.0), (1.6, 1.6, 1.6)]),
    st.sampled_from([("P", "I", "R"), ("L", "A", "S"), ("S", "R", "P"), ("A", "L", "I")]),
    st.floats(-0.2, 0.2),
)
def test_on_any_grid_structure_and_number_fit_together(spacing, axes, turn):
    grid = grid_with_spacing(reorient(LUMBAR.labels, axes).grid, spacing)
    oblique = np.eye(4)
    oblique[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    target = Grid(grid.shape, oblique @ grid.affine)
    subregion, vertebra = to_scan_grid(
        LUMBAR.labels, LUMBAR.labels.with_data(LUMBAR.vertebra), target
    )
    assert subregion.grid.shape == vertebra.grid.shape == target.shape
    assert np.array_equal(KIND_OF_STRUCTURE[subregion.data], KIND_OF_NUMBER[vertebra.data])
    if turn == 0:
        voxel = np.prod(LUMBAR.labels.spacing_mm)
        for number in LUMBAR.numbers:
            volume = (vertebra.data == number).sum() * np.prod(spacing)
            assert volume == pytest.approx((LUMBAR.vertebra == number).sum() * voxel, rel=0.1)
