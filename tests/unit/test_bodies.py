"""Body centres and cut-outs: merged bodies are split, pieces of one joined."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.rotations import rotation
from support.spines.spine_boxes import SIZES, _block, box_spine, disc_height

from wirbel.core.geometry import Volume, reorient
from wirbel.core.instances.bodies import separate_bodies, settle
from wirbel.core.instances.cutouts import body_centres, cut_out
from wirbel.core.labels import BODY_BORDER, DISC, ENDPLATE, SACRUM

LUMBAR = box_spine(range(19, 25))
WHOLE = box_spine(range(2, 25))


def true_body_centres(spine):
    """Centroids of the bodies alone, from the true vertebra map."""
    body = spine.labels.data == BODY_BORDER
    return np.array(
        [
            spine.labels.grid.to_world(np.argwhere(body & (spine.vertebra == n)).mean(0))
            for n in spine.numbers
        ]
    )


def fused(spine, upper, *, bridge):
    """Return the map with the disc below `upper` turned to bone: all of it, or a bridge in front."""
    data = spine.labels.data.copy()
    rows = np.flatnonzero((spine.vertebra == 100 + upper).any((0, 2)))
    window = data[:, rows.min() - 1 : rows.max() + 2]
    depth, width, _ = SIZES[upper]
    block = _block(4 if bridge else depth, width, 0, 99)
    window[block[0], :, block[2]] = BODY_BORDER
    return spine.labels.with_data(data)


@pytest.mark.parametrize("numbers", [range(2, 25), range(2, 12), range(8, 16), range(20, 25)])
def test_every_body_gives_its_centroid_from_the_top_down(numbers):
    spine = box_spine(numbers, sacrum=24 in numbers)
    assert np.allclose(body_centres(spine.labels), true_body_centres(spine), atol=1e-6)


@pytest.mark.parametrize("upper", [3, 5, 6, 9, 13, 17, 19, 21, 23])
@pytest.mark.parametrize("bridge", [True, False])
def test_bodies_merged_by_a_bridge_or_a_lost_disc_are_split(upper, bridge):
    bodies = separate_bodies(fused(WHOLE, upper, bridge=bridge))
    assert np.abs(bodies.centre_mm - true_body_centres(WHOLE)).max() < 5
    merged = [WHOLE.numbers.index(upper), WHOLE.numbers.index(upper) + 1]
    assert np.flatnonzero(bodies.cut).tolist() == merged


def test_three_merged_bodies_are_split():
    data = WHOLE.labels.data.copy()
    both = [fused(WHOLE, n, bridge=False).data for n in (20, 21)]
    data[(both[0] == BODY_BORDER) | (both[1] == BODY_BORDER)] = BODY_BORDER
    assert len(body_centres(WHOLE.labels.with_data(data))) == 23


def test_a_merged_pair_alone_in_the_field_of_view_is_split():
    spine = box_spine((21, 22), sacrum=False)
    assert len(body_centres(fused(spine, 21, bridge=False))) == 2


def test_c2_with_its_dens_is_one_body_and_c2_merged_with_c3_two():
    assert not separate_bodies(WHOLE.labels).cut.any()
    bodies = separate_bodies(fused(WHOLE, 2, bridge=False))
    assert len(bodies) == 23 and bodies.cut[:2].all()


def with_line_under_the_dens(height_mm):
    """Return the whole spine's map with the base of the dens drawn as a disc."""
    data = WHOLE.labels.data.copy()
    rows = np.flatnonzero(((WHOLE.vertebra == 2) & (data == BODY_BORDER)).any((0, 2)))
    base = data[:, rows[0] + 20 : rows[0] + 20 + height_mm]
    base[base == BODY_BORDER] = DISC
    return data


def test_a_dens_drawn_apart_from_its_body_is_a_part_of_c2():
    assert len(separate_bodies(WHOLE.labels.with_data(with_line_under_the_dens(3)))) == 23


def test_a_bit_of_c1_beside_the_dens_is_no_vertebra():
    spine = box_spine(range(2, 9), sacrum=False)
    data = spine.labels.data.copy()
    top = int(np.flatnonzero((spine.vertebra == 2).any((0, 2))).min())
    data[30:38, top + 1 : top + 14, 1:3] = BODY_BORDER  # 600 mm3, as high as the dens, left of it
    bodies = separate_bodies(spine.labels.with_data(data))
    assert np.abs(bodies.centre_mm - true_body_centres(spine)).max() < 1


def test_a_whole_c2_above_a_stout_c3_is_no_dens_of_it():
    spine = box_spine(range(2, 9), sacrum=False)
    data = spine.labels.data.copy()
    c3 = np.nonzero((spine.vertebra == 3) & (data == BODY_BORDER))
    depth, height, width = (slice(int(v.min()), int(v.max()) + 1) for v in c3)
    data[depth.start : depth.stop + 4, height.start - 2 : height.stop, width] = BODY_BORDER
    assert len(separate_bodies(spine.labels.with_data(data))) == 7


def test_what_the_image_shows_of_a_vertebra_above_is_no_part_of_the_next():
    """The border cuts T1 off: what is left of it is a body of its own, not a dens."""
    spine = box_spine(range(8, 16), sacrum=False)
    cut = spine.labels.data[:, 12 + 9 :]  # the margin and 9 of T1's 15 mm are outside
    assert len(separate_bodies(Volume(cut, spine.labels.affine))) == 8


@pytest.mark.parametrize("number", [2, 12, 21])
def test_a_speck_of_disc_inside_a_body_does_not_split_it(number):
    data = WHOLE.labels.data.copy()
    body = (WHOLE.vertebra == number) & (data == BODY_BORDER)
    i, j, k = np.argwhere(body).mean(0).astype(int)
    data[i - 3 : i + 3, j - 3 : j + 3, k - 1 : k + 2][
        body[i - 3 : i + 3, j - 3 : j + 3, k - 1 : k + 2]
    ] = DISC
    assert len(body_centres(WHOLE.labels.with_data(data))) == 23


def test_a_single_body_beside_cut_off_ones_is_not_split():
    """Both neighbours are cut by the field of view, which makes the middle one look too large."""
    spine = box_spine((20, 21, 22), sacrum=False, top_margin=0, bottom_margin=0)
    data = spine.labels.data[:, 16:-20]
    assert len(body_centres(Volume(data, spine.labels.affine))) == 3


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_body_cut_in_two_by_noise_is_one(axis):
    data = LUMBAR.labels.data.copy()
    centre = LUMBAR.labels.grid.to_index(LUMBAR.centre_mm[2]).astype(int)
    cut = [slice(None)] * 3
    cut[axis] = slice(centre[axis], centre[axis] + 2)
    body = LUMBAR.vertebra == LUMBAR.numbers[2]
    removed = np.zeros_like(body)
    removed[tuple(cut)] = True
    data[removed & body] = 0
    found = body_centres(LUMBAR.labels.with_data(data))
    assert np.abs(found - true_body_centres(LUMBAR)).max() < 2


def test_a_crushed_vertebra_between_its_discs_stays_a_vertebra():
    """L1 is left with 40 % of its height (Genant grade 3), cut away from above."""
    data = LUMBAR.labels.data.copy()
    rows = np.flatnonzero(((LUMBAR.vertebra == 20) & (data == BODY_BORDER)).any((0, 2)))
    window = data[:, rows[0] - disc_height(19) : rows[-1] + 1]
    lost = int(0.6 * len(rows))
    crushed = np.concatenate([window[:, -lost:] * 0, window[:, : window.shape[1] - lost]], axis=1)
    crushed[:, -8:] = window[:, -8:]
    window[...] = np.where(np.isin(window, (BODY_BORDER, DISC, ENDPLATE)), 0, window)
    window[...] = np.where(np.isin(crushed, (BODY_BORDER, DISC, ENDPLATE)), crushed, window)
    assert len(body_centres(LUMBAR.labels.with_data(data))) == 6


@pytest.mark.parametrize(("numbers", "volume_mm3", "kept"), [
    (range(15, 23), 960, False),  # T8 to L3: nothing below L3 can be the sacrum
    (range(2, 14), 960, False),
    (range(2, 14), 15360, True),  # so much is not removed for a name's sake
    (range(18, 25), 960, True),  # the tip of the sacrum below L5, at the border of the image
])  # fmt: skip
def test_a_bit_called_sacrum_stays_only_where_the_sacrum_can_be(numbers, volume_mm3, kept):
    spine = box_spine(numbers, sacrum=False, bottom_margin=20)
    data = spine.labels.data.copy()
    data[40 : 40 + volume_mm3 // 480, -8:, 6:26] = SACRUM  # 8 x 20 voxels of 3 mm3 in each row
    settled, _ = settle(spine.labels.with_data(data))
    assert np.count_nonzero(settled.data == SACRUM) * 3 == (volume_mm3 if kept else 0)


def test_no_body_no_centre():
    empty = LUMBAR.labels.with_data(np.zeros_like(LUMBAR.labels.data))
    assert body_centres(empty).shape == (0, 3)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(list(itertools.permutations(("L", "P", "S")))),
    st.tuples(*[st.booleans()] * 3),
    st.tuples(*[st.floats(-0.3, 0.3)] * 3),
)
def test_storage_order_handedness_and_obliqueness_do_not_matter(order, flips, turn):
    opposite = {"L": "R", "P": "A", "S": "I"}
    axes = tuple(opposite[a] if f else a for a, f in zip(order, flips, strict=True))
    turned = reorient(fused(LUMBAR, 21, bridge=True), axes)
    oblique = Volume(turned.data, rotation(turn) @ turned.affine)
    expected = separate_bodies(fused(LUMBAR, 21, bridge=True)).centre_mm
    expected = expected @ rotation(turn)[:3, :3].T
    assert np.abs(body_centres(oblique) - expected).max() < 1.5


def test_a_cut_out_is_padded_with_zeros_and_knows_where_it_came_from():
    labels = np.arange(1, 28).reshape(3, 3, 3)
    block, origin = cut_out(labels, (0, 1, 2), (4, 2, 2))
    # The centre lands on index size // 2 = (2, 1, 1), so the block begins at (-2, 0, 1).
    assert origin.tolist() == [-2, 0, 1]
    assert block.shape == (4, 2, 2)
    assert not block[:2].any()
    assert np.array_equal(block[2:], labels[0:2, 0:2, 1:3])
    outside, _ = cut_out(labels, (50, 50, 50), (2, 2, 2))
    assert not outside.any()
