"""nnU-Net's networks, computed in the same order with less memory.

Their own `forward` keeps every skip connection until the end, and the input of every block until the block's last
layer. Here each array is given up as soon as its last reader has read it. On a processor, a stage of the decoder begins
in slabs if its first layer looks at slices one by one. Results are the same to the last bit, of slabs to rounding.
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
            first, *others = _layers(stage)
            x = _joined(up, first, x, skips.pop())
            for layer in others:
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
VALUES_OF_SLAB = 1 << 22
"""Of a slab before the first layer of a decoder's stage: with more, copies of it make up a third of a tile's memory."""


def _joined(up: Any, first: Any, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
    """Enlarge an array, and return the first layer's answer to it beside the skip connection."""
    if not _slice_by_slice(up, first, x):
        return first(torch.cat((up(x), skip), 1))
    factor = up.stride[0]
    step = max(1, VALUES_OF_SLAB // (2 * skip[:, :, :factor].numel()))
    out: torch.Tensor | None = None
    for start in range(0, x.shape[2], step):
        place = slice(start * factor, (start + step) * factor)
        found = first(torch.cat((up(x[:, :, start : start + step]), skip[:, :, place]), 1))
        if out is None:
            out = found.new_empty((*found.shape[:2], skip.shape[2], *found.shape[3:]))
        out[:, :, place] = found
    assert out is not None  # x has slices
    return out


def _slice_by_slice(up: Any, first: Any, x: torch.Tensor) -> bool:
    """Return whether both layers may see slabs along the first spatial axis: no voxel needs a neighbour beyond."""
    if not isinstance(x, torch.Tensor) or torch.is_grad_enabled():  # traced, or trained
        return False
    layers = isinstance(up, nn.ConvTranspose3d) and isinstance(first, nn.Conv3d)
    return (
        layers
        and x.device.type == "cpu"
        and x.is_contiguous()
        and up.kernel_size[0] == up.stride[0]
        and first.kernel_size[0] == first.stride[0] == 1
        and up.padding[0] == up.output_padding[0] == first.padding[0] == 0
    )


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
