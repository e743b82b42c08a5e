"""Choose the device and the number format to compute with.

On processors with bfloat16 instructions, bfloat16 autocast with the channels-last memory format
makes 3D convolutions about eight times faster than float32; either one alone gains nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

CHANNELS_LAST = torch.channels_last_3d
SMALLEST_EDGE = 3
"""Voxels of a feature map, in plane, with which bfloat16 gradients hold on a CPU."""


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; "auto" uses the GPU if there is one.

    On a GPU, cuDNN is limited to deterministic algorithms, so that a scan always gives the same
    bytes.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    return device


def processor_has_bfloat16() -> bool:
    """Return True if this processor multiplies bfloat16 numbers in hardware."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def quick_arithmetic(
    device: torch.device, single_precision: bool = False
) -> AbstractContextManager:
    """Return the context to run a network in: mixed precision if the device supports it, unless
    `single_precision` is asked for.
    """
    if single_precision:
        return nullcontext()
    if device.type == "cuda":
        return torch.autocast("cuda")
    if device.type == "cpu" and processor_has_bfloat16():
        # The cache of converted weights is off because threads would share it.
        return torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False)
    return nullcontext()


def gradients_fail_in_bfloat16(
    device: torch.device, size: Sequence[int], strides: Iterable[Sequence[int]]
) -> bool:
    """Return True on a CPU if a network's coarsest feature maps are too small to train it in bfloat16.

    With torch 2.13, gradients of the weights of 3 x 3 x 3 convolutions came out as large as 1e36, and different each
    time, on maps of 2 x 2 x 1, 2 x 3 x 1 and 2 x 2 x 2 voxels; on all larger ones they were right. Such networks
    are trained in single precision.

    Parameters
    ----------
    device : torch.device
        Where it is trained.
    size : sequence of three int
        Voxels of an input, along P, I, R.
    strides : iterable of sequences of three int
        With which the stages are entered.
    """
    coarsest = np.array(size) / np.prod(np.array(list(strides)), axis=0)
    return device.type == "cpu" and bool(min(coarsest[:2]) < SMALLEST_EDGE)


def memory_format(device: torch.device, single_precision: bool = False) -> torch.memory_format:
    """Return the memory format to compute in: channels last, which mixed precision is fast with.

    In single precision a CPU takes 1.2 to 1.4 times as long in that format; there it keeps torch's own.
    """
    mixed = not single_precision and processor_has_bfloat16()
    return CHANNELS_LAST if mixed or device.type != "cpu" else torch.contiguous_format


def strongest(scores: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the index of the largest score along an axis as uint8: the first one of equal scores.

    On a CPU, torch's `max` takes a third of the time of its `argmax`.
    """
    return scores.max(axis).indices.to(torch.uint8)


def gradient_scaler(device: torch.device) -> torch.amp.GradScaler:
    """Return the loss scaling that float16 gradients need on a GPU; it does nothing elsewhere."""
    return torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
