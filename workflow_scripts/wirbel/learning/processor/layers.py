"""Torch's layers in OpenVINO's operations, for the layers of the networks that Wirbel runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino.opset15 as ops
import torch
import torch.nn.functional as F
from openvino import Output
from torch import nn

BATCH_AND_CHANNELS = 2
"""Axes before the spatial ones."""


class Untranslatable(Exception):
    """A network has a layer, or a layer has a setting, that is not translated; the text names it."""


@dataclass(frozen=True)
class Value:
    """An array in the network to come: an output of an OpenVINO operation, and its shape."""

    output: Output

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis: batch, channels, then space."""
        return tuple(self.output.get_shape())


def value(node: Any) -> Value:
    """Return the first output of an operation."""
    return Value(node.output(0))


def constant(tensor: torch.Tensor | Sequence[float]) -> Any:
    """Return weights or numbers as a constant in single precision."""
    given = tensor.detach().cpu().float().numpy() if isinstance(tensor, torch.Tensor) else tensor
    return ops.constant(np.array(given, np.float32, order="C"))


def _along_channels(weights: torch.Tensor, axes: int) -> Any:
    """Return one number per channel in the shape (1, C, 1, ...), of so many axes."""
    return constant(weights.reshape(1, -1, *[1] * (axes - BATCH_AND_CHANNELS)))


def _require(holds: bool, layer: nn.Module) -> None:
    if not holds:
        raise Untranslatable(str(layer))


def _biased(x: Value, layer: Any) -> Value:
    if layer.bias is None:
        return x
    return value(ops.add(x.output, _along_channels(layer.bias, len(x.shape))))


def convolution(layer: Any, x: Value) -> Value:
    """Translate a convolution."""
    _require(layer.groups == 1 and layer.padding_mode == "zeros", layer)
    _require(not isinstance(layer.padding, str), layer)
    weights, pads = constant(layer.weight), list(layer.padding)
    stride, dilation = list(layer.stride), list(layer.dilation)
    return _biased(value(ops.convolution(x.output, weights, stride, pads, pads, dilation)), layer)


def transposed_convolution(layer: Any, x: Value) -> Value:
    """Translate a transposed convolution."""
    _require(layer.groups == 1 and layer.padding_mode == "zeros", layer)
    pads = list(layer.padding)
    node = ops.convolution_backprop_data(
        x.output,
        constant(layer.weight),
        list(layer.stride),
        pads_begin=pads,
        pads_end=pads,
        dilations=list(layer.dilation),
        output_padding=list(layer.output_padding),
    )
    return _biased(value(node), layer)


def instance_norm(layer: Any, x: Value) -> Value:
    """Translate an instance normalisation: mean and variance of each channel over space."""
    _require(not layer.track_running_stats, layer)
    return _normalised(layer, x, groups=x.shape[1])


def group_norm(layer: Any, x: Value) -> Value:
    """Translate a group normalisation: mean and variance of so many channels together, over space."""
    return _normalised(layer, x, layer.num_groups)


def _normalised(layer: Any, x: Value, groups: int) -> Value:
    """Subtract the mean and divide by the standard deviation, each over space and a group of channels.

    OpenVINO's own operations add up a channel's voxels one after another in single precision, which makes scores 40
    times less exact than torch's; means of means do not.
    """
    centred = ops.subtract(x.output, _mean(x.output, x.shape, groups))
    variance = _mean(ops.multiply(centred, centred).output(0), x.shape, groups)
    scale = ops.divide(constant([1.0]), ops.sqrt(ops.add(variance, constant([layer.eps]))))
    if not layer.affine:
        return value(ops.multiply(centred, scale))
    scale = ops.multiply(scale, _along_channels(layer.weight, len(x.shape)))
    shift = _along_channels(layer.bias, len(x.shape))
    return value(ops.add(ops.multiply(centred, scale), shift))


def _mean(output: Any, shape: tuple[int, ...], groups: int) -> Any:
    """Return the mean over space and a group of channels, one number per channel in the shape (1, C, 1, ...)."""
    channels, space = shape[1], range(BATCH_AND_CHANNELS, len(shape))
    first, *others = space
    # A sum, then a mean: two means in a row would be put together, and added up one voxel after another again.
    output = ops.reduce_sum(output, ops.constant(np.array(others)), keep_dims=True)
    output = ops.multiply(output, constant([1 / math.prod(shape[axis] for axis in others)]))
    output = ops.reduce_mean(output, ops.constant(np.array([first])), keep_dims=True)
    if groups == channels:
        return output
    parted = ops.reshape(output, ops.constant(np.array([groups, channels // groups])), False)
    joined = ops.reduce_mean(parted, ops.constant(np.array([1])), keep_dims=True)
    spread = ops.tile(joined, ops.constant(np.array([1, channels // groups])))
    return ops.reshape(spread, ops.constant(np.array([1, channels, *[1] * len(space)])), False)


def leaky_relu(layer: Any, x: Value) -> Value:
    """Translate a leaky rectifier."""
    return value(ops.prelu(x.output, constant([layer.negative_slope])))


def average_pool(x: Value, kernel: Any, stride: Any = None) -> Value:
    """Translate a mean over blocks of voxels, without padding."""
    axes = len(x.shape) - BATCH_AND_CHANNELS
    size = [kernel] * axes if isinstance(kernel, int) else list(kernel)
    step = size if stride is None else [stride] * axes if isinstance(stride, int) else list(stride)
    none = [0] * axes
    return value(ops.avg_pool(x.output, step, none, none, size, exclude_pad=True))


def average_pool_layer(layer: Any, x: Value) -> Value:
    """Translate a layer of `average_pool`."""
    padding = layer.padding if isinstance(layer.padding, tuple) else (layer.padding,)
    _require(not any(padding) and not layer.ceil_mode and layer.divisor_override is None, layer)
    return average_pool(x, layer.kernel_size, layer.stride)


def interpolate(x: Value, size: Sequence[int], *, mode: str, **others: Any) -> Value:
    """Translate a linear enlargement that keeps outer faces (torch's without `align_corners`)."""
    if mode != "trilinear" or any(others.values()):
        raise Untranslatable(f"interpolate with {mode} and {others}")
    axes = list(range(BATCH_AND_CHANNELS, len(x.shape)))
    shape = ops.constant(np.array(size, np.int64))
    node = ops.interpolate(
        x.output,
        shape,
        mode="linear_onnx",
        shape_calculation_mode="sizes",
        coordinate_transformation_mode="half_pixel",
        axes=axes,
    )
    return value(node)


def concatenate(parts: Sequence[Value], dim: int) -> Value:
    """Translate `torch.cat`."""
    return value(ops.concat([part.output for part in parts], dim))


def _operand(given: Any) -> Any:
    return given.output if isinstance(given, Value) else constant([given])


def add(first: Any, second: Any) -> Value:
    """Translate a sum of arrays or numbers."""
    return value(ops.add(_operand(first), _operand(second)))


def multiply(first: Any, second: Any) -> Value:
    """Translate a product of arrays or numbers."""
    return value(ops.multiply(_operand(first), _operand(second)))


LAYERS: dict[type, Callable[[Any, Value], Value]] = {
    nn.Conv3d: convolution,
    nn.ConvTranspose3d: transposed_convolution,
    nn.InstanceNorm3d: instance_norm,
    nn.GroupNorm: group_norm,
    nn.LeakyReLU: leaky_relu,
    nn.ReLU: lambda layer, x: value(ops.relu(x.output)),
    nn.AvgPool3d: average_pool_layer,
    nn.Identity: lambda layer, x: x,
}
"""Torch layer -> what it becomes."""
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    F.avg_pool3d: average_pool,
    F.interpolate: interpolate,
    torch.cat: concatenate,
}
"""Torch function -> what it becomes."""
