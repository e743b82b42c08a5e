"""N4 with the settings that SPINEPS passes to ANTs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wirbel.core.boxes import Box, tight_box
from wirbel.core.geometry import Volume
from wirbel.core.preparation.n4 import fitting
from wirbel.core.preparation.n4.settings import FitSettings, LogField

if TYPE_CHECKING:
    import SimpleITK as sitk

TISSUE = 60
"""The field is fitted in the bounding box of all voxels from this intensity on."""
SPLINE_DISTANCE_MM = 100.0
SHRINK = 4
ITERATIONS = (50, 50, 50, 50)
TOLERANCE = 1e-7


def correct_bias_field(volume: Volume, log_field: LogField = fitting.log_field) -> np.ndarray:
    """Return the intensities (0 to 1500, storage order) divided by their bias field; dtype stays.

    Fitted on every fourth voxel, the image padded to whole spline spans (Tustison et al., IEEE TMI 2010). What lies
    outside the box of tissue stays as it is, as ANTs leaves it. Raises RuntimeError or ValueError where N4 cannot
    run.
    """
    data, spacing_mm = volume.data, volume.spacing_mm
    low, high = _padding(data.shape, spacing_mm)
    shape = tuple(int(n) for n in low + data.shape + high)
    kept = [at - n for at, n in zip(sampled(shape, low, volume.affine), low, strict=True)]
    tissue = tight_box(data >= TISSUE)
    mask = np.ones([at.size for at in kept], bool) if tissue is None else _inside(tissue, kept)
    box = tissue or tuple(slice(0, n) for n in data.shape)
    i, j, k = _spans(data.shape, spacing_mm)
    settings = FitSettings((i, j, k), ITERATIONS, TOLERANCE)
    part = tuple(slice(s.start + n, s.stop + n) for s, n in zip(box, low.tolist(), strict=True))
    field = log_field(_voxels(data, kept), mask, settings, shape, part)
    return _divided(data, box, field)


def _voxels(data: np.ndarray, kept: list[np.ndarray]) -> np.ndarray:
    """Return the voxels at some indices along each axis (float32), 0 where these lie outside of the array."""
    inside = [(at >= 0) & (at < n) for at, n in zip(kept, data.shape, strict=True)]
    voxels = np.zeros([at.size for at in kept], np.float32)
    there = [at[known] for at, known in zip(kept, inside, strict=True)]
    voxels[np.ix_(*inside)] = data[np.ix_(*there)]
    return voxels


def _inside(box: Box, kept: list[np.ndarray]) -> np.ndarray:
    """Return which of these indices lie in a box."""
    inside = [(at >= s.start) & (at < s.stop) for at, s in zip(kept, box, strict=True)]
    mask = np.zeros([at.size for at in kept], bool)
    mask[np.ix_(*inside)] = True
    return mask


def _divided(data: np.ndarray, box: Box, log_field: np.ndarray) -> np.ndarray:
    """Return the intensities, in the box divided by their field; plane by plane, as scans can be large."""
    corrected = data.copy()
    for plane, field in zip(corrected[box], log_field, strict=True):
        plane[:] = (plane.astype(np.float32) / np.exp(field)).astype(data.dtype)
    return corrected


def sampled(shape: tuple[int, ...], low: np.ndarray, affine: np.ndarray) -> list[np.ndarray]:
    """Return which voxels ITK's shrinking keeps along each axis when the first has the index -`low`.

    Output voxels are centred on the input, but never begin before the multiples of the factor. The centre may lie
    exactly between two voxels; rounding in the affine then decides, so ITK itself is asked.
    """
    size, low = np.array(shape), np.asarray(low)
    count, first = np.maximum(size // SHRINK, 1), -(low // SHRINK)
    given, shrunk = _lattice(affine, 1), _lattice(affine, SHRINK)
    middle = given.TransformContinuousIndexToPhysicalPoint((-low + (size - 1) / 2).tolist())
    other = shrunk.TransformContinuousIndexToPhysicalPoint((first + (count - 1) / 2).tolist())
    shrunk.SetOrigin((np.array(shrunk.GetOrigin()) + np.subtract(middle, other)).tolist())
    begin = shrunk.TransformIndexToPhysicalPoint([int(n) for n in first])
    offset = np.maximum(given.TransformPhysicalPointToIndex(begin) - first * SHRINK, 0)
    return [
        np.clip((f + np.arange(c)) * SHRINK + o + lo, 0, n - 1)
        for f, c, o, lo, n in zip(first, count, offset, low, shape, strict=True)
    ]


def _lattice(affine: np.ndarray, factor: int) -> sitk.Image:
    """Return an image of one voxel with the geometry of `affine`, its voxels `factor` times as large."""
    import SimpleITK as sitk

    flipped = (
        np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    )  # ITK's world has x and y the other way round
    spacing = [float(np.linalg.norm(flipped[:3, axis])) for axis in range(3)]
    image = sitk.Image([1, 1, 1], sitk.sitkUInt8)
    image.SetSpacing([size * factor for size in spacing])
    image.SetDirection((flipped[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(flipped[:3, 3].tolist())
    return image


def _spans(shape: tuple[int, ...], spacing_mm: np.ndarray) -> tuple[int, ...]:
    extent_mm = (np.array(shape) - 1) * spacing_mm
    return tuple(max(int(n), 1) for n in np.ceil(extent_mm / SPLINE_DISTANCE_MM))


def _padding(shape: tuple[int, ...], spacing_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many zeros to put before and behind each axis for whole spline spans."""
    missing_mm = np.array(_spans(shape, spacing_mm)) * SPLINE_DISTANCE_MM
    missing_mm = missing_mm - (np.array(shape) - 1) * spacing_mm
    extra = (missing_mm / spacing_mm + 0.5).astype(int)
    low = extra // 2
    return low, extra - low
