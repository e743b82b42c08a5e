"""The instance network: a small anisotropic 3D U-Net on one-hot label cut-outs.

Input: (batch, channels, P, I, R), one-hot subregions around one vertebral body. Output: four logits
per voxel, for 0 background, 1 the vertebra above, 2 the central one, 3 the one below.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from wirbel.learning.instance.published_network import FACTOR
from wirbel.learning.stored_settings import StoredSettings

OUTPUTS = 4


@dataclass(frozen=True)
class InstanceNetwork(StoredSettings):
    """Settings of the network; `cutout_size` and `spacing_mm` along (P, I, R)."""

    channels: int = 14
    features: tuple[int, ...] = (12, 24, 48, 96, 128)
    reduction: tuple[int, int, int] = (2, 2, 1)
    """Voxels averaged into one before the first layer; the logits are enlarged by the same factors at
    the end. Which vertebra a voxel belongs to is a question of centimetres; the semantic phase
    gives the outlines.
    """
    in_plane_stages: int = 1
    """Number of first stages with 3 x 3 x 1 kernels, because slices are thick."""
    thick_pooling_stages: tuple[int, ...] = (2, 3)
    """Stages entered by halving all three axes; the others halve only the two in-plane axes."""
    cutout_size: tuple[int, int, int] = (160, 160, 32)
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 3.0)
    slices_mm: tuple[float, float] | None = None
    """Limits within which a scan keeps its own slice spacing. None always resamples to `spacing_mm`."""
    published_width: int = 0
    """Features of the first stage of the published architecture (8 or 16), which SPINEPS runs as well; 0: this module's
    network, which takes a fraction of its time.
    """

    def kernel(self, stage: int) -> tuple[int, int, int]:
        """Return the kernel size of a stage."""
        return (3, 3, 1) if stage < self.in_plane_stages else (3, 3, 3)

    def stride(self, stage: int) -> tuple[int, int, int]:
        """Return the stride between `stage - 1` and `stage`."""
        return (2, 2, 2) if stage in self.thick_pooling_stages else (2, 2, 1)

    def strides(self) -> list[tuple[int, int, int]]:
        """Return by which factors edges shrink on the way to the coarsest feature map."""
        if self.published_width:
            return [(FACTOR, FACTOR, FACTOR)]
        return [self.reduction, *(self.stride(s) for s in range(1, len(self.features)))]


class UNet(nn.Module):
    """Encoder with strided convolutions, decoder with transposed ones, and skip connections."""

    def __init__(self, settings: InstanceNetwork) -> None:
        super().__init__()
        features = settings.features
        stages = range(1, len(features))
        self.reduction = settings.reduction
        self.stem = _double(settings.channels, features[0], settings.kernel(0))
        self.down = nn.ModuleList(
            _double(features[s - 1], features[s], settings.kernel(s), settings.stride(s))
            for s in stages
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(features[s], features[s - 1], settings.stride(s), settings.stride(s))
            for s in stages
        )
        self.merge = nn.ModuleList(
            _single(2 * features[s - 1], features[s - 1], settings.kernel(s - 1)) for s in stages
        )
        self.head = nn.Conv3d(features[0], OUTPUTS, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, P, I, R) to logits (B, 4, P, I, R)."""
        kept = [self.stem(F.avg_pool3d(one_hot, self.reduction))]
        for block in self.down:
            kept.append(block(kept[-1]))
        x = kept.pop()
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            x = merge(torch.cat([up(x), kept.pop()], 1))
        return F.interpolate(self.head(x), one_hot.shape[2:], mode="trilinear")


def _single(inputs: int, outputs: int, kernel, stride=1) -> nn.Sequential:
    padding = tuple(k // 2 for k in kernel)
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.InstanceNorm3d(outputs, affine=True),
        nn.LeakyReLU(0.01, inplace=True),
    )


def _double(inputs: int, outputs: int, kernel, stride=1) -> nn.Sequential:
    return nn.Sequential(
        _single(inputs, outputs, kernel, stride), _single(outputs, outputs, kernel)
    )


def one_hot(labels: torch.Tensor, mapping: dict[int, int], channels: int) -> torch.Tensor:
    """Return one-hot subregions.

    Parameters
    ----------
    labels : Tensor, shape (B, P, I, R)
        Subregion labels.
    mapping : dict of int to int
        Label -> channel. Labels that are missing, or whose channel the network lacks, go to channel
        0.
    channels : int
        Number of channels.

    Returns
    -------
    Tensor of float32, shape (B, channels, P, I, R)
    """
    table = torch.zeros(256, dtype=torch.long)
    for label, channel in mapping.items():
        table[label] = channel if channel < channels else 0
    index = table[labels.long()]
    out = torch.zeros(len(labels), channels, *labels.shape[1:])
    return out.scatter_(1, index[:, None], 1.0)
