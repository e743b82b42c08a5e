"""The columns of image quality in the row of a scan, and the flags that follow from them."""

from __future__ import annotations

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.measures import status as S
from wirbel.core.measures.quality.ghosts import ghost_percent
from wirbel.core.measures.quality.noise import signal_to_noise
from wirbel.core.measures.quality.slices import slice_shift_mm
from wirbel.core.measures.quality.tissue import find_tissue
from wirbel.core.measures.signal.signals import Picture
from wirbel.core.plausibility.scan_flags import (
    GHOSTS_ALONG_SPINE,
    GHOSTS_FRONT_BACK,
    LOW_SNR,
    LOWEST_SNR,
    MOTION,
    SHIFTED_SLICES_MM,
)

NAMES = (
    "signal_to_noise_ratio",
    "ghosts_front_back_percent",
    "ghosts_along_spine_percent",
    "slice_shift_mm",
)


def quality_columns(picture: Picture | None, subregion: Volume) -> dict:
    """Return the columns of image quality, with what explains a gap.

    Parameters
    ----------
    picture : Picture or None
        The scan's intensities.
    subregion : Volume
        The structures, on the same grid.
    """
    row: dict = dict.fromkeys(NAMES)
    if picture is None:
        return row | {"quality_status": S.NO_IMAGE, "slice_shift_status": S.NO_IMAGE}
    if not picture.has_zero:
        return row | {"quality_status": S.NO_ZERO, "slice_shift_status": S.NO_ZERO}
    image = Volume(picture.data, subregion.affine)
    usable = None if picture.replaced is None else ~picture.replaced
    tissue = find_tissue(image, subregion, usable)
    noise, ghosts, shift = signal_to_noise(tissue), ghost_percent(tissue), slice_shift_mm(tissue)
    told = noise is not None and ghosts is not None
    if noise is not None and ghosts is not None:
        row |= dict(zip(NAMES, (noise, *ghosts), strict=False))
    return row | {
        "slice_shift_mm": shift,
        "quality_status": S.OK if told else S.TOO_FEW_VOXELS,
        "slice_shift_status": S.TOO_FEW_SLICES if shift is None else S.OK,
    }


def quality_flags(row: dict) -> list[str]:
    """Return the flags that follow from a scan's columns of image quality."""
    snr, front_back, along, shift = (np.nan if row[n] is None else row[n] for n in NAMES)
    moved = (
        front_back > GHOSTS_FRONT_BACK or along > GHOSTS_ALONG_SPINE or shift > SHIFTED_SLICES_MM
    )
    found = {LOW_SNR: snr < LOWEST_SNR, MOTION: moved}
    return [flag for flag, is_set in found.items() if is_set]
