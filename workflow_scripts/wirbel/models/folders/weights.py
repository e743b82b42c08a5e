"""Files of weights, judged by their directories alone: no tensor is read.

Our own format is safetensors; the published ones are pickles inside a zip archive, which torch opens later under its
own list of allowed types.
"""

from __future__ import annotations

import math
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from wirbel.models.errors import ModelError
from wirbel.models.folders.wording import short

MOST_HEADER_BYTES = 4 * 1024**2
"""Of a safetensors file; a hundred bytes for each tensor, and no network here has ten thousand."""
LENGTH_BYTES = 8
FLOATS = ("F16", "BF16", "F32", "F64")
MOST_PICKLE_BYTES = 64 * 1024**2
"""Of the pickle that describes a checkpoint; its tensors lie beside it in the archive."""
MOST_ENTRIES = 100_000
AGAIN = "copy or fetch it again"

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Header:
    """What a safetensors file says about itself."""

    shapes: Shapes
    metadata: dict[str, str]


def read_header(path: Path) -> Header:
    """Return the header of a safetensors file; raises ModelError where it is damaged or holds other numbers."""
    _check_header_length(path)
    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            kinds = {name: found.get_dtype() for name, found in slices.items()}
            shapes = {name: tuple(found.get_shape()) for name, found in slices.items()}
            header = Header(shapes, dict(file.metadata() or {}))
    except (SafetensorError, OSError, ValueError, OverflowError) as error:
        raise ModelError(f"{path} is no complete safetensors file: {error}; {AGAIN}") from None
    wrong = next((name for name, kind in kinds.items() if kind not in FLOATS), None)
    if wrong is not None:
        raise ModelError(
            f"{path}: expected tensors of {', '.join(FLOATS)}, found {short(wrong)} of {kinds[wrong]}; {AGAIN}"
        )
    return header


def _check_header_length(path: Path) -> None:
    """Raise ModelError before a header is read that is longer than the file, or than any header."""
    size = regular_size(path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if size < LENGTH_BYTES or length > min(size - LENGTH_BYTES, MOST_HEADER_BYTES):
        raise ModelError(
            f"{path} is no complete safetensors file: expected a header of up to {MOST_HEADER_BYTES} bytes, "
            f"found {length} in a file of {size}; {AGAIN}"
        )


def check_archive(path: Path) -> None:
    """Raise ModelError when a pickled checkpoint would take more memory than its size; others are left to torch."""
    size = regular_size(path)
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ModelError(
            f"{path} is no complete checkpoint: {short(str(error))}; {AGAIN}"
        ) from None
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    pickles = sum(entry.file_size for entry in entries if entry.filename.endswith(".pkl"))
    if packed or pickles > MOST_PICKLE_BYTES or len(entries) > MOST_ENTRIES:
        raise ModelError(f"{path} was refused: it is packed as torch packs no checkpoint; {AGAIN}")
    if math.fsum(entry.file_size for entry in entries) > size:
        raise ModelError(f"{path} was refused: its entries are larger than the file; {AGAIN}")


def regular_size(path: Path) -> int:
    """Return the size of a file in bytes; raises ModelError when there is none, or something else in its place."""
    try:
        if not path.is_file():
            raise ModelError(f"{path} is missing or no file; copy or fetch the model again")
        if not os.access(path, os.R_OK):
            raise ModelError(
                f"cannot read {path}: Permission denied; ask its owner to let you read it"
            )
        return path.stat().st_size
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
