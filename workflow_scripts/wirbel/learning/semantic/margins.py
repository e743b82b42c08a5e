"""The class of every voxel, and how clearly the network decided for it."""

from __future__ import annotations

import numpy as np
import torch

from wirbel.core.agreement.margins import STEPS
from wirbel.learning.precision import strongest

SLICES = 64
"""Of an image, whose classes are found at a time."""


def classes_and_margins(scores: torch.Tensor, folds: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each voxel's class and margin.

    The margin is the largest class probability (softmax of the mean scores) less the second largest one, computed
    where a structure was found: a few per cent of the voxels, where all scores are at hand.

    Parameters
    ----------
    scores : Tensor, shape (heads, x, y, z)
        Class scores summed over folds; class 0 is background.
    folds : int
        How many folds they are a sum of.

    Returns
    -------
    classes, margins : Tensors of uint8, shape (x, y, z)
        A margin m is stored as 1 + m * `STEPS`, rounded; 0 stands for background.

    Examples
    --------
    >>> classes, margins = classes_and_margins(torch.tensor([0.0, 30.0]).reshape(2, 1, 1, 1), 1)
    >>> classes.item(), margins.item()
    (1, 255)
    """
    along = int(np.argmax(scores.shape[1:]))
    parts = scores.split(SLICES, 1 + along)  # torch numbers classes by eight bytes
    classes = torch.cat([strongest(part, 0) for part in parts], along)
    margins = torch.zeros_like(classes)
    found = classes > 0
    if found.any():
        first, second = (scores[:, found].float() / folds).softmax(0).topk(2, dim=0).values
        margins[found] = (1 + (first - second) * STEPS).round().to(torch.uint8)
    return classes, margins
