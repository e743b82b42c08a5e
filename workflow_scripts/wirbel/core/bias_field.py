"""Remove the smooth brightness variation that surface coils leave in spine scans (N4)."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from wirbel.core.geometry import Volume

WORKING_VOXEL_MM = 5.0
"""The field varies over centimetres (coil elements are 8 to 12 cm long): 5 mm voxels suffice."""
KNOT_DISTANCE_MM = 80.0
"""Distance of the finest level's spline knots, a little less than a spine-coil element."""
LEVELS = 3
ITERATIONS_PER_LEVEL = 50
STRONGEST_FIELD = 10.0
"""Factor by which the field may brighten or darken; beyond it lies noise far from the coil."""
FEWEST_MASK_VOXELS = 200
"""Fewer voxels of tissue at 5 mm (about 4 cm on a side) do not determine a field."""


def correct_bias_field(volume: Volume) -> tuple[Volume, str]:
    """Return the corrected image (float32, same grid, minimum 0) and a word on what was done.

    N4 (Tustison et al., IEEE TMI 2010) is fitted on a copy reduced to about 5 mm in plane, inside
    Otsu's mask, and its field interpolated on the full grid. Where it cannot run the image comes
    back uncorrected and the second value says why. One thread, so that the result does not depend
    on how many there are.
    """
    data = np.asarray(volume.data, np.float32)
    data = data - data.min()
    try:
        field = estimate_field(data, volume.spacing_mm)
    except (RuntimeError, ValueError) as error:
        return volume.with_data(data), f"not corrected: {str(error).strip().splitlines()[-1]}"
    return volume.with_data(data / field), "corrected"


def estimate_field(data: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the multiplicative field (float32, shape of `data`, geometric mean 1 in the tissue).

    `data` holds non-negative intensities. Raises ValueError or RuntimeError where N4 cannot run.
    """
    factors = reduction(data.shape, spacing_mm)
    small = block_means(data, factors)
    small_spacing_mm = spacing_mm * factors
    tissue = foreground(small)
    n4 = _configured_n4(np.array(small.shape) * small_spacing_mm)
    mask = _itk_image(tissue.astype(np.uint8), small_spacing_mm)
    image = _itk_image(small + _offset(small, tissue), small_spacing_mm)
    n4.Execute(image, mask)
    log_field = _array(n4.GetLogBiasFieldAsImage(image))
    if not np.isfinite(log_field).all():
        raise ValueError("N4 did not converge to a finite field")
    limit = np.log(STRONGEST_FIELD)
    log_field = np.clip(log_field - log_field[tissue].mean(), -limit, limit)
    return np.exp(_enlarge(log_field, factors, data.shape))


def reduction(shape: tuple[int, ...], spacing_mm: np.ndarray) -> np.ndarray:
    """Return per axis how many voxels to average so that they measure about 5 mm, keeping four."""
    wanted = np.round(WORKING_VOXEL_MM / np.asarray(spacing_mm))
    return np.clip(wanted, 1, np.maximum(np.array(shape) // 4, 1)).astype(int)


def block_means(data: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the means over blocks of `factors` voxels; the last block repeats the edge."""
    missing = [(0, int(-n % f)) for n, f in zip(data.shape, factors, strict=True)]
    padded = np.pad(data, missing, mode="edge")
    pairs = [part for n, f in zip(padded.shape, factors, strict=True) for part in (n // f, f)]
    return padded.reshape(pairs).mean(axis=(1, 3, 5), dtype=np.float32)


def foreground(data: np.ndarray) -> np.ndarray:
    """Return Otsu's mask of the tissue, on square roots: they part dark tissue from air better."""
    roots = np.sqrt(data)
    bright = np.percentile(roots, 99.5)
    tissue = _array(sitk.OtsuThreshold(_itk_image(np.minimum(roots, bright)), 0, 1, 256)) > 0
    if tissue.sum() < FEWEST_MASK_VOXELS:
        raise ValueError(f"only {int(tissue.sum())} voxels of tissue at {WORKING_VOXEL_MM:g} mm")
    return tissue


def _configured_n4(extent_mm):
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)
    n4.SetNumberOfWorkUnits(1)
    n4.SetMaximumNumberOfIterations([ITERATIONS_PER_LEVEL] * LEVELS)
    first_intervals = np.ceil(extent_mm / (KNOT_DISTANCE_MM * 2 ** (LEVELS - 1)))
    n4.SetNumberOfControlPoints([int(n) + 3 for n in first_intervals])  # cubic: intervals + 3
    return n4


def _offset(small, tissue):
    """Return a small brightness that keeps the logarithm of dark tissue from running away."""
    return np.float32(0.02 * small[tissue].mean())


def _enlarge(field, factors, shape):
    """Interpolate linearly from the blocks' centres to every voxel; constant at the border."""
    scale = 1 / factors
    return ndimage.affine_transform(
        field,
        scale,
        (scale - 1) / 2,
        output_shape=shape,
        order=1,
        mode="nearest",
        output=np.float32,
    )


def _itk_image(array, spacing_mm=(1.0, 1.0, 1.0)):
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    image.SetSpacing([float(size) for size in spacing_mm])
    return image


def _array(image):
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0)
