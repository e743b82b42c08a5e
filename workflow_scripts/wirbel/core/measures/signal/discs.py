"""Nucleus and annulus of a disc: how bright each is, and how much the disc's signal varies.

A healthy disc has a bright nucleus in a dark annulus; with degeneration the nucleus darkens until both are
alike. Grades (Pfirrmann et al., Spine 2001;26:1873-1878) follow that by eye; the distance between the signals
of both, and their spread, follow it by numbers (Waldenberg et al., Eur Spine J 2018;27:1042-1048).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.labels import DISC_OFFSET
from wirbel.core.measures import status as S
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import Solid
from wirbel.core.measures.signal.signals import (
    CSF_REACH_MM,
    FEWEST_VOXELS,
    Fluid,
    Picture,
    enough,
    signal_of_fluid,
)

NUCLEUS_DEPTH = (0.3, 0.7)
"""The nucleus is looked for in this part of the disc's depth, 0 at the back: well inside of it, as it takes up the
middle half to two thirds."""
ANNULUS_DEPTH = 0.15
"""The annulus is looked for in this part of the depth from either end."""
MARGIN_MM = 1.0
"""Voxels nearer to the disc's surface are left out: partial volume with endplates, ligaments and fluid."""
FEWEST_EACH = 4
"""Voxels that the annulus needs in front, and as many at the back."""
PERCENTILES = (10, 90)
COLUMNS = (
    "nucleus_to_csf_ratio",
    "annulus_to_csf_ratio",
    "nucleus_annulus_contrast",
    "disc_heterogeneity",
)


@dataclass(frozen=True)
class Zones:
    """Which of a disc's voxels belong to the nucleus, to the annulus in front and at its back; `slab` holds all."""

    nucleus: np.ndarray
    front: np.ndarray
    back: np.ndarray
    slab: np.ndarray


def zones_of(right_mm: np.ndarray, depth: np.ndarray, half_width_mm: float) -> Zones:
    """Return the zones of points at `right_mm` from the mid-sagittal plane and a fraction `depth` of the disc's
    depth."""
    slab = np.abs(right_mm) < half_width_mm
    return Zones(
        slab & (depth > NUCLEUS_DEPTH[0]) & (depth < NUCLEUS_DEPTH[1]),
        slab & (depth > 1 - ANNULUS_DEPTH),
        slab & (depth < ANNULUS_DEPTH),
        slab,
    )


def contrast_columns(values: np.ndarray, zones: Zones, fluid: float) -> dict | None:
    """Return the four measures from the signal `values` of a disc's inner voxels; None where a zone has too few.

    Each zone has its mean signal: blur moves signal about, and a dark cleft in the nucleus would decide a median.
    Front and back of the annulus count alike, so that a coil's fall-off from back to front cancels.
    """
    ends = [values[end] for end in (zones.front, zones.back)]
    nucleus, slab = values[zones.nucleus], values[zones.slab]
    if len(nucleus) < FEWEST_VOXELS or min(map(len, ends)) < FEWEST_EACH:
        return None
    bright = float(np.mean(nucleus)) / fluid
    dark = float(np.mean([np.mean(end) for end in ends])) / fluid
    low, high = np.percentile(slab, PERCENTILES)
    found = bright, dark, bright - dark, float(high - low) / fluid
    return dict(zip(COLUMNS, found, strict=True))


def add_disc_contrast(
    picture: Picture | None,
    fluid: Fluid | None,
    maps: LabelMaps,
    solids: dict[int, Solid],
    discs: list[dict],
) -> None:
    """Add signals of nucleus and annulus, their contrast and the disc's heterogeneity to the rows, in place.

    Parameters
    ----------
    picture : Picture or None
        The scan's intensities.
    fluid : Fluid or None
        The cerebrospinal fluid.
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    discs : list of dict
        Rows of the discs.
    """
    for row in discs:
        label = row["label_above"]
        solid = solids[DISC_OFFSET + label]
        columns, state = None, S.NO_IMAGE if picture is None else _fault(solid)
        if picture is not None and state == S.OK:
            columns, state = _measured(picture, fluid, maps.disc(label), solid)
        row |= (columns or dict.fromkeys(COLUMNS)) | {"nucleus_status": state}


def _fault(solid: Solid) -> str:
    if solid.block is None:
        return solid.status
    return S.SURFACE_INCOMPLETE if solid.outline is None else S.OK


def _measured(picture: Picture, fluid: Fluid | None, region, solid: Solid):
    near = [] if fluid is None else fluid.tree.query_ball_point(region.centroid_mm, CSF_REACH_MM)
    bright, state = signal_of_fluid(picture, fluid, near)
    if bright is None:
        return None, state
    inner, usable = picture.inside(region, MARGIN_MM)
    if not inner.any():
        return None, S.TOO_FEW_VOXELS
    block, outline = solid.block, solid.outline
    assert block is not None and outline is not None  # `_fault` found none
    local = block.frame.to_local(region.grid.to_world(np.argwhere(inner)))
    back, front = outline.ends_at(0)
    zones = zones_of(local[:, 0], (local[:, 1] - back) / (front - back), block.slab_mm)
    good = usable[inner]
    if not enough(good[zones.slab]) and zones.slab.sum() >= FEWEST_VOXELS:
        return None, S.VOXELS_REPLACED
    kept = Zones(*(zone[good] for zone in vars(zones).values()))
    columns = contrast_columns(picture.data[region.box][inner][good], kept, bright)
    return columns, S.OK if columns else S.TOO_FEW_VOXELS
