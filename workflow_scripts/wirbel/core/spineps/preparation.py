"""Prepare a stored scan for the network as SPINEPS 2.1.3 does."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from wirbel.core.geometry import Grid, Volume, reorient, turned
from wirbel.core.preparation.image import PreparedImage, Spacing, described
from wirbel.core.preparation.intake import check_scan
from wirbel.core.preparation.n4.methods import n4_method
from wirbel.core.spineps.bias_field import correct_bias_field
from wirbel.core.spineps.grids import box_of, resample, rescaled_grid, zooms

TOP = 1500
"""Brighter images are scaled down to this value; darker ones keep their range."""
PADDING = 4
"""Voxels of background added around the scan, along its own axes."""


def prepare_image(
    volume: Volume,
    name: str,
    spacing_for: Callable[[Spacing], Spacing],
    axes: tuple[str, str, str],
    correct_bias: bool | str = True,
    normalise: bool = True,
    accepted: Collection[str] = (),
) -> PreparedImage:
    """Check a scan, scale it to 0 ... 1500, correct the bias field, pad, reorient and resample it.

    Integers stay integers, truncated to whole numbers after every step. The bias field is fitted on
    every fourth voxel, counted in the file's order of axes, and therefore depends on that order.

    Parameters
    ----------
    volume : Volume
        The scan.
    name : str
        Its file name, for messages.
    spacing_for : callable
        Returns the model's voxel size for the scan's (mm, along `axes`).
    axes : tuple of three str
        The model's axes.
    correct_bias : bool or "itk"
        As in `wirbel.core.preparation.image`.
    normalise : bool
        Scale the intensities.
    accepted : collection of str
        Faults that are no reason to refuse it (`check_scan`). Default: none.

    Raises
    ------
    ScanError
        If the scan cannot be used.
    """
    volume = check_scan(volume, name, accepted)
    data, bias_field = _intensities(volume, correct_bias, normalise)
    top = data.max()
    data = np.pad(data, PADDING, constant_values=data.min())
    image = turned(Volume(data, _padded(volume.grid).affine), axes)  # a view: scans can be large
    i, j, k = (float(size) for size in zooms(image.affine))
    spacing_mm = spacing_for((i, j, k))
    image = resample(image, prepared_grid(volume.grid, axes, spacing_mm), order=3)
    steps = described(volume, axes, spacing_mm, bias_field, (0.0, top))
    return PreparedImage(image, {**steps, "Preparation": "spineps"})


def prepared_grid(scan: Grid, axes: tuple[str, str, str], spacing_mm: Spacing) -> Grid:
    """Return the grid of a scan's prepared image for a model with `axes` and voxels of `spacing_mm`."""
    padded = _padded(scan)
    turned = reorient(Volume(np.broadcast_to(np.uint8(0), padded.shape), padded.affine), axes)
    return rescaled_grid(turned.grid, spacing_mm)


def _padded(grid: Grid) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(np.full(3, -PADDING))
    return Grid(tuple(n + 2 * PADDING for n in grid.shape), affine)


def _intensities(
    volume: Volume, correct_bias: bool | str, normalise: bool
) -> tuple[np.ndarray, str]:
    """Return the intensities on the scan's grid, and a word about the bias field."""
    data = to_range(volume.data) if normalise else volume.data.copy()
    box = box_of(data > data.min())
    part, word = data[box], "not asked for"
    if log_field := n4_method(correct_bias):
        try:
            affine = volume.affine.copy()
            affine[:3, 3] = volume.grid.to_world(np.array([s.start for s in box]))
            part, word = correct_bias_field(Volume(part, affine), log_field), "corrected"
        except (RuntimeError, ValueError) as error:
            word = f"not corrected: {str(error).strip().splitlines()[-1]}"
    data[box] = to_range(part) if normalise else part
    return data, word


def to_range(data: np.ndarray) -> np.ndarray:
    """Shift the minimum to 0 and scale down to 1500 if the maximum is larger; keep the data type."""
    shifted = data - data.min()
    top = shifted.max()
    if top <= TOP:
        return shifted
    for at, plane in enumerate(shifted):  # a whole scan as float64 can be large
        shifted[at] = (plane * (TOP / top)).astype(data.dtype)
    return shifted
