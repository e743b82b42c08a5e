"""T2 signal of marrow and discs as a ratio to that of the fluid beside them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from wirbel.core.geometry import Volume
from wirbel.core.labels import CANAL, DISC_OFFSET
from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.spine import Spine

BODY_MARGIN_MM = 3.0
"""Marrow nearer to the body's surface is left out: cortex, chemical shift and partial volume."""
DISC_MARGIN_MM = 1.5
CSF_MARGIN_MM = 1.0
"""A dural sac leaves two to four millimetres of fluid beside the cord."""
CSF_REACH_MM = 45.0
"""Fluid is taken from the canal within this distance of the structure's centre: behind it, so that the
coil's sensitivity is nearly the same."""
FEWEST_VOXELS = 12


def add_signal_ratios(
    image: Volume | None, maps: LabelMaps, spine: Spine, vertebrae: list[dict], discs: list[dict]
) -> None:
    """Add `body_to_csf_ratio` and `disc_to_csf_ratio` with their status to the rows, in place."""
    fluid = None if image is None else _fluid(image, maps)
    for row in vertebrae:
        region = None if image is None else maps.body(row["label"])
        values = _ratio(image, region, spine.centroids_mm.get(row["label"]), BODY_MARGIN_MM, fluid)
        row["body_to_csf_ratio"], row["body_signal_status"] = values
    for row in discs:
        key = DISC_OFFSET + row["label_above"]
        region = None if image is None else maps.disc(row["label_above"])
        values = _ratio(image, region, spine.centroids_mm.get(key), DISC_MARGIN_MM, fluid)
        row["disc_to_csf_ratio"], row["disc_signal_status"] = values


def inner_mask(region: Region, margin_mm: float) -> np.ndarray:
    """Return the voxels deeper than `margin_mm` in a region and not at its rim in any direction."""
    padded = np.pad(region.mask, 1)
    depth = ndimage.distance_transform_edt(padded, sampling=region.grid.spacing_mm)
    rim = ndimage.binary_erosion(padded)
    return (rim & (depth > margin_mm))[1:-1, 1:-1, 1:-1]


def _fluid(image: Volume, maps: LabelMaps) -> tuple[cKDTree, np.ndarray] | None:
    """Return where fluid surely is (a tree of world points) and its intensities."""
    region = maps.structure(CANAL)
    if region is None:
        return None
    inner = inner_mask(region, CSF_MARGIN_MM)
    if not inner.any():
        return None
    points = region.grid.to_world(np.argwhere(inner))
    return cKDTree(points), _cut(image, region)[inner]


def _ratio(image, region, centre_mm, margin_mm, fluid) -> tuple[float | None, str]:
    if image is None:
        return None, S.NO_IMAGE
    if region is None or centre_mm is None:
        return None, S.ABSENT
    inside = _cut(image, region)[inner_mask(region, margin_mm)]
    if fluid is None or len(inside) < FEWEST_VOXELS:
        return None, S.TOO_FEW_VOXELS
    near = fluid[1][fluid[0].query_ball_point(centre_mm, CSF_REACH_MM)]
    if len(near) < FEWEST_VOXELS or np.median(near) <= 0:
        return None, S.TOO_FEW_VOXELS
    return float(np.median(inside) / np.median(near)), S.OK


def _cut(image: Volume, region: Region) -> np.ndarray:
    box = tuple(
        slice(at, at + size) for at, size in zip(region.start, region.mask.shape, strict=True)
    )
    return image.data[box]
