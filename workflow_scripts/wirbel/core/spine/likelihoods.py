"""Log likelihoods that outliers cannot rule."""

from __future__ import annotations

import numpy as np

from wirbel.core.spine.weights import MOST_EVIDENCE, USUAL_KNEE


def robust(z: np.ndarray, low: float = 0.8, high: float | np.ndarray = USUAL_KNEE) -> np.ndarray:
    """Return a log likelihood that is Gaussian near zero and falls off linearly beyond, less so on the low side.

    Crushed, cut and darkened bodies are too small far more often than others are too large.
    """
    below, above = np.minimum(z, 0), np.maximum(z, 0)
    return -(_huber(-below, low) + _huber(above, high))


def log_ratio(value: float, one: float, other: float, spread: float) -> float:
    """Return the log likelihood ratio of two Gaussians, within `MOST_EVIDENCE`.

    Parameters
    ----------
    value : float
        What was seen.
    one, other : float
        Means of both Gaussians.
    spread : float
        Standard deviation of both.

    Returns
    -------
    float
        Above 0 where `one` is the likelier.
    """
    ratio = ((value - other) ** 2 - (value - one) ** 2) / (2 * spread**2)
    return float(np.clip(ratio, -MOST_EVIDENCE, MOST_EVIDENCE))


def _huber(z: np.ndarray, knee) -> np.ndarray:
    return np.where(z <= knee, 0.5 * z**2, knee * (z - 0.5 * knee))
