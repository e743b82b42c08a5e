"""Training samples of the instance network, on a spine of three cubes.

The map has axes (P, I, R). Vertebrae 20, 21, 22 (L1 to L3) are cubes one below the other along I, each
with a costal process on either side along R.
"""

import numpy as np
import pytest

from wirbel.core import labels as L
from wirbel.core.instances.cutouts import cut_out
from wirbel.learning.instance.instance_samples import (
    ABOVE,
    BELOW,
    CENTRE,
    Variation,
    _crop,
    draw_sample,
    prepare_case,
    targets,
)

STILL = Variation((0, 0, 0), 0, 0, 0, 0, 0, 0, 0)
SIZE = (16, 40, 16)
TOPS = {20: 4, 21: 16, 22: 28}


def three_cubes(names=(20, 21, 22)) -> tuple[np.ndarray, np.ndarray]:
    subregion, vertebra = np.zeros((16, 40, 16), np.uint8), np.zeros((16, 40, 16), np.uint8)
    for name, top in zip(names, TOPS.values(), strict=True):
        box = slice(4, 12), slice(top, top + 8)
        subregion[(*box, slice(6, 10))], vertebra[(*box, slice(4, 12))] = L.BODY_BORDER, name
        subregion[(*box, slice(4, 6))] = L.COSTAL_LEFT
        subregion[(*box, slice(10, 12))] = L.COSTAL_RIGHT
    return subregion, vertebra


def only_middle(**changes):
    """The sample around L2, without any variation but those given."""
    case = prepare_case(*three_cubes())
    middle = type(case)(case.subregion, case.vertebra, case.centres)
    variation = Variation(**{**STILL.__dict__, **changes})
    for seed in range(100):
        random = np.random.default_rng(seed)
        if np.random.default_rng(seed).integers(3) == 1:
            return draw_sample(middle, SIZE, variation, random)
    raise AssertionError("no seed draws the middle one")


def test_vertebrae_are_found_from_the_top_down_with_the_centres_of_their_bodies():
    case = prepare_case(*three_cubes())
    assert [label for label, _ in case.centres] == [20, 21, 22]
    np.testing.assert_allclose(case.centres[0][1], [7.5, 7.5, 7.5])


def test_t13_stands_between_t12_and_l1():
    case = prepare_case(*three_cubes((19, L.T13, 20)))
    assert [label for label, _ in case.centres] == [19, L.T13, 20]


def test_a_body_of_which_hardly_anything_is_visible_is_no_vertebra():
    subregion, vertebra = three_cubes()
    subregion[:, TOPS[22] + 1 :] = 0  # one layer of 8 x 4 voxels is left, then less than 30
    assert len(prepare_case(subregion, vertebra).centres) == 3
    subregion[4, TOPS[22]] = 0
    assert len(prepare_case(subregion, vertebra).centres) == 2


def test_targets_are_the_vertebra_above_the_one_in_the_centre_and_the_one_below():
    _, vertebra = three_cubes()
    out = targets(vertebra, [20, 21, 22], 1)
    found = {name: np.unique(out[vertebra == name]).tolist() for name in (20, 21, 22)}
    assert found == {20: [ABOVE], 21: [CENTRE], 22: [BELOW]}
    assert (out[vertebra == 0] == 0).all()


def test_the_topmost_has_nothing_above_and_the_lowest_nothing_below():
    _, vertebra = three_cubes()
    assert set(np.unique(targets(vertebra, [20, 21, 22], 0))) == {0, CENTRE, BELOW}
    assert set(np.unique(targets(vertebra, [20, 21, 22], 2))) == {0, ABOVE, CENTRE}


def test_without_variation_a_sample_is_the_cut_out_and_its_targets():
    labels, target = only_middle()
    subregion, vertebra = three_cubes()
    centre = prepare_case(subregion, vertebra).centres[1][1]
    np.testing.assert_array_equal(labels, cut_out(subregion, np.round(centre), SIZE)[0])
    moved = cut_out(vertebra, np.round(centre), SIZE)[0]
    np.testing.assert_array_equal(target == CENTRE, moved == 21)
    np.testing.assert_array_equal(target == BELOW, moved == 22)


def test_training_and_inference_cut_out_alike_also_beyond_the_border():
    array = np.random.default_rng(0).integers(0, 255, (9, 10, 5), np.uint8)
    for centre in ([4, 5, 2], [0, 9, 4], [-3, 20, 2]):
        mine, theirs = _crop(array, np.array(centre), (6, 7, 4)), cut_out(array, centre, (6, 7, 4))
        np.testing.assert_array_equal(mine, theirs[0])


def test_a_flip_mirrors_right_and_left_and_exchanges_their_labels():
    plain, flipped = only_middle(), only_middle(flip_probability=1.0)
    mirrored = plain[0][:, :, ::-1]
    left, right = mirrored == L.COSTAL_LEFT, mirrored == L.COSTAL_RIGHT
    assert left.any()
    assert (flipped[0][left] == L.COSTAL_RIGHT).all()
    assert (flipped[0][right] == L.COSTAL_LEFT).all()
    np.testing.assert_array_equal(flipped[0][~(left | right)], mirrored[~(left | right)])
    np.testing.assert_array_equal(flipped[1], plain[1][:, :, ::-1])


def test_a_smaller_field_of_view_hides_input_and_target_alike():
    labels, target = only_middle(crop_probability=1.0)
    plain, plain_target = only_middle()
    hidden = (labels == 0) & (plain != 0)
    assert hidden.any()
    assert (target[hidden] == 0).all()
    np.testing.assert_array_equal(target[labels > 0], plain_target[labels > 0])


def test_deformation_moves_input_and_target_alike():
    """Every voxel of a vertebra stays one, and every other stays none."""
    labels, target = only_middle(rotation_deg=12.0, scaling=0.2, bending=4.0, tilt=0.03)
    np.testing.assert_array_equal(labels > 0, target > 0)
    assert (target != only_middle()[1]).any()


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_draws_the_same_sample(seed):
    case = prepare_case(*three_cubes())
    first, second = (
        draw_sample(case, SIZE, Variation(), np.random.default_rng(seed)) for _ in range(2)
    )
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_a_sample_can_show_what_a_semantic_network_made_of_the_scan():
    """It saw no costal process; the target is the truth all the same, and no other error is added."""
    subregion, vertebra = three_cubes()
    predicted = np.where(subregion == L.BODY_BORDER, subregion, 0).astype(np.uint8)
    case = prepare_case(subregion, vertebra, predicted)
    variation = Variation(**{**STILL.__dict__, "predicted_share": 1.0, "error_probability": 1.0})
    labels, target = draw_sample(case, SIZE, variation, np.random.default_rng(0))
    assert set(np.unique(labels)) == {0, L.BODY_BORDER}
    assert (target > 0).sum() > (labels > 0).sum()
