"""The translator: the semantic network with one output, the compressed attenuation of every voxel.

Input: (batch, 1, P, I, R), an MR image standardised as a whole. It regresses the mean tomogram that fits an image,
because a mean shows nothing that is not there, and is the same every time (docs/translate.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from wirbel.learning.checkpoints import Weights, read_weights
from wirbel.learning.semantic.frugal import NETWORKS
from wirbel.learning.semantic.nnunet_plans import network_settings
from wirbel.learning.semantic.semantic_plans import PatchNetwork, architecture
from wirbel.learning.semantic.semantic_weights import read_first_fold
from wirbel.models.folders.inference_config import read_inference_config
from wirbel.models.folders.weights import own_weights

LAST = "decoder.seg_layers."
"""Prefix of the layers that make the output."""

GRADIENT_SHARE = 1.0
"""Weight of the differences between neighbours beside that of the values."""


def build_translator(settings: PatchNetwork) -> nn.Module:
    """Return the untrained network; it maps (B, 1, P, I, R) to (B, 1, P, I, R)."""
    described = architecture(settings)
    kind = NETWORKS[described["network_class_name"].rpartition(".")[2]]
    arguments = network_settings(described["arch_kwargs"])
    network = kind(input_channels=1, num_classes=1, deep_supervision=False, **arguments)
    decoder: Any = network.decoder
    decoder.seg_layers = nn.ModuleList([decoder.seg_layers[-1]])  # the others would never be used
    return network


def start_weights(folder: Path, network: nn.Module) -> Weights:
    """Return weights to start from: a translator's, or a semantic network's with the last layer of `network`.

    Raises
    ------
    ModelError
        If the folder holds neither.
    """
    if read_inference_config(folder).modeltype == "translator":
        return read_weights(own_weights(folder, "translator"))[0]
    kept = {n: value for n, value in read_first_fold(folder).items() if not n.startswith(LAST)}
    return kept | {n: value for n, value in network.state_dict().items() if n.startswith(LAST)}


def standardised(image: np.ndarray) -> np.ndarray:
    """Return an image on the model grid with mean 0 and standard deviation 1 (float32)."""
    values = np.array(image, np.float32, order="C")  # the order of a sum decides its last digit
    return (values - values.mean()) / max(float(values.std()), 1e-6)


def translation_loss(
    found: torch.Tensor, wanted: torch.Tensor, known: torch.Tensor
) -> torch.Tensor:
    """Return the mean absolute difference of values, plus that of the steps between neighbouring voxels.

    The second part keeps borders sharp (gradient difference loss of Mathieu et al., ICLR 2016, arXiv 1511.05440, with
    exponent 1 and signs).

    Parameters
    ----------
    found, wanted : Tensor, shape (B, 1, P, I, R)
        Compressed attenuation.
    known : Tensor of bool, same shape
        Which voxels count; a step counts if both of its voxels do.

    Examples
    --------
    >>> flat = torch.zeros(1, 1, 2, 2, 2)
    >>> translation_loss(flat + 1, flat, torch.ones_like(flat, dtype=torch.bool)).item()
    1.0
    """
    error = found - wanted
    loss = _mean(error, known)
    for axis in (2, 3, 4):
        size = error.shape[axis] - 1
        both = known.narrow(axis, 0, size) & known.narrow(axis, 1, size)
        loss = loss + GRADIENT_SHARE / 3 * _mean(error.diff(dim=axis), both)
    return loss


def _mean(error: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    return (error.abs() * counted).sum() / counted.sum().clamp_min(1)
