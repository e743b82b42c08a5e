"""Read and write network weights without running foreign code.

Pickled checkpoints are opened with `weights_only=True` and a short list of further types, which
nnU-Net's checkpoints and the published instance networks contain. safetensors files hold only
numbers and strings.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import pickle
import re
from pathlib import Path, PosixPath
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from wirbel.io.atomic import atomic_path
from wirbel.models.errors import ModelError, UnsafeCheckpointError
from wirbel.models.folders.weights import check_archive, read_header
from wirbel.models.folders.wording import short

_MULTIARRAY: Any = np._core.multiarray  # type: ignore[attr-defined]
ALLOWED_TYPES: list[Any] = [
    argparse.Namespace,
    PosixPath,
    np.dtype,
    np.ndarray,
    _MULTIARRAY.scalar,
    _MULTIARRAY._reconstruct,
    *(type(np.dtype(letter)) for letter in "?bBhHiIlLqQefd"),
    (_MULTIARRAY.scalar, "numpy.core.multiarray.scalar"),
    (_MULTIARRAY._reconstruct, "numpy.core.multiarray._reconstruct"),
    (PosixPath, "pathlib._local.PosixPath"),
]
"""Types in checkpoints besides torch's own safe ones: the numpy values of nnU-Net's training log, and
the command-line arguments (with paths) of newer instance networks. The last entries are the names
that numpy 1 and Python 3.13 use for the same types.
"""
ASKED_FOR = re.compile(r"(?:GLOBAL|function|but got(?: type)?) (?:<class ')?([^\s']+)")
"""How torch's error names the type that a checkpoint wanted to create."""

LENGTH_BYTES = 8
"""A safetensors file begins with the length of its header in so many bytes."""
METADATA = "__metadata__"
LATEST = "checkpoint_latest.pth"
FINAL = "checkpoint_final.pth"

NUMBERS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)
"""Allowed types of a network's tensors; integers are counters of batch normalisation that nobody
reads.
"""
Weights = dict[str, torch.Tensor]


def read_pickled_checkpoint(path: Path) -> dict[str, Any]:
    """Open a .pth or .ckpt file on the CPU.

    Raises
    ------
    UnsafeCheckpointError
        If it contains an unlisted type.
    ModelError
        If it is damaged or truncated.
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
            f"{path} was refused: it contains an object of type {asked[1]}, but a plain checkpoint "
            "contains only numbers, text and tensors; fetch it from its makers again"
        ) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a position beyond the end of the file
            raise _damaged(path) from error
        raise
    except MemoryError:
        raise
    except Exception as error:  # torch's reader fails in many ways on damaged bytes
        raise _damaged(path) from error


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path} is not a complete checkpoint; copy or fetch it again")


def tensors(state: dict[str, Any], path: Path, prefix: str) -> Weights:
    """Return the tensors of a checkpoint.

    Parameters
    ----------
    state : dict
        Name -> tensor.
    path : Path
        The file, for messages.
    prefix : str
        Removed from the names.

    Raises
    ------
    ModelError
        For anything that is not a plain tensor in main memory, such as a sparse one or one without
        data.
    """
    for name, value in state.items():
        if not isinstance(name, str) or not _is_plain(value):
            raise ModelError(
                f"{path}: expected tensors, but {short(name)} is not a tensor of plain numbers; "
                "copy or fetch it again"
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
    """Return the weights (float32) and the metadata of a safetensors file; raise ModelError if it is
    damaged.
    """
    header = read_header(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name).float() for name in header.shapes}, header.metadata
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}; copy or fetch it again") from None


def write_weights(path: Path, weights: Weights, metadata: dict[str, str]) -> None:
    """Store `weights` as float16 safetensors, the same bytes every time; a tensor with several names is
    stored once, under the first.
    """
    kept: Weights = {}
    seen: set[int] = set()
    for name, value in weights.items():
        if value.data_ptr() not in seen:
            seen.add(value.data_ptr())
            kept[name] = value.detach().to(torch.float16).contiguous()
    with atomic_path(path) as temporary:
        temporary.write_bytes(_with_sorted_metadata(save(kept, metadata)))


def _with_sorted_metadata(stored: bytes) -> bytes:
    """Return a safetensors file whose metadata are sorted; the library writes them in random order."""
    length = int.from_bytes(stored[:LENGTH_BYTES], "little")
    header = json.loads(stored[LENGTH_BYTES : LENGTH_BYTES + length])
    if METADATA in header:
        header[METADATA] = dict(sorted(header[METADATA].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)  # tensors start at a multiple of eight bytes
    return len(text).to_bytes(LENGTH_BYTES, "little") + text + stored[LENGTH_BYTES + length :]


def load_into(network: torch.nn.Module, weights: Weights) -> None:
    """Load `weights` into a network; a shared tensor may have only one of its names.

    Raises
    ------
    ModelError
        If the weights do not fit.
    """
    try:
        missing, unknown = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # torch writes one line per tensor of another shape
        found = str(error).splitlines()[-1].strip()
        raise ModelError(f"the weights do not fit the network: {found}") from None
    own = network.state_dict()  # nnU-Net's networks have most tensors under several names
    given = {own[name].data_ptr() for name in weights if name in own}
    gaps = [name for name in missing if own[name].data_ptr() not in given]
    if gaps or unknown:
        raise ModelError(
            f"the weights do not fit the network: {len(gaps)} tensors are missing (such as "
            f"{gaps[:1]}), {len(unknown)} are unknown (such as {unknown[:1]})"
        )


def newest_of(folder: Path) -> Path:
    """Return the final checkpoint of a training, or the latest of an unfinished one.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    for path in (folder / FINAL, folder / LATEST):
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder} has no checkpoint yet; train first")
