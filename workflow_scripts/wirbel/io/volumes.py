"""NIfTI in and out.

Reading accepts what scanners and converters produce (scaled integers, floats, either byte order, a
fourth axis of length 1) and turns every defect of the file into a `ScanError` that names it.
"""

from __future__ import annotations

import gzip
import os
import stat
from pathlib import Path

import nibabel as nib
import numpy as np

from wirbel.core.geometry import Grid, Volume
from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import MACHINE_ERRORS, atomic_path

GZIP_LEVEL = 3
"""Level 3 is several times quicker than the default 9 for a few per cent more bytes."""
DEFLATE_MAX_RATIO = 1032
"""Deflate cannot expand a byte to more than 1032 (zlib's technical details page)."""


def read_volume(path: str | Path) -> Volume:
    """Read a 3D NIfTI: integers stay integers unless the header scales them, the rest is float32.

    Axes stay in file order; the affine maps voxel indices to RAS+ mm. Raises ScanError("unreadable"),
    ScanError("not_3d") or ScanError("bad_geometry"), and InfrastructureError when the machine is at fault.
    """
    image = _open(path)
    shape = _spatial_shape(image, path)
    data = _guard(path, lambda: np.asanyarray(image.dataobj)).reshape(shape)
    if data.dtype.kind not in "iuf":
        raise ScanError(
            "unreadable", f"{_name(path)} holds {data.dtype} voxels; expected one number per voxel"
        )
    if data.dtype.kind == "f":
        data = data.astype(np.float32)
    data = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("="), copy=False))
    return Volume(data, _affine(image, path))


def read_grid(path: str | Path) -> Grid:
    """Read only the header: the voxel lattice of a 3D NIfTI. Raises as `read_volume` does."""
    image = _open(path)
    return Grid(_spatial_shape(image, path), _affine(image, path))


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


def _open(path: str | Path) -> nib.spatialimages.SpatialImage:
    if not stat.S_ISREG(_guard(path, lambda: os.stat(path)).st_mode):
        raise ScanError("unreadable", f"{_name(path)} is no file but a folder, pipe or device")
    image = _guard(path, lambda: nib.load(path))
    if not isinstance(image, nib.spatialimages.SpatialImage):
        raise ScanError("unreadable", f"{_name(path)} is no NIfTI image but {type(image).__name__}")
    return image


def _spatial_shape(image, path: str | Path) -> tuple[int, int, int]:
    shape = tuple(int(n) for n in image.shape)
    spatial = shape[:3]
    if len(spatial) < 3 or any(n != 1 for n in shape[3:]):
        raise ScanError("not_3d", f"{_name(path)} has shape {shape}; expected three dimensions")
    expected = int(np.prod(spatial, dtype=object)) * image.get_data_dtype().itemsize
    on_disk, packed = Path(path).stat().st_size, str(path).endswith(".gz")
    most = on_disk * (DEFLATE_MAX_RATIO if packed else 1)
    if min(spatial) < 1:
        raise ScanError(
            "unreadable", f"{_name(path)} has shape {shape}; expected at least one voxel"
        )
    if expected > most:
        raise ScanError(
            "unreadable",
            f"{_name(path)} is cut short: its header promises {expected} bytes of voxels, "
            f"the file has only {on_disk}{' compressed ones' if packed else ''}; copy or convert it again",
        )
    return spatial


def _affine(image, path: str | Path) -> np.ndarray:
    """Return the affine; a header with neither sform nor qform does not say where left or up is."""
    header = image.header
    if "sform_code" in header and not header["sform_code"] and not header["qform_code"]:
        raise ScanError(
            "bad_geometry",
            f"{_name(path)}: expected an orientation in the header, found neither sform nor qform; "
            "convert the scan again from DICOM (for example with dcm2niix).",
        )
    return np.asarray(image.affine, float)


def _guard(path: str | Path, action):
    """Run `action`; turn what it raises into a ScanError that names the file."""
    try:
        return action()
    except MemoryError:
        raise
    except FileNotFoundError:
        raise ScanError("unreadable", f"{_name(path)} does not exist") from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
            raise InfrastructureError(f"reading {path}: {error}") from error
        found = " ".join(str(error).split()) or type(error).__name__
        found = found.replace(str(path), _name(path))
        raise ScanError(
            "unreadable",
            f"{_name(path)} is no complete NIfTI file: {found}; copy or convert it again",
        ) from error


def _name(path: str | Path) -> str:
    return Path(path).name
