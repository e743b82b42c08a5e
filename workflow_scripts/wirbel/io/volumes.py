"""NIfTI in and out.

Reading accepts what scanners and converters produce (scaled integers, floats, either byte order, a
fourth axis of length 1); what is wrong with a file is found in `nifti_files`.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np

from wirbel.core.geometry import Grid, Volume
from wirbel.errors import ScanError
from wirbel.io.atomic import atomic_path
from wirbel.io.nifti_files import (
    checked_affine,
    file_name,
    guard,
    open_image,
    spatial_shape,
    verify_checksum,
)

GZIP_LEVEL = 3
"""Level 3 is several times quicker than the default 9 for a few per cent more bytes."""


def read_volume(path: str | Path) -> Volume:
    """Read a 3D NIfTI: integers stay integers unless the header scales them, the rest is float32.

    Axes stay in file order; the affine maps voxel indices to RAS+ mm. Raises ScanError("unreadable"),
    ScanError("not_3d") or ScanError("bad_geometry"), and InfrastructureError when the machine is at fault.
    """
    image = open_image(path)
    shape = spatial_shape(image, path)
    data = guard(path, lambda: np.asanyarray(image.dataobj)).reshape(shape)
    if str(path).endswith(".gz"):
        guard(path, lambda: verify_checksum(path, data.nbytes))
    if data.dtype.kind not in "iuf":
        raise ScanError(
            "unreadable",
            f"{file_name(path)} holds {data.dtype} voxels; expected one number per voxel",
        )
    if data.dtype.kind == "f":
        data = data.astype(np.float32)
    data = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("="), copy=False))
    return Volume(data, checked_affine(image, path))


def read_grid(path: str | Path) -> Grid:
    """Read only the header: the voxel lattice of a 3D NIfTI. Raises as `read_volume` does."""
    image = open_image(path)
    return Grid(spatial_shape(image, path), checked_affine(image, path))


def write_volume(
    path: str | Path, volume: Volume, dtype: np.dtype | type | str | None = None
) -> None:
    """Write a volume as NIfTI-1 (gzipped when `path` ends in .gz): same input, same bytes.

    `dtype` is the type on disk (default: the array's own). Values are stored unscaled; floats are
    rounded for an integer type, and a value that does not fit raises ValueError.
    """
    data = _as_type(volume.data, np.dtype(dtype or volume.data.dtype))
    image = nib.Nifti1Image(data, volume.affine, dtype=data.dtype)
    image.set_sform(volume.affine, code="scanner")
    image.set_qform(volume.affine, code="scanner", strip_shears=True)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        if str(path).endswith(".gz"):
            with gzip.GzipFile("", "wb", GZIP_LEVEL, stream, mtime=0) as packed:
                packed.write(content)
        else:
            stream.write(content)


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
