"""The loss for labels that cover several structures: the probabilities of those structures are added up.

A union label says that a voxel is one of several structures, so the loss sees only their summed probability and
prefers none of them (the marginal loss of Shi et al., Med Image Anal 2021;70:101979, doi:10.1016/j.media.2021.101979,
with nnU-Net's sum of cross-entropy and Dice). A voxel that may be anything has no part in the loss.
"""

from __future__ import annotations

import torch
from torch import nn

SMOOTH = 1e-5
"""Keeps the Dice of absent structures finite; nnU-Net's value."""


class MarginalLoss(nn.Module):
    """nnU-Net's loss for completely labelled samples, the marginal one for all others.

    Parameters
    ----------
    table : Tensor of bool, shape (numbers, classes)
        Which classes a number in the target allows (`Targets.table`).
    complete : Module
        The loss of samples whose targets are classes only.
    """

    table: torch.Tensor

    def __init__(self, table: torch.Tensor, complete: nn.Module) -> None:
        super().__init__()
        self.register_buffer("table", table)
        self.complete = complete

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of scores (b, classes, x, y, z) for numbers (b, 1, x, y, z)."""
        if int(target.max()) < output.shape[1]:
            return self.complete(output, target)
        numbers = target[:, 0].long()
        entropy = marginal_cross_entropy(output, numbers, self.table)
        return entropy - marginal_dice(output.softmax(1), numbers, self.table)


def marginal_cross_entropy(
    scores: torch.Tensor, numbers: torch.Tensor, table: torch.Tensor
) -> torch.Tensor:
    """Return the mean of -log(summed probability of the allowed classes) over all voxels of which something is known.

    Parameters
    ----------
    scores : Tensor, shape (b, classes, ...)
        Logits.
    numbers : Tensor of int64, shape (b, ...)
        Rows of `table`.
    table : Tensor of bool, shape (numbers, classes)
        Allowed classes.

    Returns
    -------
    Tensor
        A scalar; 0 if nothing is known of any voxel.
    """
    known = ~table.all(1)[numbers]
    if not known.any():
        return scores.sum() * 0
    allowed = table[numbers].movedim(-1, 1)
    chosen = scores.masked_fill(~allowed, -torch.inf).logsumexp(1)
    return (scores.logsumexp(1) - chosen)[known].mean()


def marginal_dice(
    probabilities: torch.Tensor, numbers: torch.Tensor, table: torch.Tensor
) -> torch.Tensor:
    """Return the mean soft Dice of the structures and unions that a batch has labels of.

    Each is compared where it is certain whether a voxel belongs to it: a voxel labelled "any part of a vertebra" tells
    nothing about its spinous process. Sets with background are left out.

    Parameters
    ----------
    probabilities : Tensor, shape (b, classes, ...)
        Softmax of the scores.
    numbers, table : Tensor
        See `marginal_cross_entropy`.
    """
    found = [number for number in numbers.unique().tolist() if not table[number, 0]]
    values = []
    for number in found:
        members = table[number]
        inside = ~(table & ~members).any(1)
        outside = ~(table & members).any(1)
        known = (inside | outside)[numbers].to(probabilities.dtype)
        truth = inside[numbers].to(probabilities.dtype)
        summed = probabilities[:, members].sum(1)
        axes = tuple(range(1, numbers.ndim))
        common = (summed * truth).sum(axes)
        total = (summed * known).sum(axes) + truth.sum(axes)
        values.append((2 * common + SMOOTH) / (total + SMOOTH))
    return torch.stack(values).mean() if values else probabilities.sum() * 0


def resolved(predicted: torch.Tensor, numbers: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Return one class per voxel: the predicted one where the target allows it, else the first allowed one.

    For Dice during a training: a union label counts as whichever of its structures was predicted.
    """
    first = table.int().argmax(1)
    allowed = table[numbers, predicted]
    return torch.where(allowed, predicted, first[numbers])
