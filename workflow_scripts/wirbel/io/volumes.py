"""NIfTI in and out.

Reading accepts what scanners and converters produce (scaled integers, floats, either byte order, a
fourth axis of length 1); what is wrong with a file is found in `nifti_header` and `nifti_voxels`.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

from wirbel.core.geometry import Grid, Volume
from wirbel.io.atomic import atomic_path
from wirbel.io.nifti_files import guard
from wirbel.io.nifti_header import Header, read_header
from wirbel.io.nifti_voxels import read_voxels

GZIP_LEVEL = 3
"""Level 3 is several times quicker than the default 9 for a few per cent more bytes."""

__all__ = ["Header", "read_grid", "read_header", "read_volume", "write_volume"]


def read_volume(path: str | Path) -> Volume:
    """Read a 3D NIfTI: integers stay integers unless the header scales them, the rest is float32.

    Axes stay in file order; the affine maps voxel indices to RAS+ mm. Huge, tiny and far shifted numbers are
    brought into float32 as `wirbel.core.number_range` says; NaN and infinity stay. Raises as `read_header` does.
    """
    header = read_header(path)
    return Volume(guard(path, lambda: read_voxels(path, header)), header.affine)


def read_grid(path: str | Path) -> Grid:
    """Read only the header: the voxel lattice of a 3D NIfTI. Raises as `read_header` does."""
    return read_header(path).grid


def write_volume(
    path: str | Path,
    volume: Volume,
    dtype: np.dtype | type | str | None = None,
    placement: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a volume as NIfTI-1 (gzipped when `path` ends in .gz): same input, same bytes.

    `dtype` is the type on disk (default: the array's own). Values are stored unscaled; floats are
    rounded for an integer type, and a value that does not fit raises ValueError. Both transforms are the volume's
    affine, unless `placement` (`Header.placement` of a file on the same grid) gives both, with their codes.
    """
    data = _as_type(volume.data, np.dtype(dtype or volume.data.dtype))
    image = nib.Nifti1Image(data, volume.affine, dtype=data.dtype)
    image.set_sform(volume.affine, code="scanner")
    image.set_qform(volume.affine, code="scanner", strip_shears=True)
    image.header.set_xyzt_units("mm")
    content = _placed(image, placement or {})
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        if str(path).endswith(".gz"):
            with gzip.GzipFile("", "wb", GZIP_LEVEL, stream, mtime=0) as packed:
                packed.write(content)
        else:
            stream.write(content)


def _placed(image: nib.Nifti1Image, placement: Mapping[str, np.ndarray]) -> bytes:
    """Return a file's bytes, with some fields of its header replaced as they are, right or wrong."""
    content = bytearray(image.to_bytes())
    fields = np.frombuffer(content, image.header.template_dtype, count=1)
    for name, value in placement.items():
        fields[name].reshape(-1)[: value.size] = value.reshape(-1)
    return bytes(content)


def _as_type(data: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "b":
        dtype = np.dtype(np.uint8)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if data.size and (data.min() < limits.min or data.max() > limits.max):
            raise ValueError(f"values {data.min()} to {data.max()} do not fit into {dtype}")
        if data.dtype.kind == "f":
            data = np.rint(data)
    return data.astype(dtype, copy=False)
