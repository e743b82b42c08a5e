"""Cleaning of a subregion map on the model grid as SPINEPS 2.1.3 does it: specks, far parts, holes."""

from __future__ import annotations

import cc3d
import numpy as np

from wirbel.core.geometry import Volume, reorient, stored_like
from wirbel.core.labels import BODY_BORDER, CANAL, CORD, DISC, POSTERIOR_ELEMENTS
from wirbel.core.spineps.components import (
    REFERENCE_MM,
    REFERENCE_MM3,
    components,
    drop_small,
    fill_holes,
    voxels_of_mm3,
)
from wirbel.core.spineps.grids import box_of, zooms

SPECK_MM3 = 30 * REFERENCE_MM3
CLEANED = (*POSTERIOR_ELEMENTS, BODY_BORDER, CANAL, DISC)
FILLED = (BODY_BORDER, CANAL, DISC, CORD)
"""Order matters: a hole belongs to the first structure that encloses it."""
MARGIN_MM = 4 * min(REFERENCE_MM)
"""Put around the boxes of connected parts before they are compared."""
INFERIOR = 1
"""Axis of the model grid along which boxes get the margin a second time, to bridge gaps in the spine."""


def clean_semantic(labels: Volume) -> Volume:
    """Return the cleaned map (same grid) of `labels`, subregion numbers in any orientation."""
    flat = reorient(labels)
    spacing_mm = zooms(flat.affine)
    data = drop_small(flat.data, CLEANED, voxels_of_mm3(SPECK_MM3, spacing_mm))
    data[~near_the_spine(data > 0, spacing_mm)] = 0
    fill_holes(data, FILLED)
    return stored_like(flat.with_data(data), labels.grid)


def near_the_spine(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the parts of a mask (P, I, R) whose boxes reach, one over the other, the largest part's."""
    if not mask.any():
        return mask
    crop = box_of(mask)
    numbers = components(mask[crop])
    found = cc3d.statistics(numbers)
    kept = _chained(found["bounding_boxes"][1:], found["voxel_counts"][1:], spacing_mm)
    near = np.zeros_like(mask)
    near[crop] = np.isin(np.arange(len(found["voxel_counts"])), kept)[numbers]
    return near


def _chained(boxes, sizes: np.ndarray, spacing_mm: np.ndarray) -> list[int]:
    """Return the numbers, from 1 on, of the parts whose boxes reach the largest part's."""
    order = np.argsort(-sizes.astype(np.int64), kind="stable") + 1
    margin = int(MARGIN_MM / min(spacing_mm))
    more = max(round(MARGIN_MM / float(min(spacing_mm))), 0)
    boxes = {number: _wide(box, margin) for number, box in enumerate(boxes, start=1)}
    kept = [int(order[0])]
    changed = True
    while changed:
        changed = False
        for number in (int(n) for n in order if n not in kept):
            if any(_touch(boxes[other], boxes[number], more) for other in kept):
                kept.append(number)
                changed = True
    return kept


def _wide(box: tuple[slice, ...], margin: int) -> tuple[slice, ...]:
    return tuple(slice(int(s.start) - margin, int(s.stop) + margin) for s in box)


def _touch(known: tuple[slice, ...], other: tuple[slice, ...], more: int) -> bool:
    for axis, (a, b) in enumerate(zip(known, other, strict=True)):
        extra = more if axis == INFERIOR else 0
        if a.start - extra > b.stop or a.stop + extra < b.start:
            return False
    return True
