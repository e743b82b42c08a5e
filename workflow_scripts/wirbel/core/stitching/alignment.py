"""Find the motion that fits a station to its neighbour where both overlap.

ITK's rigid registration is used rather than phase correlation: stations are tilted against each other,
their slices are four times as thick as their pixels, and coils shade them differently. A gradient
descent on the correlation of linearly interpolated intensities handles all of that, and is exact to a
fraction of a voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from wirbel.core.geometry import Grid, Volume
from wirbel.core.resampling import index_map

MARGIN_MM = 8.0
"""By which the region that is registered is larger than the overlap that headers claim."""
SHRINK = (3, 2, 1)
SMOOTHING_MM = (3.0, 1.5, 0.5)
STEPS = 150
SMALLEST_STEP_MM = 0.002
LEAST_GAIN = 0.002
"""Of the correlation; with less the headers' positions are as good, and are kept."""
FEWEST_VOXELS = 500


@dataclass(frozen=True)
class Alignment:
    """`motion` (4 x 4) maps the moving station's world to where it belongs; correlations are of the overlap."""

    motion: np.ndarray
    correlation_before: float
    correlation: float


def aligned(fixed: Volume, moving: Volume, region: Grid) -> Alignment:
    """Return how `moving` has to be moved.

    Parameters
    ----------
    fixed, moving : Volume
        Neighbouring stations, in any orientation.
    region : Grid
        A grid that covers the overlap.

    Returns
    -------
    Alignment
        The identity where registration gains nothing.
    """
    on_region = sampled(fixed, region)
    before = correlation(on_region, sampled(moving, region))
    motion = np.linalg.inv(_registered(on_region, moving, region))
    after = correlation(on_region, sampled(moved(moving, motion), region))
    if not after > before + LEAST_GAIN:
        return Alignment(np.eye(4), before, before)
    return Alignment(motion, before, after)


def moved(volume: Volume, motion: np.ndarray) -> Volume:
    """Return a volume elsewhere in the world; `motion` is 4 x 4."""
    return Volume(volume.data, motion @ volume.affine)


def sampled(volume: Volume, grid: Grid) -> np.ndarray:
    """Return intensities on a grid, linearly interpolated (float32); NaN outside of the volume."""
    matrix, offset = index_map(volume.grid, grid)
    return ndimage.affine_transform(
        volume.data.astype(np.float32, copy=False),
        matrix,
        offset,
        grid.shape,
        order=1,
        mode="constant",
        cval=np.nan,
    )


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's correlation of the voxels that are finite in both arrays; 0 if there are too few."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < FEWEST_VOXELS:
        return 0.0
    a, b = one[both].astype(float), other[both].astype(float)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else 0.0


def _registered(on_region: np.ndarray, moving: Volume, region: Grid) -> np.ndarray:
    """Return the rigid transform (4 x 4) from the fixed to the moving station's world."""
    image, mask = np.nan_to_num(on_region), np.isfinite(on_region).astype(np.uint8)
    fixed = _as_itk(Volume(image, region.affine))
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums in the same order, so the same result
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(_as_itk(Volume(mask, region.affine)))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, SMALLEST_STEP_MM, STEPS, 0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(SHRINK)
    method.SetSmoothingSigmasPerLevel(SMOOTHING_MM)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    centre = region.to_world((np.array(region.shape) - 1) / 2)
    start = sitk.Euler3DTransform()
    start.SetCenter(centre.tolist())
    method.SetInitialTransform(start, inPlace=True)
    try:
        method.Execute(fixed, _as_itk(moving))
    except RuntimeError:  # no overlap is left: what the headers say is all there is
        return np.eye(4)
    return _matrix(start)


def _matrix(transform: sitk.Euler3DTransform) -> np.ndarray:
    turn = np.array(transform.GetMatrix()).reshape(3, 3)
    centre, shift = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, centre + shift - turn @ centre
    return matrix


def _as_itk(volume: Volume) -> sitk.Image:
    """Return a volume as ITK's image, whose world is RAS here, too: only relations count."""
    kind = volume.data.dtype.kind
    data = volume.data if kind == "u" else volume.data.astype(np.float32, copy=False)
    image = sitk.GetImageFromArray(np.ascontiguousarray(data.transpose(2, 1, 0)))
    axes = volume.affine[:3, :3] / volume.spacing_mm
    left, _, right = np.linalg.svd(axes)
    image.SetSpacing([float(size) for size in volume.spacing_mm])
    image.SetDirection((left @ right).ravel().tolist())  # without rounding and shear of the header
    image.SetOrigin(volume.affine[:3, 3].tolist())
    return image
