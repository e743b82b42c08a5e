"""Read a NIfTI header and check it against the file before any voxel is read.

`nibabel.load` reads header extensions of any size into memory and accepts contradictions, so the
header is parsed here. Extensions are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np

from wirbel.core.geometry import Grid
from wirbel.core.preparation.header_transforms import Note, choose
from wirbel.core.preparation.intake import check_shape
from wirbel.errors import ScanError
from wirbel.io.nifti.file_kinds import (
    FIRST_BYTES,
    GZIP_MAGIC,
    NIFTI_SIZES,
    check_file,
    explain_open_errors,
    file_name,
    first_bytes,
)
from wirbel.io.nifti.gzip_stream import open_gzip
from wirbel.io.nifti.nifti_fields import (
    describe_file,
    dimensions,
    parse_header,
    placement,
    refuse,
    scaling,
    stated_geometry,
    voxel_offset,
    voxel_type,
)
from wirbel.io.nifti.nifti_files import explain_read_errors

MOST_PADDING = 1024
"""Most zero bytes after the last voxel, as blocked copies leave them."""
DEFLATE_MAX_RATIO = 1032
"""Deflate expands a byte to at most 1032 (zlib's technical details page)."""
DEFLATE_LEAST_GAIN = 100
"""Incompressible data grows by less than a hundredth (5 bytes in 16 kB)."""


@dataclass(frozen=True)
class Header:
    """The content of a NIfTI header, checked for consistency.

    Attributes
    ----------
    name : str
        File name.
    shape : (int, int, int)
        Voxels along each axis, in file order.
    dtype : numpy.dtype
        Type of the voxels on disk, with byte order.
    offset : int
        Bytes before the first voxel of the unpacked file.
    slope, inter : float
        Stored numbers are multiplied by `slope`, then `inter` is added.
    affine : ndarray, shape (4, 4)
        Voxel -> RAS+ mm, chosen as `wirbel.core.preparation.header_transforms` says.
    doubts : tuple of Note
        What the header leaves open: a code and a sentence each.
    placement : dict of str to ndarray
        The header's own fields that place the voxels, for maps on the same grid.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    slope: float
    inter: float
    affine: np.ndarray
    doubts: tuple[Note, ...]
    placement: dict[str, np.ndarray]

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences of the doubts."""
        return tuple(doubt.sentence for doubt in self.doubts)

    @property
    def grid(self) -> Grid:
        """The voxel grid."""
        return Grid(self.shape, self.affine)

    @property
    def voxel_bytes(self) -> int:
        """Bytes of all voxels in the unpacked file."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize


def read_header(path: str | Path) -> Header:
    """Read and check the header of a single-file NIfTI-1 or NIfTI-2.

    Parameters
    ----------
    path : str or Path
        The file, gzipped if its name ends in .gz.

    Returns
    -------
    Header
        The checked header.

    Raises
    ------
    ScanError
        "unreadable", "content_missing", "no_permission", "not_3d", "bad_geometry" or
        "header_conflict"; the sentence names the file.
    InfrastructureError
        If the machine or its file system is at fault.
    """
    name = file_name(path)
    check_file(path)
    _check_packing(path, name)
    raw = parse_header(explain_read_errors(path, lambda: _beginning(path)), name)
    dtype, offset = voxel_type(raw, name), voxel_offset(raw, name)
    slope, inter = scaling(raw, dtype, name)
    shape = _shape(raw, dtype, offset, path)
    affine, notes = choose(stated_geometry(raw), shape, name)
    return Header(name, shape, dtype, offset, slope, inter, affine, notes, placement(raw))


def is_packed(path: str | Path) -> bool:
    """Return True if a file's name says that it is gzipped."""
    return str(path).lower().endswith(".gz")


def open_unpacked(path: str | Path) -> BinaryIO:
    """Open a file for reading, unpacked; gzip's own checksum is checked at the end."""

    def open_any() -> BinaryIO:
        return open_gzip(path) if is_packed(path) else open(path, "rb")

    return explain_open_errors(path, open_any)


def _check_packing(path: str | Path, name: str) -> None:
    """Refuse a .nii.gz that is not gzipped, and a .nii that is."""
    first = first_bytes(path)
    gzipped = first.startswith(GZIP_MAGIC)
    if is_packed(path) and not gzipped:
        plain = first[:4] in NIFTI_SIZES
        kind = "not gzipped; rename it to .nii" if plain else describe_file(first)
        raise ScanError("unreadable", f"{name} is {kind}")
    if gzipped and not is_packed(path):
        raise ScanError(
            "unreadable",
            f"{name} is gzipped although its name does not say so; rename it to .nii.gz",
        )


def _beginning(path: str | Path) -> bytes:
    with open_unpacked(path) as stream:
        return stream.read(FIRST_BYTES)


def _shape(raw: np.ndarray, dtype: np.dtype, offset: int, path: str | Path) -> tuple[int, ...]:
    """Return the lengths of the three axes; refuse lengths that the file's size contradicts."""
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
        refuse(file_name(path), promised, f"only {found}: the file is truncated")


def _on_disk(path: str | Path) -> int:
    return explain_open_errors(path, lambda: Path(path).stat()).st_size


def refuse_left_over(name: str, expected: int) -> NoReturn:
    """Refuse a file that goes on after its last voxel, because its header does not describe its
    content.
    """
    refuse(name, f"{expected} bytes of voxels", "more: its header does not fit its content")
