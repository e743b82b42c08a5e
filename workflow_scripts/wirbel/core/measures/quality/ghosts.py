"""Ghosts: faint copies of the image, shifted along one axis of the slices; motion between lines of k-space makes them.

Marrow is nearly even, so a copy of edges that lie elsewhere stands out in it, whether or not the air around the body
was blanked. How strong the copy at each shift is follows from a regression of the marrow's residual on the edges,
shifted.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.measures.quality.tissue import ACROSS, FEWEST_VOXELS, Tissue
from wirbel.core.measures.signal.marrow import MAD_TO_SD

EDGE_MM = 4.0
"""What changes over less than this is an edge, what changes over more is the coil's or the marrow's."""
NEAREST_MM = 8.0
"""Copies nearer than this cannot be told from the edge itself and its ringing."""
OUTLIER = 3.0
"""Voxels so many spreads away are veins or haemangiomas."""
OVERLAP = 0.3
"""Of the best overlap of edges and marrow a shift needs so much: others are told by too few edges."""


def ghost_percent(tissue: Tissue) -> tuple[float, float] | None:
    """Return the strength of ghosts along both axes of the slices; None where too little marrow shows.

    Strength is the root of the sum, over all shifts of 8 mm and more, of the squared ratio of copy to image, less what
    noise alone adds, in percent.
    """
    if tissue.marrow.sum() < FEWEST_VOXELS:
        return None
    width = [EDGE_MM / tissue.spacing_mm[0], EDGE_MM / tissue.spacing_mm[1], 0.0]
    edges = tissue.data - ndimage.gaussian_filter(tissue.data, width)
    edges[ndimage.binary_dilation(tissue.marrow, ACROSS)] = 0.0
    rest, marrow = _residual(tissue, width)
    if not marrow.any() or not edges.any():
        return None
    along = [_strength(rest, marrow, edges, axis, tissue.spacing_mm[axis]) for axis in (0, 1)]
    return 100 * along[0], 100 * along[1]


def _residual(tissue: Tissue, width: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the marrow's signal less its own mean nearby, 0 elsewhere, and the voxels without outliers."""
    weight = ndimage.gaussian_filter(tissue.marrow.astype(float), width)
    total = ndimage.gaussian_filter(np.where(tissue.marrow, tissue.data, 0.0), width)
    rest = np.where(tissue.marrow, tissue.data - total / np.maximum(weight, 1e-6), 0.0)
    off = np.abs(rest - np.median(rest[tissue.marrow]))
    marrow = tissue.marrow & (off <= OUTLIER * MAD_TO_SD * np.median(off[tissue.marrow]))
    return np.where(marrow, rest, 0.0), marrow


def _strength(
    rest: np.ndarray, marrow: np.ndarray, edges: np.ndarray, axis: int, spacing_mm: float
) -> float:
    """Return the strength of all copies along an axis, as a part of the image."""
    length = 2 * rest.shape[axis]  # padded, so that nothing wraps around
    others = tuple(a for a in range(3) if a != axis)

    def correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        one, two = (np.fft.rfft(a, length, axis=axis) for a in (first, second))
        return np.fft.irfft((one * two.conj()).sum(others), length)

    both = correlation(rest, edges)
    energy = correlation(marrow.astype(float), edges**2)
    shift_mm = np.abs(np.fft.fftfreq(length, 1 / length)) * spacing_mm
    kept = (shift_mm >= NEAREST_MM) & (energy > OVERLAP * energy.max())
    noise = np.mean(rest[marrow] ** 2)
    copies = (both[kept] / energy[kept]) ** 2 - noise / energy[kept]
    return float(np.sqrt(max(copies.sum(), 0.0)))
