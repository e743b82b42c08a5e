"""Bounding boxes of masks and of all labels of a map."""

import numpy as np
import pytest

from wirbel.core.boxes import label_boxes, tight_box


def test_the_box_of_a_mask_touches_it_on_all_sides():
    mask = np.zeros((5, 6, 7), bool)
    mask[1, 2, 3] = mask[3, 4, 6] = True
    assert tight_box(mask) == (slice(1, 4), slice(2, 5), slice(3, 7))


def test_an_empty_mask_has_no_box():
    assert tight_box(np.zeros((2, 3, 4), bool)) is None


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
def test_an_array_without_voxels_has_no_boxes(shape):
    """As where a cut-out lies wholly outside of the part that is looked at."""
    assert tight_box(np.zeros(shape, bool)) is None
    assert label_boxes(np.zeros(shape, np.uint8)) == {}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
def test_every_label_has_a_box_in_ascending_order(dtype):
    labels = np.zeros((4, 4, 4), dtype)
    labels[3, 3, 3], labels[0, 1:3, 2] = 7, 9
    found = label_boxes(labels)
    assert list(found) == [7, 9]
    assert found[9] == (slice(0, 1), slice(1, 3), slice(2, 3))


@pytest.mark.parametrize("label", [-3, 10**9])
def test_unusual_labels_are_found_too(label):
    labels = np.zeros((3, 3, 3), np.int64)
    labels[1, 1, 1] = label
    assert label_boxes(labels) == {label: (slice(1, 2),) * 3}


def test_a_map_of_background_has_no_boxes():
    assert label_boxes(np.zeros((2, 2, 2), np.uint8)) == {}
