"""How well the networks agree about each structure: votes for a vertebra, margins of the segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from wirbel.core.agreement.margins import LABELS


@dataclass(frozen=True)
class Agreement:
    """What the networks agree about, by label of the vertebra map.

    Attributes
    ----------
    instance : mapping of int to float
        Vertebra -> mean Dice between the predictions that show it; missing where one only does.
    votes : mapping of int to int
        Vertebra -> number of these predictions.
    margin : mapping of int to float
        Vertebra, disc or endplate -> mean margin of its voxels.
    body_margin : mapping of int to float
        Vertebra -> mean margin of its body's voxels.
    """

    instance: Mapping[int, float] = field(default_factory=dict)
    votes: Mapping[int, int] = field(default_factory=dict)
    margin: Mapping[int, float] = field(default_factory=dict)
    body_margin: Mapping[int, float] = field(default_factory=dict)

    def renamed(self, names: Mapping[int, int]) -> Agreement:
        """Return the same by new labels; those without one (0) are left out."""

        def moved(values: Mapping) -> dict:
            found = {names.get(label, 0): value for label, value in values.items()}
            return {label: value for label, value in found.items() if label}

        return Agreement(*map(moved, vars(self).values()))


def followed(before: np.ndarray, after: np.ndarray) -> dict[int, int]:
    """Return label -> label that most of its voxels have in another map of the same shape; 0 is none.

    Examples
    --------
    >>> followed(np.array([3, 3, 3, 4], np.uint8), np.array([20, 20, 0, 0], np.uint8))
    {3: 20, 4: 0}
    """
    pairs = before.astype(np.intp).ravel() * LABELS + after.ravel()
    counts = np.bincount(pairs, minlength=LABELS**2).reshape(LABELS, LABELS)
    return {int(n): int(counts[n].argmax()) for n in np.flatnonzero(counts.any(axis=1)) if n}
