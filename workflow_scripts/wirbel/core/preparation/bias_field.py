"""Remove the smooth brightness variation that surface coils leave in spine scans (N4)."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import Volume
from wirbel.core.preparation.n4 import fitting
from wirbel.core.preparation.n4.settings import FitSettings, LogField

WORKING_VOXEL_MM = 5.0
"""The field varies over centimetres (coil elements are 8 to 12 cm long): 5 mm voxels suffice."""
KNOT_DISTANCE_MM = 80.0
"""Distance of the finest level's spline knots, a little less than a spine-coil element."""
LEVELS = 3
ITERATIONS_PER_LEVEL = 50
TOLERANCE = 1e-3
"""ITK's own: the field then changes by a thousandth from one iteration to the next."""
STRONGEST_FIELD = 10.0
"""Factor by which the field may brighten or darken; beyond it lies noise far from the coil."""
FEWEST_MASK_VOXELS = 200
"""Fewer voxels of tissue at 5 mm (about 4 cm on a side) do not determine a field."""


def correct_bias_field(
    volume: Volume, log_field: LogField = fitting.log_field
) -> tuple[Volume, str]:
    """Return the corrected image (float32, same grid, minimum 0) and a word on what was done.

    N4 (Tustison et al., IEEE TMI 2010) is fitted on a copy reduced to about 5 mm in plane, inside
    Otsu's mask, and its field interpolated on the full grid. Where it cannot run the image comes
    back uncorrected and the second value says why.
    """
    data = np.asarray(volume.data, np.float32)
    data = data - data.min()
    try:
        field = estimate_field(data, volume.spacing_mm, log_field)
    except (RuntimeError, ValueError) as error:
        return volume.with_data(data), f"not corrected: {str(error).strip().splitlines()[-1]}"
    return volume.with_data(data / field), "corrected"


def estimate_field(
    data: np.ndarray, spacing_mm: np.ndarray, log_field: LogField = fitting.log_field
) -> np.ndarray:
    """Return the multiplicative field (float32, shape of `data`, geometric mean 1 in the tissue).

    `data` holds non-negative intensities. Raises ValueError or RuntimeError where N4 cannot run.
    """
    factors = reduction(data.shape, spacing_mm)
    small = block_means(data, factors)
    small_spacing_mm = spacing_mm * factors
    tissue = foreground(small)
    settings = _settings(np.array(small.shape) * small_spacing_mm)
    field = log_field(small + _offset(small, tissue), tissue, settings, small.shape)
    if not np.isfinite(field).all():
        raise ValueError("N4 did not converge to a finite field")
    limit = np.log(STRONGEST_FIELD)
    field = np.clip(field - field[tissue].mean(), -limit, limit)
    return np.exp(_enlarge(field, factors, data.shape))


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
    tissue = _above_otsu(np.minimum(roots, bright))
    if tissue.sum() < FEWEST_MASK_VOXELS:
        raise ValueError(f"only {int(tissue.sum())} voxels of tissue at {WORKING_VOXEL_MM:g} mm")
    return tissue


def _above_otsu(values: np.ndarray) -> np.ndarray:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    return sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1, 256)) > 0


def _settings(extent_mm: np.ndarray) -> FitSettings:
    spans = np.ceil(extent_mm / (KNOT_DISTANCE_MM * 2 ** (LEVELS - 1)))
    i, j, k = (int(n) for n in spans)
    return FitSettings((i, j, k), (ITERATIONS_PER_LEVEL,) * LEVELS, TOLERANCE)


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
