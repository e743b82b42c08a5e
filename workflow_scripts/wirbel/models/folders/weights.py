"""Check weight files by their tables of contents alone; no tensor is read.

Wirbel's format is safetensors. The published ones are pickles in a zip archive, which torch opens
later with a list of allowed types.
"""

from __future__ import annotations

import math
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from wirbel.models.errors import ModelError
from wirbel.models.folders.pickles import check_pickle
from wirbel.models.folders.wording import short

MOST_HEADER_BYTES = 4 * 1024**2
"""Of a safetensors file: a hundred bytes per tensor, and no network here has ten thousand."""
LENGTH_BYTES = 8
FLOATS = ("F16", "BF16", "F32", "F64")
MOST_PICKLE_BYTES = 64 * 1024**2
"""Of the pickle that describes a checkpoint; its tensors are beside it in the archive."""
MOST_ENTRIES = 100_000
AGAIN = "copy or fetch it again"
WEIGHTS_NAME = "weights.safetensors"
"""Of an instance network or a translator in Wirbel's format."""

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Header:
    """What a safetensors file says about itself."""

    shapes: Shapes
    metadata: dict[str, str]


def read_header(path: Path) -> Header:
    """Return the header of a safetensors file.

    Raises
    ------
    ModelError
        If the file is damaged or holds other types of numbers.
    """
    _check_header_length(path)
    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            kinds = {name: found.get_dtype() for name, found in slices.items()}
            shapes = {name: tuple(found.get_shape()) for name, found in slices.items()}
            header = Header(shapes, dict(file.metadata() or {}))
    except (SafetensorError, OSError, ValueError, OverflowError) as error:
        raise ModelError(f"{path} is not a complete safetensors file: {error}; {AGAIN}") from None
    wrong = next((name for name, kind in kinds.items() if kind not in FLOATS), None)
    if wrong is not None:
        raise ModelError(
            f"{path}: expected tensors of {', '.join(FLOATS)}, found {short(wrong)} of {kinds[wrong]}; {AGAIN}"
        )
    return header


def own_weights(folder: Path, kind: str) -> Path:
    """Return the weights file of a folder in Wirbel's format; raise ModelError if there is none."""
    path, article = folder / WEIGHTS_NAME, "an" if kind == "instance" else "a"
    if not path.is_file():
        raise ModelError(
            f"{folder} is not {article} {kind} model folder: there is no {WEIGHTS_NAME} in it; "
            f"give the folder of {article} {kind} model, or {AGAIN}"
        )
    return path


def _check_header_length(path: Path) -> None:
    """Raise ModelError before reading a header that is longer than the file, or than any header."""
    size = regular_size(path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if size < LENGTH_BYTES or length > min(size - LENGTH_BYTES, MOST_HEADER_BYTES):
        raise ModelError(
            f"{path} is not a complete safetensors file: expected a header of up to {MOST_HEADER_BYTES} bytes, "
            f"found {length} in a file of {size}; {AGAIN}"
        )


def check_archive(path: Path) -> None:
    """Raise ModelError if a pickled checkpoint would need more memory than its size, is damaged, or names
    what no checkpoint needs; torch checks other files.
    """
    size = regular_size(path)
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ModelError(
            f"{path} is not a complete checkpoint: {short(str(error))}; {AGAIN}"
        ) from None
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    pickles = sum(entry.file_size for entry in entries if entry.filename.endswith(".pkl"))
    if packed or pickles > MOST_PICKLE_BYTES or len(entries) > MOST_ENTRIES:
        raise ModelError(f"{path} was refused: torch never packs a checkpoint this way; {AGAIN}")
    if math.fsum(entry.file_size for entry in entries) > size:
        raise ModelError(f"{path} was refused: its entries are larger than the file; {AGAIN}")
    with zipfile.ZipFile(path) as archive:
        check_pickle(path, archive)


def regular_size(path: Path) -> int:
    """Return the size of a file in bytes; raise ModelError if there is none, or if it is not a file."""
    try:
        if not path.is_file():
            raise ModelError(f"{path} is missing or not a file; copy or fetch the model again")
        if not os.access(path, os.R_OK):
            raise ModelError(
                f"cannot read {path}: Permission denied; ask its owner to let you read it"
            )
        return path.stat().st_size
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
