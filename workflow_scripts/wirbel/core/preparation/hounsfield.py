"""A scale of computed tomography in which soft tissue and bone differ alike.

Fluid, cord, disc and muscle lie within 100 Hounsfield units (HU), bone and air within 2,500. The inverse hyperbolic
sine is linear around soft tissue and logarithmic far from it, and it has an exact inverse.
"""

from __future__ import annotations

import numpy as np

MIDDLE_HU = 40.0
"""Of muscle and blood without contrast agent."""
WIDTH_HU = 100.0
"""Around the middle, differences up to about this size keep their proportions."""
LOWEST_HU, HIGHEST_HU = -1024.0, 3071.0
"""What twelve bits hold; scanners mark what they have not seen with less."""


def compressed(hounsfield: np.ndarray) -> np.ndarray:
    """Return Hounsfield units on the compressed scale (float32, about -3 to 4.1).

    Examples
    --------
    >>> [round(float(value), 2) for value in compressed(np.array([-1000.0, 10.0, 40.0, 1000.0]))]
    [-3.04, -0.3, 0.0, 2.96]
    """
    limited = np.clip(hounsfield.astype(np.float32, copy=False), LOWEST_HU, HIGHEST_HU)
    return np.arcsinh((limited - np.float32(MIDDLE_HU)) / np.float32(WIDTH_HU))


def expanded(values: np.ndarray) -> np.ndarray:
    """Return values of the compressed scale in Hounsfield units (float32); undoes `compressed`."""
    hounsfield = np.sinh(values.astype(np.float32, copy=False)) * np.float32(WIDTH_HU)
    return np.clip(hounsfield + np.float32(MIDDLE_HU), LOWEST_HU, HIGHEST_HU)
