"""Reading and writing network weights without running foreign code.

Pickled checkpoints are opened with `weights_only=True` and a short list of extra types that
nnU-Net's own checkpoints contain; safetensors files hold nothing but numbers and strings.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

ALLOWED_TYPES = [
    np.dtype,
    np.ndarray,
    np._core.multiarray.scalar,
    np._core.multiarray._reconstruct,
    *(type(np.dtype(name)) for name in ("float64", "float32", "int64", "int32", "bool")),
]
"""What nnU-Net's training log inside a checkpoint consists of, beyond torch's own safe types."""

Weights = dict[str, torch.Tensor]


class UnsafeCheckpointError(ValueError):
    """A checkpoint asks for a type that is not on the list."""


def read_pickled_checkpoint(path: Path) -> dict[str, Any]:
    """Open a .pth/.ckpt file on the CPU; raises UnsafeCheckpointError on any unlisted type."""
    try:
        with torch.serialization.safe_globals(ALLOWED_TYPES):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeCheckpointError(
            f"{path.name} was refused because it is not a plain checkpoint: {error}"
        ) from error


def write_pickled_checkpoint(path: Path, checkpoint: dict[str, Any]) -> None:
    """Write atomically, so that a killed training leaves the previous checkpoint intact."""
    temporary = path.with_name(path.name + ".tmp")
    torch.save(checkpoint, temporary)
    os.replace(temporary, path)


def read_weights(path: Path) -> tuple[Weights, dict[str, str]]:
    """Return (weights in float32, metadata strings) of a safetensors file."""
    with safe_open(path, framework="pt", device="cpu") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        return weights, dict(file.metadata() or {})


def write_weights(path: Path, weights: Weights, metadata: dict[str, str]) -> None:
    """Store `weights` as float16 safetensors; tensors shared under two names are stored twice."""
    halves = {name: value.detach().to(torch.float16).clone() for name, value in weights.items()}
    temporary = path.with_name(path.name + ".tmp")
    save_file(halves, temporary, metadata)
    os.replace(temporary, path)
