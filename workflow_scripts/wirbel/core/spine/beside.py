"""What lies beside the pieces of body: canal, cord, arches and processes."""

from __future__ import annotations

import numpy as np

from wirbel.core.body_cuts import Part
from wirbel.core.chain import Chain
from wirbel.core.components import voxel_volume_mm3
from wirbel.core.geometry import Volume
from wirbel.core.labels import CANAL, CORD, POSTERIOR_ELEMENTS
from wirbel.core.spine.extents import is_large

BIN_MM = 2.0
SAMPLES = 4000
"""Voxels by which the course of a long structure is followed."""
BELOW_MM = 6.0
"""Posterior elements hang lower than the body; half a disc."""
LEAST_ARCH_SHARE = 0.25
"""Posterior elements below this part of what usually lies beside a body are those of its neighbours."""


def _bins(labels: Volume, numbers, chain: Chain, low_mm: float, high_mm: float) -> np.ndarray:
    """Return the volume (mm3) of structures in bins of `BIN_MM` along the chain, from `low_mm` on."""
    voxels = np.argwhere(np.isin(labels.data, numbers))
    count = int((high_mm - low_mm) / BIN_MM) + 2
    if not len(voxels):
        return np.zeros(count)
    step = max(1, len(voxels) // SAMPLES)
    arc, _ = chain.locate(labels.grid.to_world(voxels[::step]))
    place = ((arc - low_mm) / BIN_MM).astype(int)
    inside = (arc >= low_mm) & (place < count)
    return np.bincount(place[inside], minlength=count) * step * voxel_volume_mm3(labels.affine)


def _window(bins: np.ndarray, begin: float, end: float, low: float) -> np.ndarray:
    first = int((begin - low) / BIN_MM)
    return bins[first : max(first + 1, int((end - low) / BIN_MM) + 1)]


def canal_share(labels: Volume, chain: Chain, top, bottom) -> np.ndarray:
    """Return the share of each piece's height that has canal beside it; NaN where the map shows none at all."""
    low = float(top.min())
    filled = _bins(labels, (CANAL, CORD), chain, low, float(bottom.max())) > 0
    if not filled.any():
        return np.full(len(top), np.nan)
    return np.array([_window(filled, a, b, low).mean() for a, b in zip(top, bottom, strict=True)])


def behind_canal(parts: list[Part], labels: Volume, chain: Chain) -> np.ndarray:
    """Return the share of each piece's voxels that lie behind the middle of the canal at their height."""
    voxels = np.argwhere(np.isin(labels.data, (CANAL, CORD)))
    if not len(voxels):
        return np.zeros(len(parts))
    arc, offset = chain.locate(labels.grid.to_world(voxels[:: max(1, len(voxels) // SAMPLES)]))
    low = arc.min()
    place = ((arc - low) / (3 * BIN_MM)).astype(int)
    count = np.bincount(place)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.bincount(place, chain.behind_mm(arc, offset)) / count
    share = np.zeros(len(parts))
    for i, part in enumerate(parts):
        at = ((part.arc_mm - low) / (3 * BIN_MM)).astype(int)
        inside = (at >= 0) & (at < len(middle))
        behind = chain.behind_mm(part.arc_mm[inside], part.offset_mm[inside]) > middle[at[inside]]
        share[i] = behind.sum() / len(part.arc_mm)
    return share


def has_arch(labels: Volume, chain: Chain, middle, bottom, volume) -> np.ndarray:
    """Return whether posterior elements lie behind the lower half of each piece, where arch and processes begin.

    Those of the vertebra above reach down to the upper half.
    """
    low = float(middle.min())
    filled = _bins(labels, POSTERIOR_ELEMENTS, chain, low, float(bottom.max()) + 2 * BELOW_MM)
    ends = bottom + BELOW_MM
    density = np.array(
        [_window(filled, a, b, low).mean() for a, b in zip(middle, ends, strict=True)]
    )
    return density >= LEAST_ARCH_SHARE * np.median(density[is_large(volume)])


def cord_end(labels: Volume, chain: Chain) -> tuple[float, float, float] | None:
    """Return arc positions (mm) of the cord's lower end and of the canal's upper and lower ends, or None.

    The cord's end is minus infinity where there is a canal but no cord.
    """
    found = {}
    for label in (CORD, CANAL):
        voxels = np.argwhere(labels.data == label)
        if len(voxels) * voxel_volume_mm3(labels.affine) >= 200.0:
            arc, _ = chain.locate(labels.grid.to_world(voxels[:: max(1, len(voxels) // SAMPLES)]))
            found[label] = np.quantile(arc, (0.01, 0.99))
    if CANAL not in found:
        return None
    low = min(ends[0] for ends in found.values())
    high = max(ends[1] for ends in found.values())
    return float(found[CORD][1]) if CORD in found else -np.inf, float(low), float(high)
