"""Sagittal views of a scan along its spine, in true proportions, with overlaid label maps.

A scoliotic spine leaves any plane slice, so the view follows the spine's midline sideways: every
row shows the place where the centre of the canal (or else of the bodies) lies at that height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import MODEL_AXES, Grid, Volume, grid_with_spacing, reorient
from wirbel.core.labels import BODY_LABELS, CANAL, CORD, DISC, ENDPLATE, LEVEL_NAMES, SACRUM
from wirbel.core.resampling import resample_image, resample_labels

MIDLINE_SMOOTHING_MM = 15.0
"""Standard deviation of the smoothing along the spine: less than a vertebra with its disc."""
MARGIN_MM = (45.0, 25.0)
"""Part of the image kept in front of and behind the labelled spine."""
WINDOW_PERCENTILES = (1.0, 99.5)
"""Of the view's intensities: shown as black and white."""
FILL, OUTLINE = 0.38, 0.95
"""Opacity of a label's inside and of its rim."""


@dataclass(frozen=True)
class View:
    """A curved sagittal view: arrays (rows downwards, columns towards the back) and their pixel size
    in mm.
    """

    image: np.ndarray
    subregion: np.ndarray
    vertebra: np.ndarray
    pixel_mm: float


def sagittal_view(image: Volume, subregion: Volume, vertebra: Volume, pixel_mm: float) -> View:
    """Return the view of three volumes on one grid, cropped to the spine.

    The whole height is kept, so that a missed vertebra is visible.

    Parameters
    ----------
    image, subregion, vertebra : Volume
        Scan and label maps on one grid, any orientation.
    pixel_mm : float
        Pixel size of the view.

    Returns
    -------
    View
        The image as grey values from 0 to 255 (uint8).
    """
    image, subregion, vertebra = (reorient(v, MODEL_AXES) for v in (image, subregion, vertebra))
    spacing_mm = image.spacing_mm
    columns = _columns_to_keep(subregion.data, spacing_mm[0])
    midline = spine_midline(subregion.data, spacing_mm)
    flat = Grid((*image.data[columns].shape[:2], 1), np.diag([*spacing_mm[:2], 1.0, 1.0]))
    target = grid_with_spacing(flat, (pixel_mm, pixel_mm, 1.0))
    grey = Volume(curved_image(image.data[columns], midline)[..., None], flat.affine)
    maps = (
        Volume(curved_labels(v.data[columns], midline)[..., None], flat.affine)
        for v in (subregion, vertebra)
    )
    structures, vertebrae = (resample_labels(v, target).data[..., 0].T for v in maps)
    shown = to_grey(resample_image(grey, target).data[..., 0].T)
    return View(shown, structures, vertebrae, pixel_mm)


def view_size_mm(subregion: Volume) -> tuple[float, float]:
    """Return height and width of the view that `sagittal_view` makes with this map, in mm."""
    upright = reorient(subregion, MODEL_AXES)
    depth_mm, row_mm = upright.spacing_mm[:2]
    columns = _columns_to_keep(upright.data, depth_mm).indices(upright.data.shape[0])
    return upright.data.shape[1] * row_mm, len(range(*columns)) * depth_mm


def spine_midline(labels: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the slice (third axis, fractional) through the spine's middle for each row (second axis).

    Rows without spine continue the nearest ones; without any spine it is the middle slice.

    Parameters
    ----------
    labels : ndarray, shape (P, I, R)
        Subregion map.
    spacing_mm : ndarray, shape (3,)
        Voxel size.
    """
    rows, slices = labels.shape[1:]
    for wanted in ((CORD, CANAL), (*BODY_LABELS, DISC, ENDPLATE, SACRUM)):
        counts = np.isin(labels, wanted).sum(0)
        filled = np.flatnonzero(counts.sum(1))
        if len(filled) * spacing_mm[1] >= MIDLINE_SMOOTHING_MM:
            break
    else:
        return np.full(rows, (slices - 1) / 2)
    centres = (counts[filled] @ np.arange(slices)) / counts[filled].sum(1)
    line = np.interp(np.arange(rows), filled, centres)
    return ndimage.gaussian_filter1d(line, MIDLINE_SMOOTHING_MM / spacing_mm[1], mode="nearest")


def curved_image(data: np.ndarray, midline: np.ndarray) -> np.ndarray:
    """Sample (P, I, R) intensities on the midline of each row, linearly; return (P, I)."""
    lower = np.clip(np.floor(midline).astype(int), 0, max(data.shape[2] - 2, 0))
    upper = np.minimum(lower + 1, data.shape[2] - 1)
    share = np.clip(midline - lower, 0, 1).astype(np.float32)
    rows = np.arange(data.shape[1])
    return data[:, rows, lower] * (1 - share) + data[:, rows, upper] * share


def curved_labels(data: np.ndarray, midline: np.ndarray) -> np.ndarray:
    """Take (P, I, R) labels from the slice nearest to the midline of each row; return (P, I)."""
    nearest = np.clip(np.rint(midline).astype(int), 0, data.shape[2] - 1)
    return data[:, np.arange(data.shape[1]), nearest]


def to_grey(data: np.ndarray) -> np.ndarray:
    """Return intensities as 0 ... 255 (uint8) between two percentiles."""
    low, high = np.percentile(data, WINDOW_PERCENTILES)
    if not high > low:
        return np.zeros(data.shape, np.uint8)
    scaled = (data - low) / (high - low)
    return np.rint(255 * np.clip(scaled, 0, 1)).astype(np.uint8)


def overlay(
    grey: np.ndarray, labels: np.ndarray, colours: dict[int, tuple[int, int, int]]
) -> np.ndarray:
    """Lay labels over a grey picture (rows, columns), tinted inside and strong at their rims; return
    RGB uint8.
    """
    table = np.zeros((max(256, int(labels.max(initial=0)) + 1), 3), np.float32)
    for label, colour in colours.items():
        table[label] = colour
    opacity = np.where(rims(labels), OUTLINE, FILL).astype(np.float32)
    opacity[labels == 0] = 0
    picture = grey[..., None] * (1 - opacity[..., None]) + table[labels] * opacity[..., None]
    return np.rint(picture).astype(np.uint8)


def rims(labels: np.ndarray) -> np.ndarray:
    """Return the labelled pixels that touch another label or the background."""
    low = ndimage.minimum_filter(labels, footprint=_CROSS, mode="nearest")
    high = ndimage.maximum_filter(labels, footprint=_CROSS, mode="nearest")
    return (labels > 0) & (low != high)


def level_marks(view: View) -> list[tuple[int, str, float]]:
    """Return (label, level, row of its body's centre) of the visible vertebrae, from the top down.

    The sacrum has no body and is marked at the centre of its visible part.
    """
    bodies = np.isin(view.subregion, (*BODY_LABELS, SACRUM))
    marks = []
    for label, level in LEVEL_NAMES.items():
        rows = np.nonzero(bodies & (view.vertebra == label))[0]
        if len(rows):
            marks.append((label, level, float(rows.mean())))
    return sorted(marks, key=lambda mark: mark[2])


_CROSS = ndimage.generate_binary_structure(2, 1)


def _columns_to_keep(subregion: np.ndarray, spacing_mm: float) -> slice:
    """Return the part of the first axis (towards the back) with the spine and a margin."""
    filled = np.flatnonzero(subregion.any((1, 2)))
    if not len(filled):
        return slice(None)
    front, back = (int(round(margin / spacing_mm)) for margin in MARGIN_MM)
    return slice(max(0, filled[0] - front), min(subregion.shape[0], filled[-1] + 1 + back))
