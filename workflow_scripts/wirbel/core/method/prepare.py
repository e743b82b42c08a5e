"""From a scan as stored to the image that a network is given."""

from __future__ import annotations

from collections.abc import Callable, Collection

from wirbel.core.geometry import Volume
from wirbel.core.method.names import OWN
from wirbel.core.preparation.image import PreparedImage, Spacing
from wirbel.core.preparation.image import prepare_image as own_image
from wirbel.core.spineps.preparation import prepare_image as spineps_image


def prepare(
    method: str,
    scan: Volume,
    file_name: str,
    spacing_for: Callable[[Spacing], Spacing],
    axes: tuple[str, str, str],
    bias_field: bool | str,
    fixed_range: bool,
    accepted: Collection[str] = (),
) -> PreparedImage:
    """Check a scan and bring it to the model grid.

    Parameters
    ----------
    method : str
        `OWN`, `PUBLISHED` or `SPINEPS`.
    scan : Volume
        The scan as stored.
    file_name : str
        Its file's name, for messages.
    spacing_for : callable
        Returns the model's voxel size for the scan's (mm, along `axes`).
    axes : tuple of three str
        The model's axes.
    bias_field : bool or "itk"
        Correct it by N4, by ITK's own filter for N4, or not at all.
    fixed_range : bool
        Bring the intensities to a fixed range; False for tomography. Wirbel's own steps always do.
    accepted : collection of str
        Faults that are no reason to refuse it (`wirbel.core.preparation.intake`). Default: none.

    Raises
    ------
    ScanError
        If the scan cannot be used.
    """
    if method == OWN:
        return own_image(scan, file_name, spacing_for, axes, bias_field, accepted)
    return spineps_image(scan, file_name, spacing_for, axes, bias_field, fixed_range, accepted)
