"""Signal ratios without the coil's part in them: how the signal falls off from back to front is read from marrow.

Spine coils lie behind the back: what lies 40 mm further in front is darker for that alone. Within one body marrow is
alike, so the change from its back to its front is the coil's; the median over all bodies of a scan is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wirbel.core.labels import DISC_OFFSET
from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.signal.signals import BODY_MARGIN_MM, Picture
from wirbel.core.measures.spine import Spine

FEWEST_BODIES = 3
FEWEST_VOXELS = 60
"""A body that shows fewer inner voxels tells no fall-off."""
STEEPEST_PER_MM = 0.02
"""A steeper fall-off than to an e-th in 50 mm is no coil's."""


class Names(NamedTuple):
    """The columns of a ratio, and of what is left of it without the coil's fall-off."""

    ratio: str
    status: str
    corrected: str
    corrected_status: str


OF_BODIES = Names(
    "body_to_csf_ratio",
    "body_signal_status",
    "body_to_csf_corrected_ratio",
    "body_corrected_status",
)
OF_DISCS = Names(
    "disc_to_csf_ratio",
    "disc_signal_status",
    "disc_to_csf_corrected_ratio",
    "disc_corrected_status",
)


def add_corrected_ratios(
    picture: Picture | None,
    maps: LabelMaps,
    spine: Spine,
    vertebrae: list[dict],
    discs: list[dict],
) -> None:
    """Add `body_to_csf_corrected_ratio` and `disc_to_csf_corrected_ratio` with a status to the rows, in place.

    Parameters
    ----------
    picture : Picture or None
        The scan's intensities.
    maps : LabelMaps
        The scan's label maps.
    spine : Spine
        Centres of bodies and discs, and the canal.
    vertebrae, discs : list of dict
        Rows with their uncorrected ratios.
    """
    slope = None if picture is None else falloff_per_mm(picture, maps, spine)
    for rows, names, label, offset in (
        (vertebrae, OF_BODIES, "label", 0),
        (discs, OF_DISCS, "label_above", DISC_OFFSET),
    ):
        for row in rows:
            ratio, state = row[names.ratio], row[names.status]
            forward = None if ratio is None else _forward(spine, row[label] + offset)
            corrected = None
            if forward is not None and slope is not None:
                corrected = float(ratio * np.exp(-slope * np.linalg.norm(forward)))
            elif ratio is not None:
                state = S.TOO_FEW_VOXELS
            row[names.corrected] = corrected
            row[names.corrected_status] = state


def falloff_per_mm(picture: Picture, maps: LabelMaps, spine: Spine) -> float | None:
    """Return the change of the logarithm of the signal per mm forwards; None with fewer than three bodies."""
    found = []
    for label in maps.vertebrae:
        forward = _forward(spine, label)
        region = maps.body(label)
        if forward is not None and region is not None:
            found.append(_slope(picture, region, forward / np.linalg.norm(forward)))
    slopes = [slope for slope in found if slope is not None]
    if len(slopes) < FEWEST_BODIES:
        return None
    return float(np.clip(np.median(slopes), -STEEPEST_PER_MM, STEEPEST_PER_MM))


def _forward(spine: Spine, key: int) -> np.ndarray | None:
    """Return the vector from the canal's centre to a structure's, mm."""
    if key not in spine.centroids_mm:
        return None
    centre = spine.centroids_mm[key]
    canal = spine.canal_mm(centre, spine.superior(key))
    apart = None if canal is None else centre - canal
    return None if apart is None or np.linalg.norm(apart) < 1 else apart


def _slope(picture: Picture, region: Region, forward: np.ndarray) -> float | None:
    """Return the slope between the medians of a body's front and back third."""
    index = np.argwhere(picture.inside(region, BODY_MARGIN_MM)[1])
    if len(index) < FEWEST_VOXELS:
        return None
    values = picture.data[tuple((index + region.start).T)].astype(float)
    at = region.grid.to_world(index) @ forward
    low, high = np.quantile(at, [1 / 3, 2 / 3])
    thirds = at <= low, at >= high
    (back, front), (first, last) = (
        [np.median(what[third]) for third in thirds] for what in (values, at)
    )
    if not (np.isfinite(back) and np.isfinite(front)) or min(back, front) <= 0 or last - first < 1:
        return None
    return float((np.log(front) - np.log(back)) / (last - first))
