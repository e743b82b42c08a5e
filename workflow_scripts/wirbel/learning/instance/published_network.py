"""The instance network of the published weights: a 3D U-Net of residual blocks.

Input: (batch, channels, P, I, R), one-hot subregions around one vertebral body. Output: four logits
per voxel, for 0 background, 1 the vertebra above, 2 the central one, 3 the one below. Module names
are those of the published checkpoints. Moeller et al., Eur Radiol 2024, arXiv 2402.16368.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import nn

OUTPUTS = 4
GROUPS = 8
"""Groups of every group normalisation; no width is smaller."""
STAGES = 4
FACTOR = 2 ** (STAGES - 1)
"""The three strided convolutions halve a cut-out's edges this often; each edge must be a multiple."""
STEM_KERNEL = 7
HALVING = {"kernel_size": 4, "stride": 2, "padding": 1}


class ConvolutionBlock(nn.Module):
    """3 x 3 x 3 convolution, group normalisation, LeakyReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(GROUPS, outputs)
        self.act = nn.LeakyReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, ...) to (B, outputs, ...)."""
        return self.act(self.norm(self.proj(x)))


class ResidualBlock(nn.Module):
    """Two convolution blocks and a shortcut past them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block1 = ConvolutionBlock(inputs, outputs)
        self.block2 = ConvolutionBlock(outputs, outputs)
        self.res_conv = nn.Conv3d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, ...) to (B, outputs, ...)."""
        return self.block2(self.block1(x)) + self.res_conv(x)


class PublishedUNet(nn.Module):
    """Encoder and decoder of four stages; skip connections are averaged, and the stem joins at the
    end.

    Parameters
    ----------
    width : int
        Features of the first stage; each further stage doubles them.
    channels : int
        Channels of the one-hot input.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        features = [width, *(width * 2**stage for stage in range(STAGES))]
        pairs = list(zip(features[:-1], features[1:], strict=True))
        self.init_conv = nn.Conv3d(channels, width, STEM_KERNEL, padding=STEM_KERNEL // 2)
        self.downs = nn.ModuleList(
            _stage(a, b, nn.Conv3d, last=stage == STAGES - 1) for stage, (a, b) in enumerate(pairs)
        )
        self.mid_block1 = ResidualBlock(features[-1], features[-1])
        self.mid_block2 = ResidualBlock(features[-1], features[-1])
        self.ups = nn.ModuleList(
            _stage(b, a, nn.ConvTranspose3d, last=stage == STAGES - 1)
            for stage, (a, b) in enumerate(reversed(pairs))
        )
        self.final_res_block = ResidualBlock(2 * width, width)
        self.final_conv = nn.Conv3d(width, OUTPUTS, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, P, I, R) to logits (B, 4, P, I, R); edges must be multiples of `FACTOR`."""
        x = stem = self.init_conv(one_hot)
        skipped = []
        for first, second, halve in _layers(self.downs):
            x = second(first(x))
            skipped.append(x)
            x = halve(x)
        x = self.mid_block2(self.mid_block1(x))
        for first, second, double in _layers(self.ups):
            x = double(second(first(0.5 * (x + skipped.pop()))))
        return self.final_conv(self.final_res_block(torch.cat((x, stem), dim=1)))


def _layers(stages: nn.ModuleList) -> Iterable[Iterable[nn.Module]]:
    return cast(Iterable[Iterable[nn.Module]], stages)


def _stage(inputs: int, outputs: int, resize: type, last: bool) -> nn.ModuleList:
    return nn.ModuleList(
        [
            ResidualBlock(inputs, outputs),
            ResidualBlock(outputs, outputs),
            nn.Identity() if last else resize(outputs, outputs, **HALVING),
        ]
    )
