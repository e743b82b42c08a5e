"""Simulated mistakes of the semantic phase: each changes what it says and nothing else."""

import numpy as np
import pytest
from scipy import ndimage

from wirbel.core import labels as L
from wirbel.learning.instance import segmentation_errors as errors

SEEDS = range(8)
WITHOUT_VERTEBRAE = (errors.corrupt_blobs, errors.grow_or_shrink, errors.roughen)


def spine() -> tuple[np.ndarray, np.ndarray]:
    """Subregion and vertebra map of L1 and L2, the disc between, its endplates, and two arches."""
    subregion, vertebra = np.zeros((20, 24, 12), np.uint8), np.zeros((20, 24, 12), np.uint8)
    for start, label, name in (
        (2, L.BODY_BORDER, 20),
        (9, L.ENDPLATE, 220),
        (10, L.DISC, 120),
        (12, L.ENDPLATE, 220),
        (13, L.BODY_BORDER, 21),
    ):
        subregion[2:10, start:22, 2:10], vertebra[2:10, start:22, 2:10] = label, name
    for start, name in ((2, 20), (13, 21)):
        subregion[13:16, start : start + 6, 4:8] = L.ARCUS
        vertebra[13:16, start : start + 6, 4:8] = name
    subregion[2:10, 20:], vertebra[2:10, 20:] = 0, 0
    return subregion, vertebra


def after(change, seed: int) -> np.ndarray:
    subregion, vertebra = spine()
    random = np.random.default_rng(seed)
    if change in WITHOUT_VERTEBRAE:
        change(subregion, random)
    else:
        change(subregion, vertebra, random)
    return subregion


def changed(change) -> tuple[np.ndarray, np.ndarray]:
    """Return the values before and after of all voxels that any seed changed."""
    before, pairs = spine()[0], []
    for seed in SEEDS:
        now = after(change, seed)
        pairs.append(np.stack([before, now])[:, before != now])
    old, new = np.concatenate(pairs, axis=1)
    assert len(old), "no seed changed anything"
    return old, new


def test_bodies_merge_where_a_disc_and_its_endplates_become_body():
    old, new = changed(errors.merge_neighbouring_bodies)
    assert set(old) <= {L.DISC, L.ENDPLATE}
    assert set(new) == {L.BODY_BORDER}


def test_only_posterior_structures_are_dropped():
    old, new = changed(errors.drop_structures)
    assert set(old) <= set(L.POSTERIOR_ELEMENTS)
    assert set(new) == {0}


def test_discs_vanish_and_endplates_vanish_or_become_disc():
    old, new = changed(errors.drop_discs)
    assert set(old) <= {L.DISC, L.ENDPLATE}
    assert set(new) <= {0, L.DISC}


def test_blobs_hold_background_or_one_of_the_known_structures():
    _, new = changed(errors.corrupt_blobs)
    assert set(new) <= {0, *errors.NOISE_LABELS}


def test_outlines_shift_by_one_voxel_within_the_slice():
    before = spine()[0]
    reach = np.ones((3, 3, 1), bool)
    largest = ndimage.binary_dilation(before > 0, reach)
    smallest = ndimage.binary_erosion(before > 0, reach)
    sizes = set()
    for seed in SEEDS:
        now = after(errors.grow_or_shrink, seed)
        assert not (now[~largest]).any()
        assert (now[smallest] > 0).all()
        sizes.add(np.sign(int((now > 0).sum()) - int((before > 0).sum())))
    assert sizes == {-1, 1}, "some seeds grow, some shrink"


def test_swapped_labels_stay_posterior():
    def swap_many(labels, random):
        for _ in range(20):
            errors.swap_neighbouring_labels(labels, random)

    before, now = spine()[0], spine()[0]
    swap_many(now, np.random.default_rng(0))
    differs = before != now
    assert differs.any()
    assert set(before[differs]) == {L.ARCUS}
    assert set(now[differs]) <= set(L.POSTERIOR_ELEMENTS)


def test_a_ragged_outline_takes_labels_from_the_neighbourhood():
    before = spine()[0]
    for seed in SEEDS:
        now = after(errors.roughen, seed)
        for label in np.unique(now[now != before]):
            near = ndimage.binary_dilation(before == label, np.ones((3, 3, 1), bool))
            wrapped = np.zeros_like(near)
            wrapped[[0, -1]] = wrapped[:, [0, -1]] = True
            assert (near | wrapped)[now == label].all()


@pytest.mark.parametrize("seed", SEEDS)
def test_all_together_leave_the_input_alone_and_follow_the_seed(seed):
    subregion, vertebra = spine()
    first, second = (
        errors.add_errors(subregion, vertebra, np.random.default_rng(seed)) for _ in range(2)
    )
    np.testing.assert_array_equal(subregion, spine()[0])
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.uint8


def test_an_empty_cut_out_is_no_error():
    empty = np.zeros((10, 10, 4), np.uint8)
    for seed in SEEDS:
        assert errors.add_errors(empty, empty, np.random.default_rng(seed)).shape == empty.shape
