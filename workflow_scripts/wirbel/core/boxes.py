"""Bounding boxes of masks and labels."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

Box = tuple[slice, ...]
LARGEST_LABEL = 2**16 - 1
"""Above it labels are numbered anew first: `find_objects` makes a list as long as the largest."""


def tight_box(mask: np.ndarray) -> Box | None:
    """Return the bounding box of a mask (three axes), or None where it is empty.

    Several times quicker than `scipy.ndimage.find_objects`, which looks at every voxel as a label.
    """
    rows = mask.reshape(mask.shape[0], -1).any(axis=1)
    plane = mask.any(axis=0)
    if not plane.any():
        return None
    return tuple(
        slice(int(profile.argmax()), profile.size - int(profile[::-1].argmax()))
        for profile in (rows, plane.any(axis=1), plane.any(axis=0))
    )


def label_boxes(labels: np.ndarray) -> dict[int, Box]:
    """Return the bounding box of every label present but 0, in ascending order, from one pass over the map."""
    if (
        labels.dtype.kind in "iu"
        and labels.size
        and 0 <= labels.min() <= labels.max() <= LARGEST_LABEL
    ):
        found = enumerate(ndimage.find_objects(labels), start=1)
        return {value: box for value, box in found if box is not None}
    values = np.unique(labels)
    values = values[values != 0]
    compact = np.searchsorted(values, labels).astype(np.int32) + 1
    compact[labels == 0] = 0
    boxes = ndimage.find_objects(compact)
    return {int(value): box for value, box in zip(values, boxes, strict=True)}
