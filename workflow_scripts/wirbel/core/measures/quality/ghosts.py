"""Ghosts: faint copies of the image, shifted along one axis of the slices; motion between lines of k-space makes them.

Marrow is nearly even, so a copy of edges that lie elsewhere stands out in it, whether or not the air around the body
was blanked. How strong the copy at each shift is follows from a regression of the marrow's residual on the edges,
shifted.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from wirbel.core.boxes import tight_box
from wirbel.core.geometry import grow_box
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
TRUNCATE = 4.0
"""A mean nearby ends after so many standard deviations, as SciPy's Gaussian does by default."""


def ghost_percent(tissue: Tissue) -> tuple[float, float] | None:
    """Return the strength of ghosts along both axes of the slices; None where too little marrow shows.

    Strength is the root of the sum, over all shifts of 8 mm and more, of the squared ratio of copy to image, less what
    noise alone adds, in percent.
    """
    if tissue.marrow.sum() < FEWEST_VOXELS:
        return None
    shown = tissue.marrow.any((0, 1))  # a slice without marrow tells nothing
    data, marrow = tissue.data[..., shown], tissue.marrow[..., shown]
    width = [EDGE_MM / tissue.spacing_mm[0], EDGE_MM / tissue.spacing_mm[1], 0.0]
    edges = data - ndimage.gaussian_filter(data, width)
    edges[ndimage.binary_dilation(marrow, ACROSS)] = 0.0
    rest, marrow = _residual(data, marrow, width)
    if not marrow.any() or not edges.any():
        return None
    along = [_strength(rest, marrow, edges, axis, tissue.spacing_mm[axis]) for axis in (0, 1)]
    return 100 * along[0], 100 * along[1]


def _residual(
    data: np.ndarray, marrow: np.ndarray, width: list[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the marrow's signal less its own mean nearby, 0 elsewhere, and the voxels without outliers."""
    tight = tight_box(marrow)
    assert tight is not None  # there is marrow
    box = grow_box(tight, tuple(int(np.ceil(TRUNCATE * sigma)) + 1 for sigma in width), data.shape)
    inner, signal = marrow[box], data[box]
    weight = ndimage.gaussian_filter(inner.astype(float), width, truncate=TRUNCATE)
    total = ndimage.gaussian_filter(np.where(inner, signal, 0.0), width, truncate=TRUNCATE)
    own = np.where(inner, signal - total / np.maximum(weight, 1e-6), 0.0)
    off = np.abs(own - np.median(own[inner]))
    usual = inner & (off <= OUTLIER * MAD_TO_SD * np.median(off[inner]))
    rest, kept = np.zeros_like(data), np.zeros_like(marrow)
    rest[box], kept[box] = np.where(usual, own, 0.0), usual
    return rest, kept


def _strength(
    rest: np.ndarray, marrow: np.ndarray, edges: np.ndarray, axis: int, spacing_mm: float
) -> float:
    """Return the strength of all copies along an axis, as a part of the image."""
    length = fft.next_fast_len(2 * rest.shape[axis], real=True)  # padded: nothing wraps around
    lines = marrow.any(axis)
    along = [np.moveaxis(array, axis, -1)[lines] for array in (rest, marrow.astype(float), edges)]

    def correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        one, two = (fft.rfft(array, length) for array in (first, second))
        return fft.irfft((one * two.conj()).sum(0), length)

    both = correlation(along[0], along[2])
    energy = correlation(along[1], along[2] ** 2)
    shift_mm = np.abs(np.fft.fftfreq(length, 1 / length)) * spacing_mm
    kept = (shift_mm >= NEAREST_MM) & (energy > OVERLAP * energy.max())
    noise = np.mean(rest[marrow] ** 2)
    copies = (both[kept] / energy[kept]) ** 2 - noise / energy[kept]
    return float(np.sqrt(max(copies.sum(), 0.0)))
