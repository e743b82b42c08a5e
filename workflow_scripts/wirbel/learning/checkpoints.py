"""Reading and writing network weights without running foreign code.

Pickled checkpoints are opened with `weights_only=True` and a short list of extra types that
nnU-Net's own checkpoints and the published instance networks contain; safetensors files hold nothing but
numbers and strings.
"""

from __future__ import annotations

import argparse
import errno
import os
import pickle
import re
from pathlib import Path, PosixPath
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from wirbel.models.errors import ModelError
from wirbel.models.folders.weights import check_archive, read_header
from wirbel.models.folders.wording import short

ALLOWED_TYPES = [
    argparse.Namespace,
    PosixPath,
    np.dtype,
    np.ndarray,
    np._core.multiarray.scalar,
    np._core.multiarray._reconstruct,
    *(type(np.dtype(letter)) for letter in "?bBhHiIlLqQefd"),
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),
    (np._core.multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
    (PosixPath, "pathlib._local.PosixPath"),
]
"""What checkpoints consist of beyond torch's own safe types: nnU-Net's training log of numpy values, and the
namespace of command-line arguments, paths among them, that newer instance networks were trained with. The last ones are
the same under the names that numpy 1 and Python 3.13 give them."""
ASKED_FOR = re.compile(r"(?:GLOBAL|function|but got(?: type)?) (?:<class ')?([^\s']+)")
"""How torch names, in its error, the type that a checkpoint wanted to have made."""

LATEST = "checkpoint_latest.pth"
FINAL = "checkpoint_final.pth"

NUMBERS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)
"""Of a network's tensors; whole numbers are counts that batch normalisation keeps and nobody reads."""
Weights = dict[str, torch.Tensor]


class UnsafeCheckpointError(ModelError):
    """A checkpoint asks for a type that is not on the list."""


def read_pickled_checkpoint(path: Path) -> dict[str, Any]:
    """Open a .pth/.ckpt file on the CPU.

    Raises UnsafeCheckpointError on any unlisted type, ModelError on a file that is damaged or cut short.
    """
    check_archive(path)
    try:
        with torch.serialization.safe_globals(ALLOWED_TYPES):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = ASKED_FOR.search(str(error))
        if asked is None:
            raise _damaged(path) from error
        raise UnsafeCheckpointError(
            f"{path} was refused: it holds an object of type {asked[1]}, a plain checkpoint "
            "holds only numbers, texts and tensors; fetch it from its makers again"
        ) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a position beyond the end of the file
            raise _damaged(path) from error
        raise
    except MemoryError:
        raise
    except (
        Exception
    ) as error:  # whatever damaged bytes make of torch's reader, which has many ways to fail
        raise _damaged(path) from error


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path} is no complete checkpoint; copy or fetch it again")


def tensors(state: dict[str, Any], path: Path, prefix: str) -> Weights:
    """Return the tensors of a checkpoint, `prefix` left out of their names; raises ModelError on anything else.

    They are plain numbers in main memory: what only describes numbers (sparse, on no device) is refused.
    """
    for name, value in state.items():
        if not isinstance(name, str) or not _is_plain(value):
            raise ModelError(
                f"{path}: expected tensors, {short(name)} is no tensor of plain numbers; copy or fetch it again"
            )
    return {name.removeprefix(prefix): value.detach() for name, value in state.items()}


def _is_plain(value: Any) -> bool:
    if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.dtype not in NUMBERS:
        return False
    return value.layout is torch.strided and value.device.type == "cpu"


def write_pickled_checkpoint(path: Path, checkpoint: dict[str, Any]) -> None:
    """Write atomically, so that a killed training leaves the previous checkpoint intact."""
    temporary = path.with_name(path.name + ".tmp")
    torch.save(checkpoint, temporary)
    os.replace(temporary, path)


def read_weights(path: Path) -> tuple[Weights, dict[str, str]]:
    """Return (weights in float32, metadata strings) of a safetensors file; raises ModelError where it is damaged."""
    header = read_header(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name).float() for name in header.shapes}, header.metadata
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}; copy or fetch it again") from None


def write_weights(path: Path, weights: Weights, metadata: dict[str, str]) -> None:
    """Store `weights` as float16 safetensors; of names that share one tensor only the first."""
    kept: Weights = {}
    seen: set[int] = set()
    for name, value in weights.items():
        if value.data_ptr() not in seen:
            seen.add(value.data_ptr())
            kept[name] = value.detach().to(torch.float16).contiguous()
    temporary = path.with_name(path.name + ".tmp")
    save_file(kept, temporary, metadata)
    os.replace(temporary, path)


def load_into(network: torch.nn.Module, weights: Weights) -> None:
    """Load `weights`, which may name a shared tensor once only; raises ModelError where they do not fit.

    nnU-Net's networks hold most tensors under several names.
    """
    try:
        missing, unknown = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # torch gives a line to every tensor of another shape
        found = str(error).splitlines()[-1].strip()
        raise ModelError(f"the weights do not fit the network: {found}") from None
    own = network.state_dict()
    given = {own[name].data_ptr() for name in weights if name in own}
    gaps = [name for name in missing if own[name].data_ptr() not in given]
    if gaps or unknown:
        raise ModelError(
            f"the weights do not fit the network: {len(gaps)} tensors are missing (such as "
            f"{gaps[:1]}), {len(unknown)} are unknown (such as {unknown[:1]})"
        )


def newest_of(folder: Path) -> Path:
    """Return the final checkpoint of a training, or the latest of an unfinished one."""
    for path in (folder / FINAL, folder / LATEST):
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder} holds no checkpoint yet; train first")
