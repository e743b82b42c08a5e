"""From a scan as stored to the image that a network is given."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from wirbel.core.geometry import MODEL_AXES, Volume, grid_with_spacing, turned, upright
from wirbel.core.preparation.bias_field import correct_bias_field
from wirbel.core.preparation.hounsfield import compressed
from wirbel.core.preparation.intake import check_scan
from wirbel.core.preparation.intensities import to_fixed_range
from wirbel.core.preparation.n4.methods import n4_method
from wirbel.core.resampling import resample_image

Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class PreparedImage:
    """The image on the model grid (int16, 0 ... 2000) and what was done to it (JSON types)."""

    image: Volume
    steps: dict[str, Any]


def prepare_image(
    volume: Volume,
    name: str,
    spacing_mm: Spacing | Callable[[Spacing], Spacing],
    axes: tuple[str, str, str] = MODEL_AXES,
    correct_bias: bool | str = True,
    accepted: Collection[str] = (),
    tomography: bool = False,
) -> PreparedImage:
    """Check a scan and bring it to the model's axes, voxel size (in mm, in that order) and range.

    `spacing_mm` may be a function that gives the model's voxel size for the scan's (mm, along `axes`).
    `correct_bias`: by N4 (True), by ITK's slower filter for it ("itk"), or not at all (False).
    The scan's own oblique directions are kept: only voxel sizes change, so no slice is cut at an
    angle. Raises ScanError, naming `name`, when the scan cannot be used.

    Parameters
    ----------
    volume : Volume
        The scan, any orientation.
    name : str
        Its file, for errors.
    spacing_mm : tuple of float, or callable
        See above.
    axes : tuple of str, default ("P", "I", "R")
        The model's axes.
    correct_bias : bool or str, default True
        See above.
    accepted : collection of str
        Faults that are no reason to refuse it (`check_scan`). Default: none.
    tomography : bool, default False
        The intensities are Hounsfield units: they have no bias field, and are compressed
        (`wirbel.core.preparation.hounsfield`) before they are brought to the range.

    Returns
    -------
    PreparedImage
        Image on the model grid, and what was done.
    """
    source = turned(check_scan(volume, name, accepted), axes)
    flat = upright(source)  # rounding in the affine must not reach the intensities
    if callable(spacing_mm):
        i, j, k = (float(size) for size in flat.spacing_mm)
        spacing_mm = spacing_mm((i, j, k))
    image = resample_image(flat, grid_with_spacing(flat.grid, spacing_mm))
    bias_field = "not asked for"
    if tomography:
        image, bias_field = image.with_data(compressed(image.data)), "none in tomography"
    elif log_field := n4_method(correct_bias):
        image, bias_field = correct_bias_field(image, log_field)
    data, (low, high) = to_fixed_range(image.data)
    steps = described(volume, axes, spacing_mm, bias_field, (round(low, 4), round(high, 4)))
    affine = grid_with_spacing(source.grid, spacing_mm).affine
    return PreparedImage(Volume(data, affine), steps)


def described(
    scan: Volume,
    axes: tuple[str, str, str],
    spacing_mm: Spacing,
    bias_field: str,
    intensity_range: tuple[float, float],
) -> dict[str, Any]:
    """Return what was done to `scan`, as sidecars state it (JSON types).

    Parameters
    ----------
    scan : Volume
        The scan as it was.
    axes : tuple of str
        The model's axes.
    spacing_mm : tuple of float
        Voxel size along them.
    bias_field : str
        What was done about it.
    intensity_range : tuple of float
        Intensities that became the lowest and the highest.

    Returns
    -------
    dict
    """
    return {
        "SourceShape": list(scan.data.shape),
        "SourceSpacing_mm": [round(float(size), 4) for size in scan.spacing_mm],
        "SourceAxes": "".join(scan.axes),
        "Axes": "".join(axes),
        "Spacing_mm": [float(size) for size in spacing_mm],
        "BiasField": bias_field,
        "IntensityRange": [float(limit) for limit in intensity_range],
    }
