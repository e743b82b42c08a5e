"""What anatomy forbids: cord outside the canal, pieces beside their vertebra, two bodies in one vertebra."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.components import find_components
from wirbel.core.geometry import Volume
from wirbel.core.labels import BODY_LABELS, CANAL, CORD, POSTERIOR_ELEMENTS

REACH_MM = 30.0
"""Where the slices leave out the pedicles, the canal (up to 25 mm) lies between a body and its arch."""
CORD_IN_CANAL, STRAY_PART, SECOND_BODY = "cord outside canal", "part beside vertebra", "second body"


def forbidden(labels: Volume, vertebrae: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return rule -> mask of the voxels that break it.

    Parameters
    ----------
    labels : Volume
        Fused subregion map.
    vertebrae : ndarray of int, shape (i, j, k), or None
        Vertebrae counted from 1. Without it only the rule about the cord applies.

    Returns
    -------
    dict of str to ndarray of bool
        Cord components that do not touch the canal; components of posterior parts farther than `REACH_MM` from the
        largest component of their vertebra; all but the largest component of each vertebra's body.
    """
    found = {CORD_IN_CANAL: _cord_outside(labels.data)}
    if vertebrae is not None:
        found[SECOND_BODY] = _further_bodies(labels, vertebrae)
        found[STRAY_PART] = _stray_parts(labels, vertebrae)
    return found


def _cord_outside(labels: np.ndarray) -> np.ndarray:
    """Return the cord's components without any canal beside them; none if there is no canal at all."""
    cord, canal = labels == CORD, labels == CANAL
    if not (cord.any() and canal.any()):
        return np.zeros(labels.shape, bool)
    numbers, count = ndimage.label(cord)
    beside = np.unique(numbers[ndimage.binary_dilation(canal) & cord])
    return cord & ~np.isin(numbers, beside) if count else cord


def _further_bodies(labels: Volume, vertebrae: np.ndarray) -> np.ndarray:
    bodies = np.where(np.isin(labels.data, BODY_LABELS), vertebrae, 0)
    found = find_components(labels.with_data(bodies))
    kept = set()
    for number in np.unique(found.label):
        mine = np.flatnonzero(found.label == number)
        kept.add(int(mine[found.volume_mm3[mine].argmax()]) + 1)
    return (found.numbers > 0) & ~np.isin(found.numbers, sorted(kept))


def _stray_parts(labels: Volume, vertebrae: np.ndarray) -> np.ndarray:
    """Return components of posterior parts that lie too far from the largest piece of their vertebra."""
    found = find_components(labels.with_data(vertebrae))
    stray = np.zeros(vertebrae.shape, bool)
    for number in np.unique(found.label):
        mine = np.flatnonzero(found.label == number)
        largest = mine[found.volume_mm3[mine].argmax()]
        others = [k for k in mine if k != largest]
        if not others:
            continue
        box = _window(labels, [found.boxes[k] for k in mine])
        distance = ndimage.distance_transform_edt(
            found.numbers[box] != largest + 1, sampling=labels.spacing_mm
        )
        for k in others:
            piece = found.numbers[box] == k + 1
            if distance[piece].min() > REACH_MM:
                stray[box] |= piece
    return stray & np.isin(labels.data, POSTERIOR_ELEMENTS)


def _window(labels: Volume, boxes: list[tuple[slice, ...]]) -> tuple[slice, ...]:
    return tuple(
        slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
        for axis in range(labels.data.ndim)
    )
