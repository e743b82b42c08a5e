"""Overlap of two masks, and which labels make up a structure."""

from __future__ import annotations

import numpy as np

from wirbel.core.evaluation.metrics.empty_masks import EMPTY
from wirbel.core.labels import BODY_LABELS, SUBREGION_NAMES

STRUCTURES: dict[str, tuple[int, ...]] = {
    **{SUBREGION_NAMES[label]: (label,) for label in SUBREGION_NAMES if label not in BODY_LABELS},
    "vertebral_body": BODY_LABELS,
}
"""Structure -> its labels in the subregion map; both labels of the body are one structure."""


def dice(reference: np.ndarray, prediction: np.ndarray) -> float | None:
    """Return the Dice coefficient of two masks, 2 |A and B| / (|A| + |B|) (Dice, Ecology 1945;26:297).

    Parameters
    ----------
    reference, prediction : ndarray of bool
        Masks of one shape.

    Returns
    -------
    float or None
        None if both masks are empty.

    Examples
    --------
    >>> dice(np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0]))
    0.5
    """
    check_shapes(reference, prediction)
    sizes = int(np.count_nonzero(reference)), int(np.count_nonzero(prediction))
    if 0 in sizes:
        return EMPTY["dice"][sizes[0] == 0, sizes[1] == 0]
    common = np.count_nonzero(np.logical_and(reference, prediction))
    return 2.0 * int(common) / sum(sizes)


def joint_histogram(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return counts[a, b]: the number of voxels that are a in the reference and b in the prediction."""
    check_shapes(reference, prediction)
    rows, columns = int(reference.max(initial=0)) + 1, int(prediction.max(initial=0)) + 1
    index = reference.astype(np.int64).ravel() * columns + prediction.ravel()
    return np.bincount(index, minlength=rows * columns).reshape(rows, columns)


def check_shapes(reference: np.ndarray, prediction: np.ndarray) -> None:
    """Raise ValueError if two maps are not on one grid."""
    if reference.shape != prediction.shape:
        raise ValueError(f"cannot compare maps of shapes {reference.shape} and {prediction.shape}")
