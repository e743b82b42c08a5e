"""Bounding boxes of masks and labels."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

Box = tuple[slice, ...]
LARGEST_LABEL = 2**16 - 1
"""Larger labels are renumbered first, because `find_objects` makes a list as long as the largest label."""


def tight_box(mask: np.ndarray) -> Box | None:
    """Return the bounding box of a mask (three axes), or None if it is empty.

    Several times faster than `scipy.ndimage.find_objects`, which treats every voxel as a label.
    """
    if not mask.size:
        return None
    rows = mask.reshape(mask.shape[0], -1).any(axis=1)
    plane = np.asarray(mask.any(axis=0))
    if not plane.any():
        return None
    profiles = [np.asarray(p) for p in (rows, plane.any(axis=1), plane.any(axis=0))]
    return tuple(
        slice(int(profile.argmax()), profile.size - int(profile[::-1].argmax()))
        for profile in profiles
    )


def moved(box: Box, within: Box) -> Box:
    """Return a box inside of another one as a box of the whole array."""
    return tuple(
        slice(b.start + w.start, b.stop + w.start) for b, w in zip(box, within, strict=True)
    )


def label_boxes(labels: np.ndarray) -> dict[int, Box]:
    """Return the bounding box of every label except 0, in ascending order, in one pass over the map."""
    if not labels.size:
        return {}
    if labels.dtype.kind in "iu" and 0 <= labels.min() <= labels.max() <= LARGEST_LABEL:
        outer = tight_box(labels != 0)
        if outer is None:
            return {}
        found = enumerate(ndimage.find_objects(labels[outer]), start=1)
        return {value: moved(box, outer) for value, box in found if box is not None}
    values = np.unique(labels)
    values = values[values != 0]
    compact = np.searchsorted(values, labels).astype(np.int32) + 1
    compact[labels == 0] = 0
    boxes = ndimage.find_objects(compact)
    return {int(value): box for value, box in zip(values, boxes, strict=True)}
