"""N4 with the settings that SPINEPS passes to ANTs, computed by ITK's own filter."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from wirbel.core.geometry import Volume
from wirbel.core.spineps.grids import box_of

TISSUE = 60
"""The field is fitted in the bounding box of all voxels from this intensity on."""
SPLINE_DISTANCE_MM = 100.0
SHRINK = 4
ITERATIONS = (50, 50, 50, 50)
TOLERANCE = 1e-7
SPLINE_ORDER = 3


def correct_bias_field(volume: Volume) -> np.ndarray:
    """Return the intensities (0 to 1500, storage order) divided by their bias field; dtype stays.

    Fitted on every fourth voxel, the image padded to whole spline spans (Tustison et al., IEEE TMI 2010). What lies
    outside the box of tissue stays as it is, as ANTs leaves it. Raises RuntimeError where N4 cannot run.
    """
    data, spacing_mm = volume.data, volume.spacing_mm
    low, high = _padding(data.shape, spacing_mm)
    image = np.pad(data.astype(np.float32), list(zip(low, high, strict=True)))
    mask = np.zeros(image.shape, np.uint8)
    mask[box_of(image >= TISSUE)] = 1
    kept = np.ix_(*sampled(image.shape, low, volume.affine))
    n4 = _filter(data.shape, spacing_mm)
    n4.Execute(_image(image[kept], spacing_mm * SHRINK), _image(mask[kept], spacing_mm * SHRINK))
    log_field = n4.GetLogBiasFieldAsImage(_image(image, spacing_mm))
    field = sitk.GetArrayFromImage(log_field).transpose(2, 1, 0)
    part = tuple(slice(start, start + n) for start, n in zip(low, data.shape, strict=True))
    return np.where(mask[part], image[part] / np.exp(field[part]), data).astype(data.dtype)


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
    flipped = (
        np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    )  # ITK's world has x and y the other way round
    spacing = [float(np.linalg.norm(flipped[:3, axis])) for axis in range(3)]
    image = sitk.Image([1, 1, 1], sitk.sitkUInt8)
    image.SetSpacing([size * factor for size in spacing])
    image.SetDirection((flipped[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(flipped[:3, 3].tolist())
    return image


def _spans(shape: tuple[int, ...], spacing_mm: np.ndarray) -> np.ndarray:
    extent_mm = (np.array(shape) - 1) * spacing_mm
    return np.maximum(np.ceil(extent_mm / SPLINE_DISTANCE_MM), 1).astype(int)


def _padding(shape: tuple[int, ...], spacing_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many zeros to put before and behind each axis for whole spline spans."""
    missing_mm = _spans(shape, spacing_mm) * SPLINE_DISTANCE_MM
    missing_mm = missing_mm - (np.array(shape) - 1) * spacing_mm
    extra = (missing_mm / spacing_mm + 0.5).astype(int)
    low = extra // 2
    return low, extra - low


def _image(data: np.ndarray, spacing_mm: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(data.transpose(2, 1, 0)))
    image.SetSpacing([float(size) for size in spacing_mm])
    return image


def _filter(
    shape: tuple[int, ...], spacing_mm: np.ndarray
) -> sitk.N4BiasFieldCorrectionImageFilter:
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)  # the sum over threads would depend on their number
    n4.SetNumberOfWorkUnits(1)
    n4.SetMaximumNumberOfIterations(list(ITERATIONS))
    n4.SetConvergenceThreshold(TOLERANCE)
    n4.SetSplineOrder(SPLINE_ORDER)
    n4.SetNumberOfControlPoints([int(n) + SPLINE_ORDER for n in _spans(shape, spacing_mm)])
    return n4
