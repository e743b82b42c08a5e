"""The learning rate as a function of the used fraction of the budget."""

from __future__ import annotations


def learning_rate_factor(share: float, warm_up: float) -> float:
    """Return the factor of the learning rate: linear warm-up, then nnU-Net's polynomial decay (power
    0.9) to a thousandth.

    Examples
    --------
    >>> learning_rate_factor(1.0, warm_up=0.1)
    0.001
    """
    if share < warm_up:
        return (share + 1e-3) / (warm_up + 1e-3)
    return max(1e-3, (1 - (share - warm_up) / (1 - warm_up)) ** 0.9)
