"""Random changes of training patches: what each one does to an array whose answer can be drawn.

Patches have axes (C, P, I, R); drawing is separate from applying, so tests hand in what was drawn.
"""

import numpy as np
import pytest
import torch

from wirbel.learning.training.appearance import Appearance, Look, change_appearance
from wirbel.learning.training.augmentation import (
    OUTSIDE_LABEL,
    BlankBorders,
    InPlaneAffine,
    SwapSides,
)


def patch(labels: np.ndarray) -> dict:
    """A patch whose image shows 10 x the label, so that both can be compared after any move."""
    segmentation = torch.from_numpy(labels[None].astype(np.int16))
    return {"image": 10.0 * segmentation.float(), "segmentation": segmentation}


def square(shape=(16, 12, 2), width=4) -> np.ndarray:
    """A square of label 1 in the middle of every slice."""
    labels = np.zeros(shape, np.int16)
    rows, columns = ((n - width) // 2 for n in shape[:2])
    labels[rows : rows + width, columns : columns + width] = 1
    return labels


def moved(labels: np.ndarray, matrix, patch_size) -> dict:
    matrix = None if matrix is None else torch.tensor(matrix)
    return InPlaneAffine(patch_size).apply(patch(labels), matrix=matrix)


def test_the_identity_keeps_every_voxel():
    labels = np.random.default_rng(0).integers(0, 15, (16, 12, 3))
    out = moved(labels, [[1.0, 0.0], [0.0, 1.0]], (16, 12, 3))
    np.testing.assert_array_equal(out["segmentation"][0], labels)
    np.testing.assert_allclose(out["image"][0], 10 * labels, atol=1e-3)


@pytest.mark.parametrize("matrix", [None, [[1.0, 0.0], [0.0, 1.0]]])
def test_a_margin_is_cut_off_evenly(matrix):
    labels = np.arange(20 * 16 * 3).reshape(20, 16, 3)
    out = moved(labels, matrix, (16, 12, 3))
    np.testing.assert_array_equal(out["segmentation"][0], labels[2:18, 2:14])


def test_halving_the_steps_doubles_the_square_along_that_axis_only():
    """The matrix leads from output to input positions; the patch is not square, to catch mixed axes."""
    doubled = moved(square(), [[0.5, 0.0], [0.0, 0.5]], (16, 12, 2))["segmentation"][0]
    np.testing.assert_array_equal(doubled, square(width=8))
    tall = moved(square(), [[0.5, 0.0], [0.0, 1.0]], (16, 12, 2))["segmentation"][0]
    assert (tall[..., 0].sum(1) > 0).sum() == 8, "along P"
    assert (tall[..., 0].sum(0) > 0).sum() == 4, "along I"


def test_a_quarter_turn_turns_every_slice():
    """The voxel at (p, i) comes from (-i, p) around the middle: what lay along -P lies along I."""
    labels = np.random.default_rng(0).integers(0, 15, (12, 12, 3))
    out = moved(labels, [[0.0, -1.0], [1.0, 0.0]], (12, 12, 3))
    np.testing.assert_array_equal(out["segmentation"][0], np.rot90(labels, -1, (0, 1)))
    np.testing.assert_allclose(out["image"][0], 10 * np.rot90(labels, -1, (0, 1)), atol=1e-2)


def test_what_comes_in_from_outside_is_marked_as_unknown():
    out = moved(square(), [[2.0, 0.0], [0.0, 2.0]], (16, 12, 2))["segmentation"][0]
    assert (out[[0, -1]] == OUTSIDE_LABEL).all()
    assert (out[7:9, 5:7] == 1).all()


def test_swapping_sides_mirrors_the_third_axis_and_exchanges_the_pair():
    """Along R: label 3 (left) at the first voxel, 4 (right) at the second, 5 (no side) at the third."""
    labels = np.array([3, 4, 5, 0]).reshape(1, 1, 4)
    swap = SwapSides([(3, 4)])
    out = swap.apply(patch(labels), mirror=True)
    assert out["segmentation"].flatten().tolist() == [0, 5, 3, 4]
    assert out["image"].flatten().tolist() == [0, 50, 40, 30]
    kept = swap.apply(patch(labels), mirror=False)
    assert kept["segmentation"].flatten().tolist() == [3, 4, 5, 0]


def test_swapping_sides_twice_changes_nothing():
    labels = np.random.default_rng(0).integers(0, 15, (4, 4, 5))
    swap, data = SwapSides([(3, 4), (5, 6)]), patch(labels)
    for _ in range(2):
        data = swap.apply(data, mirror=True)
    np.testing.assert_array_equal(data["segmentation"][0], labels)


def test_blank_borders_hide_image_and_labels_of_a_strip():
    out = BlankBorders().apply(patch(np.ones((4, 4, 4))), strips=[(1, 1, False)], value=-1.0)
    assert (out["image"][0, :, 0] == -1).all()
    assert (out["segmentation"][0, :, 0] == 0).all()
    assert (out["segmentation"][0, :, 1:] == 1).all()
    assert (out["image"][0, :, 1:] == 10).all()


def test_no_blank_borders_when_none_were_drawn():
    data = patch(np.ones((4, 4, 4)))
    transform = BlankBorders(probability=0.0)
    drawn = transform.get_parameters(**data)
    assert (transform.apply(data, **drawn)["segmentation"] == 1).all()


def image() -> torch.Tensor:
    values = np.random.default_rng(0).normal(size=(1, 16, 16, 4))
    return torch.from_numpy(values.astype(np.float32))


def test_nothing_drawn_leaves_the_image_as_it_is():
    torch.testing.assert_close(change_appearance(image(), Look()), image())


def test_gamma_changes_the_contrast_but_neither_order_nor_mean_nor_spread():
    before = image()
    after = change_appearance(before, Look(gamma=0.4))
    assert not torch.allclose(before, after, atol=1e-2)
    assert (after.flatten().argsort() == before.flatten().argsort()).all()
    assert float(after.mean()) == pytest.approx(float(before.mean()), abs=1e-4)
    assert float(after.std()) == pytest.approx(float(before.std()), abs=1e-4)


def test_noise_comes_from_the_drawn_seed():
    def noisy(seed):
        return change_appearance(image(), Look(noise=0.2, seed=seed))

    assert torch.equal(noisy(3), noisy(3))
    assert not torch.equal(noisy(3), noisy(4))
    assert float((noisy(3) - image()).std()) == pytest.approx(0.2, rel=0.1)


@pytest.mark.parametrize("change", [{"blur": 1.0}, {"coarsen": 0.5}])
def test_blur_and_coarsening_stay_inside_each_slice(change):
    """One bright slice: its neighbours stay dark."""
    bright = torch.zeros(1, 16, 16, 3)
    bright[0, 8, 8, 1] = 100
    after = change_appearance(bright, Look(**change))
    assert after.shape == bright.shape
    assert (after[..., [0, 2]] == 0).all()
    assert 0 < float(after.max()) < 100


def test_the_same_seed_draws_the_same_changes():
    drawn = []
    for _ in range(2):
        np.random.seed(7)  # noqa: NPY002 (the state that nnU-Net's transforms draw from)
        drawn.append(Appearance().get_parameters(image=image()))
    assert str(drawn[0]) == str(drawn[1])
