"""The learning rate over the share of the budget that is used up."""

from __future__ import annotations


def learning_rate_factor(share: float, warm_up: float) -> float:
    """Return a linear warm-up, then nnU-Net's polynomial decay (power 0.9) to a thousandth."""
    if share < warm_up:
        return (share + 1e-3) / (warm_up + 1e-3)
    return max(1e-3, (1 - (share - warm_up) / (1 - warm_up)) ** 0.9)
