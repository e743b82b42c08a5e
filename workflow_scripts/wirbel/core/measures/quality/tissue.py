"""The image and its marrow in one order of axes, so that nothing depends on how a file stores them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import Volume, reorient
from wirbel.core.labels import BODY_LABELS, CANAL, CORD

SLICE_AXES = ("P", "I", "R")
"""Slices of a sagittal scan lie along the last of these."""
MARGIN_MM = 3.0
"""Marrow nearer to the body's surface is left out: cortex, chemical shift and partial volume."""
FEWEST_VOXELS = 500
"""Fewer voxels of marrow, a tenth of a body of 8 ml, tell neither noise nor ghosts."""
ACROSS = np.ones((3, 3, 1))


@dataclass(frozen=True)
class Tissue:
    """A scan's intensities with its slices along the last axis.

    Attributes
    ----------
    data : ndarray of float, shape (i, j, k)
        Intensities; axis 0 runs front to back, axis 1 downwards, axis 2 across slices (of sagittal scans).
    marrow : ndarray of bool, shape (i, j, k)
        Inside of vertebral bodies, 3 mm from their surface.
    spine : ndarray of bool, shape (i, j, k)
        Bodies, canal and cord.
    spacing_mm : ndarray, shape (3,)
        Voxel sizes in that order.
    """

    data: np.ndarray
    marrow: np.ndarray
    spine: np.ndarray
    spacing_mm: np.ndarray


def find_tissue(image: Volume, subregion: Volume, usable: np.ndarray | None = None) -> Tissue:
    """Return the tissue of a scan; voxels that are not `usable` (bool, the image's shape) are no marrow."""
    data, labels = (reorient(volume, SLICE_AXES) for volume in (image, subregion))
    bodies = np.isin(labels.data, BODY_LABELS)
    marrow = _inside(bodies, labels.spacing_mm)
    if usable is not None:
        marrow &= reorient(Volume(usable, image.affine), SLICE_AXES).data
    coarse = labels.grid.across_slices
    order = [*(axis for axis in range(3) if axis != coarse), coarse]
    moved = [
        np.ascontiguousarray(a.transpose(order))
        for a in (data.data, marrow, bodies | np.isin(labels.data, (CANAL, CORD)))
    ]
    return Tissue(moved[0].astype(np.float64), moved[1], moved[2], labels.spacing_mm[order])


def _inside(bodies: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the voxels deeper than the margin; the border of the scan counts as a surface."""
    out = np.zeros_like(bodies)
    found = ndimage.find_objects(bodies.astype(np.uint8))
    if found:
        depth = ndimage.distance_transform_edt(np.pad(bodies[found[0]], 1), sampling=spacing_mm)
        out[found[0]] = depth[1:-1, 1:-1, 1:-1] > MARGIN_MM
    return out
