"""Read the voxels of a NIfTI file in pieces, with little more memory than the returned array needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from wirbel.core.preparation.number_range import AS_STORED, Fit, Range, fit_to_float32
from wirbel.errors import ScanError
from wirbel.io.nifti.nifti_header import MOST_PADDING, Header, open_unpacked, refuse_left_over

PIECE_BYTES = 1 << 22
INTEGER_BYTES = 4
"""Unscaled integers of up to this size keep their type."""


def read_voxels(path: str | Path, header: Header) -> np.ndarray:
    """Return the voxels of a file.

    Unscaled integers of up to 32 bits keep their type. Everything else is read twice: first for its
    range, then to convert it to float32 as `fit_to_float32` says (64-bit integers to int32 if they
    fit).

    Parameters
    ----------
    path : str or Path
        The file.
    header : Header
        Its header, from `read_header`.

    Returns
    -------
    ndarray, shape `header.shape`
        In C order and the machine's byte order.

    Raises
    ------
    ScanError
        "unreadable" if the file holds fewer or more bytes than its header says.
    OSError, EOFError, zlib.error
        From gzip, if the content is corrupted.
    """
    kept = header.dtype.kind in "iu" and header.dtype.itemsize <= INTEGER_BYTES
    fit = Fit(header.dtype.newbyteorder("=")) if kept and not _scaled(header) else None
    fit = fit or _fit(path, header)
    flat = np.empty(int(np.prod(header.shape)), fit.dtype)
    at = 0
    for piece in iterate_values(path, header):
        flat[at : at + piece.size] = fit(piece)
        at += piece.size
    return np.ascontiguousarray(flat.reshape(header.shape, order="F"))


def iterate_values(path: str | Path, header: Header) -> Iterator[np.ndarray]:
    """Yield the values piece by piece, first axis fastest: integers as stored, or float64 if scaled."""
    with open_unpacked(path) as stream:
        _skip(stream, header)
        left = header.voxel_bytes
        while left:
            piece = _exactly(stream, min(left, PIECE_BYTES), header)
            left -= len(piece)
            yield _scale(np.frombuffer(piece, header.dtype), header)
        padding = stream.read(MOST_PADDING + 1)
        if len(padding) > MOST_PADDING or any(padding):
            refuse_left_over(header.name, header.voxel_bytes)


def _fit(path: str | Path, header: Header) -> Fit:
    found = Range()
    for piece in iterate_values(path, header):
        found = found.with_values(piece)
    if header.dtype.kind == "f" and 0 < found.largest < np.finfo(header.dtype).tiny:
        raise ScanError(
            "unreadable",
            f"{header.name}: expected intensities, found none above {found.largest:.2g}, as if integers were read as "
            f"{header.dtype}: the header's data type is wrong; convert the scan again",
        )
    if header.dtype.kind in "iu" and not _scaled(header) and found.within(np.int32):
        return Fit(np.dtype(np.int32))
    return fit_to_float32(found)


def _scaled(header: Header) -> bool:
    return (header.slope, header.inter) != AS_STORED


def _scale(stored: np.ndarray, header: Header) -> np.ndarray:
    if stored.dtype.itemsize > np.dtype(np.float64).itemsize:
        stored = stored.astype(np.float64)
    if not _scaled(header):
        return stored
    return stored.astype(np.float64) * header.slope + header.inter


def _skip(stream: BinaryIO, header: Header) -> None:
    """Skip header and extensions."""
    left = header.offset
    while left:
        left -= len(_exactly(stream, min(left, PIECE_BYTES), header))


def _exactly(stream: BinaryIO, number: int, header: Header) -> bytes:
    found = stream.read(number)
    if len(found) < number:
        raise ScanError(
            "unreadable",
            f"{header.name} is truncated: it ends before the last of the {header.voxel_bytes} bytes of voxels that its "
            "header promises; copy or convert it again",
        )
    return found
