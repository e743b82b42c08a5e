"""Bring both label maps to the scan's own grid so that they agree voxel by voxel."""

from __future__ import annotations

import numpy as np

from wirbel.core.boxes import label_boxes
from wirbel.core.geometry import Grid, Volume, reorient, stored_like, upright
from wirbel.core.growth import fill_from_nearest, spread
from wirbel.core.labels import (
    DISC,
    DISC_OFFSET,
    ENDPLATE,
    ENDPLATE_OFFSET,
    SACRUM,
    T13,
    VERTEBRA_SUBREGIONS,
)
from wirbel.core.preparation.nibabel_alone import voxel_sizes
from wirbel.core.resampling import resample_labels

REACH_MM = 8.0
"""A voxel at a surface may take its number from a voxel this far away: two thick slices."""

NOTHING, VERTEBRAE, SACRAL, DISCS, ENDPLATES = range(5)


def to_scan_grid(subregion: Volume, vertebra: Volume, target: Grid) -> tuple[Volume, Volume]:
    """Resample both maps so that each voxel's structure and number agree.

    The subregion map decides what a voxel is. The number comes from the vertebra map if that shows
    the same kind of structure there, otherwise from the nearest voxel of its kind within
    `REACH_MM`. Without any, the voxel becomes background in both maps. If `target` is the maps' own
    grid, consistent maps are returned unchanged.

    Parameters
    ----------
    subregion, vertebra : Volume
        Label maps on one grid, any orientation.
    target : Grid
        The scan's grid.

    Returns
    -------
    subregion, vertebra : Volume
        uint8, on `target`.
    """
    ordered = reorient(Volume(np.zeros(target.shape, np.uint8), target.affine))
    structure = resample_labels(subregion, ordered.grid)
    number = resample_labels(vertebra, ordered.grid).data
    # Distances and their ties are decided in model axes without tilt, so that neither storage order nor
    # obliqueness changes the result.
    flat = upright(ordered).affine
    kind = KIND_OF_STRUCTURE[structure.data]
    number[KIND_OF_NUMBER[number] != kind] = 0
    for which, box in label_boxes(kind).items():
        region, part = kind[box] == which, number[box]
        if not (region & (part == 0)).any():
            continue
        own = spread(np.where(region, part, 0), region, voxel_sizes(flat), REACH_MM)
        own = fill_from_nearest(own, region, flat, REACH_MM, tuple(side.start for side in box))
        part[region] = own[region]
    lost = (kind != NOTHING) & (number == 0)
    final = np.where(lost, 0, structure.data).astype(np.uint8)
    return (
        stored_like(structure.with_data(final), target),
        stored_like(structure.with_data(number.astype(np.uint8)), target),
    )


def _kinds_of_structures() -> np.ndarray:
    kind = np.full(256, NOTHING, np.uint8)
    kind[list(VERTEBRA_SUBREGIONS)] = VERTEBRAE
    kind[[SACRUM, DISC, ENDPLATE]] = SACRAL, DISCS, ENDPLATES
    return kind


def _kinds_of_numbers() -> np.ndarray:
    kind = np.full(256, NOTHING, np.uint8)
    kind[1 : T13 + 1] = VERTEBRAE
    kind[SACRUM] = SACRAL
    kind[DISC_OFFSET : DISC_OFFSET + T13 + 1] = DISCS
    kind[ENDPLATE_OFFSET : ENDPLATE_OFFSET + T13 + 1] = ENDPLATES
    return kind


KIND_OF_STRUCTURE = _kinds_of_structures()
KIND_OF_NUMBER = _kinds_of_numbers()
