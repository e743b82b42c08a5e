"""Nucleus, annulus and marrow of a phantom as the tissues have them: before coils, blur and noise."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures.shape.surfaces import MID_SAGITTAL_FRACTION
from wirbel.core.measures.signal.discs import MARGIN_MM, PERCENTILES, contrast_columns, zones_of
from wirbel.core.measures.signal.marrow import (
    FEWEST_VOXELS,
    VBQ_LEVELS,
    heterogeneity_percent,
    smoothed,
)
from wirbel.core.measures.signal.signals import BODY_MARGIN_MM
from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.imaging.acquisition import Acquisition
from wirbel.phantom.imaging.contrast import Contrast
from wirbel.phantom.imaging.scanner import TEXTURE_STRENGTH, texture_of
from wirbel.phantom.person.anatomy import Anatomy
from wirbel.phantom.true_values.true_shapes import TrueDisc
from wirbel.phantom.true_values.true_volumes import FineMaps

TEXTURE_SHARES = (np.arange(15) + 0.5) / 15
"""Quantiles of a tissue's texture that stand for all of it."""
COLUMNS = ("nucleus_to_csf_ratio", "annulus_to_csf_ratio", "nucleus_annulus_contrast")


def true_contrast_columns(contrast: Contrast, maps: FineMaps, disc: TrueDisc, label: int) -> dict:
    """Return the measures of nucleus and annulus of the disc below a vertebra."""
    points, tissue = maps.disc_inside(label, MARGIN_MM)
    local = (points - disc.frame.centre_mm) @ disc.frame.rotation
    back = -disc.behind * disc.frame.depth_mm * disc.limit / 2
    zones = zones_of(
        local[:, 0], (local[:, 1] - back) / disc.depth_mm, disc.width_mm * MID_SAGITTAL_FRACTION
    )
    fluid = float(contrast.mean[T.CSF])
    columns = contrast_columns(contrast.mean[tissue], zones, fluid)
    if columns is None:
        return dict.fromkeys((*COLUMNS, "disc_heterogeneity"))
    mean, texture = (of[tissue[zones.slab]] for of in (contrast.mean, contrast.texture))
    varied = mean * (1 + texture * ndtri(TEXTURE_SHARES)[:, None])
    low, high = np.percentile(varied, PERCENTILES)
    return columns | {"disc_heterogeneity": float(high - low) / fluid}


class TrueMarrow:
    """The marrow of all bodies with its texture, on the grid of the scan."""

    def __init__(self, contrast: Contrast, maps: FineMaps, acquisition: Acquisition) -> None:
        self._contrast, self._maps, self._grid = contrast, maps, acquisition.grid
        self._texture = texture_of(acquisition, np.random.default_rng(acquisition.seed))

    def heterogeneity_percent(self, label: int, number: int) -> float | None:
        """Return the spread of the marrow's signal in a body, of this number from the top (0); None out of view."""
        tissue = T.MARROW + number
        points = self._maps.body_inside(label, BODY_MARGIN_MM, tissue)
        index = np.round(self._grid.to_index(points)).astype(int)
        index = index[((index >= 0) & (index < self._grid.shape)).all(1)]
        if not len(index):
            return None
        low = index.min(0)
        mask = np.zeros(index.max(0) - low + 1, bool)
        mask[tuple((index - low).T)] = True
        if mask.sum() < FEWEST_VOXELS:
            return None
        box = tuple(slice(a, a + n) for a, n in zip(low, mask.shape, strict=True))
        strength = TEXTURE_STRENGTH * self._contrast.texture[tissue]
        values = smoothed(1 + strength * self._texture[box], mask, self._grid.spacing_mm)
        return heterogeneity_percent(values, self._grid.to_world(np.argwhere(mask) + low))


def true_vbq(contrast: Contrast, anatomy: Anatomy, whole: set[int]) -> float | None:
    """Return the bone quality score; None where not all of its bodies are among the labels that are `whole`."""
    labels = [vertebra.label for vertebra in anatomy.vertebrae]
    wanted = [LEVEL_LABELS[level] for level in VBQ_LEVELS]
    if not set(wanted) <= whole:
        return None
    signals = [contrast.mean[T.MARROW + labels.index(label)] for label in wanted]
    return float(np.median(signals) / contrast.mean[T.CSF])
