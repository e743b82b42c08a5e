"""Where the spine runs in a scan, row by row: what curved views follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import MODEL_AXES, Volume, reorient
from wirbel.core.labels import BODY_LABELS, CANAL, CORD, DISC, SACRUM
from wirbel.core.pictures.sagittal_views import spine_midline

SMOOTHING_MM = 12.0
"""Standard deviation of the smoothing along the spine, half a vertebra."""
FRONT = (*BODY_LABELS, DISC, SACRUM)


@dataclass(frozen=True)
class Course:
    """A scan and its maps in P-I-R order on one grid, and the spine's place in each row.

    `image` holds intensities, the maps labels. `middle` (rows,): slice through the spine's middle. `bodies` and `canal`
    (rows,): place to the back of the vertebral bodies' centres, and of the canal's. All are fractional indices.
    """

    image: Volume
    subregion: Volume
    vertebra: Volume
    middle: np.ndarray
    bodies: np.ndarray
    canal: np.ndarray

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel sizes to the back, downwards and to the right."""
        return self.subregion.spacing_mm

    def index(self, points_mm: np.ndarray) -> np.ndarray:
        """Return the fractional indices (n, 3), P-I-R, of world points (n, 3) in mm."""
        return self.subregion.grid.to_index(points_mm)


def find_course(image: Volume, subregion: Volume, vertebra: Volume) -> Course:
    """Return the course of the spine in a scan and its maps, which share one grid of any orientation.

    Without any spine the middles of the scan are followed.
    """
    image, subregion, vertebra = (reorient(v, MODEL_AXES) for v in (image, subregion, vertebra))
    labels, spacing = subregion.data, subregion.spacing_mm
    return Course(
        image,
        subregion,
        vertebra,
        spine_midline(labels, spacing),
        _line(np.isin(labels, FRONT), spacing),
        _line(np.isin(labels, (CANAL, CORD)), spacing),
    )


def _line(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the mean place to the back (first axis) in each row (second axis), smoothed; the middle without any."""
    counts = mask.sum(2)
    filled = np.flatnonzero(counts.sum(0))
    rows = np.arange(mask.shape[1])
    if not len(filled):
        return np.full(len(rows), (mask.shape[0] - 1) / 2)
    places = np.arange(mask.shape[0])
    centres = (places @ counts[:, filled]) / counts[:, filled].sum(0)
    line = np.interp(rows, filled, centres)
    return ndimage.gaussian_filter1d(line, SMOOTHING_MM / spacing_mm[1], mode="nearest")
