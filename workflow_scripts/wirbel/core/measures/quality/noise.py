"""Noise as neighbouring voxels of marrow show it, over the marrow's signal.

Air tells no noise here: scanners blank it, filter it, or put uneven noise into it (parallel imaging).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import tight_box
from wirbel.core.measures.quality.tissue import ACROSS, FEWEST_VOXELS, Tissue
from wirbel.core.measures.signal.marrow import KERNEL_GAIN, MAD_TO_SD, NOISE_KERNEL


def signal_to_noise(tissue: Tissue) -> float | None:
    """Return the median signal of marrow over the spread of its noise; None where too little shows, or all is zero.

    The spread is 1.4826 times the median absolute second difference along both axes of the slices, over 6 (Immerkaer,
    Comput Vis Image Underst 1996;64:300-302; the median in place of the mean, as Coupe et al., Med Image Anal
    2010;14:483-493). Noise that a file's interpolation has smoothed is missed in part.
    """
    box = tight_box(tissue.marrow)
    if box is None:
        return None
    rough, marrow = tissue.data[box], tissue.marrow[box]
    whole = ndimage.binary_erosion(marrow, ACROSS)
    if whole.sum() < FEWEST_VOXELS:
        return None
    for axis in (0, 1):
        rough = ndimage.convolve1d(rough, NOISE_KERNEL, axis)
    noise = MAD_TO_SD * float(np.median(np.abs(rough[whole]))) / KERNEL_GAIN
    signal = float(np.median(tissue.data[box][marrow]))
    return signal / noise if noise > 0 and signal > 0 else None
