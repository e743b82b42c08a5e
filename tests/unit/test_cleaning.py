"""Cleaning: specks, holes and false structures go; the spine stays, whatever the orientation."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.spine_boxes import box_spine

from wirbel.core.geometry import Volume, reorient
from wirbel.core.labels import (
    ARCUS,
    BODY,
    BODY_BORDER,
    CANAL,
    CORD,
    DISC,
    POSTERIOR_ELEMENTS,
    SACRUM,
    SPINOUS_PROCESS,
)
from wirbel.core.semantic.cleaning import clean_semantic
from wirbel.core.spine_curve import spine_chain

LUMBAR = box_spine(range(19, 25))
ORIENTATIONS = [
    tuple(axes)
    for order in itertools.permutations(("LR", "PA", "IS"))
    for axes in itertools.product(*order)
]


def test_a_clean_map_stays_as_it_is():
    for spine in (LUMBAR, box_spine(range(2, 25)), box_spine(range(8, 14), sacrum=False)):
        assert np.array_equal(clean_semantic(spine.labels).data, spine.labels.data)


def test_a_speck_in_the_background_goes_and_one_inside_a_body_takes_its_label():
    data = LUMBAR.labels.data.copy()
    data[140, 50, 3] = ARCUS
    i, j, k = LUMBAR.labels.grid.to_index(LUMBAR.centre_mm[2]).astype(int)
    data[i : i + 2, j : j + 2, k] = DISC
    cleaned = clean_semantic(LUMBAR.labels.with_data(data)).data
    assert cleaned[140, 50, 3] == 0
    assert np.array_equal(cleaned, LUMBAR.labels.data)


def test_a_hole_in_a_body_is_filled_also_when_it_opens_to_the_side():
    data = LUMBAR.labels.data.copy()
    i, j, _ = LUMBAR.labels.grid.to_index(LUMBAR.centre_mm[2]).astype(int)
    data[i - 3 : i + 3, j - 3 : j + 3, :] *= data[i - 3 : i + 3, j - 3 : j + 3, :] != BODY_BORDER
    assert np.array_equal(clean_semantic(LUMBAR.labels.with_data(data)).data, LUMBAR.labels.data)


def test_both_body_labels_are_one_body_and_stay_apart():
    data = LUMBAR.labels.data.copy()
    i, j, k = LUMBAR.labels.grid.to_index(LUMBAR.centre_mm[2]).astype(int)
    data[i - 5 : i + 5, j - 5 : j + 5, k - 2 : k + 2] = BODY
    cleaned = clean_semantic(LUMBAR.labels.with_data(data)).data
    assert np.array_equal(cleaned, data)


def test_false_bodies_and_processes_in_the_abdomen_go():
    wide = np.zeros((260, *LUMBAR.labels.data.shape[1:]), np.uint8)
    wide[110:] = LUMBAR.labels.data
    false = wide.copy()
    false[20:50, 60:90, 8:20] = BODY_BORDER
    false[20:50, 92:99, 8:20] = DISC
    false[60:80, 100:115, 10:14] = SPINOUS_PROCESS
    cleaned = clean_semantic(Volume(false, LUMBAR.labels.affine)).data
    assert np.array_equal(cleaned, wide)


def test_an_arch_taken_for_the_sacrum_goes_and_a_sacral_segment_taken_for_a_body_costs_no_sacrum():
    spine = box_spine(range(19, 25), sacrum=False)
    false = spine.labels.data.copy()
    row = int(spine.labels.grid.to_index(spine.centre_mm[-1])[1])
    part = false[:, row - 16 : row + 16]
    part[np.isin(part, POSTERIOR_ELEMENTS)] = SACRUM  # of the last vertebra
    assert not (clean_semantic(spine.labels.with_data(false)).data == SACRUM).any()
    data = LUMBAR.labels.data.copy()
    rows = np.flatnonzero((data == SACRUM).any(axis=(0, 2)))
    lowest = data[:, rows[20] : rows[-1] + 1]
    lowest[lowest == SACRUM] = BODY_BORDER
    cleaned = clean_semantic(LUMBAR.labels.with_data(data)).data
    assert np.array_equal(cleaned == SACRUM, data == SACRUM)


def test_a_map_without_cord_keeps_its_canal():
    spine = box_spine(range(20, 25), cord=False)
    assert np.array_equal(clean_semantic(spine.labels).data, spine.labels.data)


def test_the_canal_of_a_curved_spine_stays():
    """The centroid of a long curved canal lies in front of the bodies, no voxel of it does."""
    data = box_spine(range(8, 20), sacrum=False).labels.data
    rows = np.arange(data.shape[1])
    shift = np.round(30 * np.sin(np.pi * rows / rows[-1])).astype(int)
    curved = np.zeros((200, *data.shape[1:]), np.uint8)
    for row, by in enumerate(shift):
        curved[by : by + data.shape[0], row] = data[:, row]
    cleaned = clean_semantic(Volume(curved, LUMBAR.labels.affine)).data
    assert ((cleaned == CANAL) == (curved == CANAL)).all()


def test_a_sliver_of_a_body_at_the_edge_of_the_field_of_view_stays():
    data = LUMBAR.labels.data[:, 12 + 20 :]
    cleaned = clean_semantic(Volume(data, LUMBAR.labels.affine)).data
    assert np.array_equal(cleaned == BODY_BORDER, data == BODY_BORDER)


def test_maps_without_a_spine_are_no_error():
    empty = LUMBAR.labels.with_data(np.zeros_like(LUMBAR.labels.data))
    assert spine_chain(empty) is None
    assert not clean_semantic(empty).data.any()
    cord = np.where(LUMBAR.labels.data == CORD, CORD, 0).astype(np.uint8)
    assert np.array_equal(clean_semantic(empty.with_data(cord)).data, cord)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(ORIENTATIONS))
def test_the_storage_order_does_not_matter(axes):
    data = LUMBAR.labels.data.copy()
    data[2:8, 20:26, 4:8] = BODY_BORDER
    data[140, 50, 3] = ARCUS
    dirty = LUMBAR.labels.with_data(data)
    turned = clean_semantic(reorient(dirty, axes))
    assert turned.axes == axes
    assert np.array_equal(reorient(turned).data, clean_semantic(dirty).data)
