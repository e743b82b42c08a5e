"""The header of a NIfTI file, held against the file before any voxel is read.

It is parsed here and not by `nibabel.load`, which reads header extensions of any size into memory and does not mind
contradictions. Extensions are skipped.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np

from wirbel.core.geometry import Grid
from wirbel.core.header_transforms import choose
from wirbel.core.intake import check_shape
from wirbel.errors import ScanError
from wirbel.io.file_kinds import (
    FIRST_BYTES,
    GZIP_MAGIC,
    NIFTI_SIZES,
    check_file,
    file_name,
    first_bytes,
    opened,
)
from wirbel.io.nifti_fields import (
    described,
    dimensions,
    parse,
    placement,
    refuse,
    scaling,
    stated,
    voxel_offset,
    voxel_type,
)
from wirbel.io.nifti_files import guard

MOST_PADDING = 1024
"""Zero bytes after the last voxel, as blocked copies leave them."""
DEFLATE_MAX_RATIO = 1032
"""Deflate cannot expand a byte to more than 1032 (zlib's technical details page)."""
DEFLATE_LEAST_GAIN = 100
"""What cannot be compressed grows by less than a hundredth (5 bytes in 16 kB)."""


@dataclass(frozen=True)
class Header:
    """What a NIfTI file says of itself, found consistent.

    `shape` three ints; `dtype` of the voxels on disk, byte order included; `offset` bytes before the first voxel of
    the unpacked file; `slope`, `inter` what turns stored numbers into values. `affine`: 4 x 4, voxel -> RAS+ mm, by
    the rule of `header_transforms`; `notes`: a sentence about each contradiction. `placement`: the header's own
    fields that say where voxels lie, for maps on the same grid.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    slope: float
    inter: float
    affine: np.ndarray
    notes: tuple[str, ...]
    placement: dict[str, np.ndarray]

    @property
    def grid(self) -> Grid:
        """The voxel lattice."""
        return Grid(self.shape, self.affine)

    @property
    def voxel_bytes(self) -> int:
        """Bytes that the voxels take in the unpacked file."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize


def read_header(path: str | Path) -> Header:
    """Read and check the header of a single-file NIfTI-1 or NIfTI-2, gzipped where the name ends in .gz.

    Raises ScanError ("unreadable", "content_missing", "no_permission", "not_3d", "bad_geometry", "header_conflict")
    that names the file, and InfrastructureError when the machine is at fault.
    """
    name = file_name(path)
    check_file(path)
    _check_packing(path, name)
    raw = parse(guard(path, lambda: _beginning(path)), name)
    dtype, offset = voxel_type(raw, name), voxel_offset(raw, name)
    slope, inter = scaling(raw, dtype, name)
    shape = _shape(raw, dtype, offset, path)
    affine, notes = choose(stated(raw), shape, name)
    return Header(name, shape, dtype, offset, slope, inter, affine, notes, placement(raw))


def is_packed(path: str | Path) -> bool:
    """Return whether a file's name says that it is gzipped."""
    return str(path).lower().endswith(".gz")


def content(path: str | Path) -> BinaryIO:
    """Open a file for reading, unpacked; gzip's own checksum is checked at its end."""
    return opened(path, lambda: gzip.open(path, "rb") if is_packed(path) else open(path, "rb"))


def _check_packing(path: str | Path, name: str) -> None:
    """Refuse a .nii.gz that is not gzipped and the reverse, by the first bytes."""
    first = first_bytes(path)
    gzipped = first.startswith(GZIP_MAGIC)
    if is_packed(path) and not gzipped:
        plain = first[:4] in NIFTI_SIZES
        kind = "not gzipped; rename it to .nii, or run gzip on that" if plain else described(first)
        raise ScanError("unreadable", f"{name} is {kind}")
    if gzipped and not is_packed(path):
        raise ScanError(
            "unreadable",
            f"{name} is gzipped although its name does not say so; rename it to .nii.gz",
        )


def _beginning(path: str | Path) -> bytes:
    with content(path) as stream:
        return stream.read(FIRST_BYTES)


def _shape(raw: np.ndarray, dtype: np.dtype, offset: int, path: str | Path) -> tuple[int, ...]:
    """Return the three axes' lengths; refuses claims that the file on the disk does not fit."""
    name = file_name(path)
    shape = dimensions(raw, name)
    expected = int(np.prod(shape, dtype=object)) * dtype.itemsize
    _check_long_enough(expected, offset, path)
    check_shape(shape, name)
    more = (offset + expected) // DEFLATE_LEAST_GAIN if is_packed(path) else 0
    if _on_disk(path) - offset - expected > max(more, MOST_PADDING):
        refuse_left_over(name, expected)
    return shape[:3]


def _check_long_enough(expected: int, offset: int, path: str | Path) -> None:
    packed, on_disk = is_packed(path), _on_disk(path)
    held = on_disk * DEFLATE_MAX_RATIO if packed else on_disk - offset
    if expected > held:
        found = f"{on_disk} compressed" if packed else f"{max(held, 0)}"
        promised = f"{expected} bytes of voxels"
        refuse(file_name(path), promised, f"only {found} ones: it is cut short")


def _on_disk(path: str | Path) -> int:
    return opened(path, lambda: Path(path).stat()).st_size


def refuse_left_over(name: str, expected: int) -> NoReturn:
    """Refuse a file that goes on after its last voxel: the header does not describe what is in it."""
    refuse(name, f"{expected} bytes of voxels", "more: its header does not fit its content")
