"""nnU-Net's networks, computed in the same order with less memory.

Their own `forward` keeps every skip connection until the end, and the input of every block until the block's last
layer. Here each array is given up as soon as its last reader has read it; results are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from dynamic_network_architectures.building_blocks.residual import StackedResidualBlocks
from dynamic_network_architectures.building_blocks.simple_conv_blocks import (
    ConvDropoutNormReLU,
    StackedConvBlocks,
)
from torch import nn


class _Frugal:
    """A `forward` for networks of an encoder and a decoder without deep supervision."""

    encoder: Any
    decoder: Any

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, 1, x, y, z) to scores (B, classes, x, y, z)."""
        skips = []
        for layer, ends_stage in _encoder_layers(self.encoder):
            x = layer(x)
            if ends_stage:
                skips.append(x)
        x = skips.pop()
        decoder = self.decoder
        for up, stage in zip(decoder.transpconvs, decoder.stages, strict=True):
            x = up(x)
            x = torch.cat((x, skips.pop()), 1)
            for layer in _layers(stage):
                x = layer(x)
        return decoder.seg_layers[-1](x)


class FrugalPlainConvUNet(_Frugal, PlainConvUNet):
    """`PlainConvUNet` with less memory."""


class FrugalResidualEncoderUNet(_Frugal, ResidualEncoderUNet):
    """`ResidualEncoderUNet` with less memory."""


NETWORKS: dict[str, type[nn.Module]] = {
    PlainConvUNet.__name__: FrugalPlainConvUNet,
    ResidualEncoderUNet.__name__: FrugalResidualEncoderUNet,
}
"""Name in plans.json -> the network to build."""


def _encoder_layers(encoder: Any) -> Iterator[tuple[nn.Module, bool]]:
    """Yield the encoder's layers in their order, and whether a stage ends with them."""
    if getattr(encoder, "stem", None) is not None:
        yield from ((layer, False) for layer in _layers(encoder.stem))
    for stage in encoder.stages:
        *before, last = _layers(stage)
        yield from ((layer, False) for layer in before)
        yield last, True


def _layers(block: Any) -> Iterator[nn.Module]:
    """Yield what a block applies one after another; what is not known to be such a chain stays whole."""
    if type(block) is StackedConvBlocks:
        yield from _layers(block.convs)
    elif type(block) is ConvDropoutNormReLU:
        yield from _layers(block.all_modules)
    elif type(block) is StackedResidualBlocks:
        yield from _layers(block.blocks)
    elif type(block) is nn.Sequential:
        for part in block:
            yield from _layers(part)
    else:
        yield block
