"""Read and write NIfTI files.

Reading accepts what scanners and converters produce: scaled integers, floats, either byte order, a
fourth axis of length 1. `nifti_header` and `nifti_voxels` find what is wrong with a file.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

from wirbel.core.geometry import Grid, Volume
from wirbel.io.atomic import atomic_path
from wirbel.io.nifti.nifti_files import explain_read_errors
from wirbel.io.nifti.nifti_header import Header, read_header
from wirbel.io.nifti.nifti_voxels import read_voxels

GZIP_LEVEL = 3
"""Level 3 is several times faster than the default 9, for files that are a few per cent larger."""
QUICKEST = 1
"""For what lies between two stages: images take 0.6 of level 3's time, and 5 % more space."""

__all__ = ["Header", "read_grid", "read_header", "read_volume", "write_volume"]

LABELS = 1002
"""NIFTI_INTENT_LABEL (nifti1.h): voxel values are indices into a table of names."""


def read_volume(path: str | Path) -> Volume:
    """Read a 3D NIfTI file.

    Parameters
    ----------
    path : str or Path
        A single-file NIfTI-1 or NIfTI-2, gzipped if its name ends in .gz.

    Returns
    -------
    Volume
        `data` of shape (i, j, k) in the file's axis order: integers of up to 32 bits keep their
        type unless the header scales them, everything else is float32. `affine` maps voxel indices
        to RAS+ mm. Numbers too large, too small or too far from zero for float32 are rescaled as
        `wirbel.core.preparation.number_range` says; NaN and infinity stay.

    Raises
    ------
    ScanError, InfrastructureError
        As `read_header` does; also "unreadable" if the voxels are incomplete or corrupted.
    """
    header = read_header(path)
    data = explain_read_errors(path, lambda: read_voxels(path, header))
    return Volume(data, header.affine)


def read_grid(path: str | Path) -> Grid:
    """Read only the voxel grid of a 3D NIfTI file. Raises as `read_header` does."""
    return read_header(path).grid


def write_volume(
    path: str | Path,
    volume: Volume,
    dtype: np.dtype | type | str | None = None,
    placement: Mapping[str, np.ndarray] | None = None,
    level: int = GZIP_LEVEL,
    intent: int = 0,
) -> None:
    """Write a volume as NIfTI-1; the same content gives the same bytes.

    Parameters
    ----------
    path : str or Path
        The file, gzipped if its name ends in .gz.
    volume : Volume
        Array of shape (i, j, k) and its affine (4 x 4, voxel -> RAS+ mm).
    dtype : dtype, optional
        Type on disk; default: the array's own. Values are stored unscaled, and floats are rounded
        for an integer type.
    placement : mapping of str to ndarray, optional
        `Header.placement` of a file on the same grid, whose sform, qform and codes are then copied.
        Default: both transforms are the volume's affine.
    level : int
        zlib's, from 1 (quickest) to 9 (smallest).
    intent : int
        NIfTI intent code, such as `LABELS` for a label map; default: none.

    Raises
    ------
    ValueError
        If a value does not fit into `dtype`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "map.nii.gz")
    >>> write_volume(path, Volume(np.eye(3)[None], np.diag([3.3, 0.9, 0.9, 1])), "uint8")
    >>> read_volume(path).spacing_mm.round(1).tolist()
    [3.3, 0.9, 0.9]
    """
    data = _as_type(volume.data, np.dtype(dtype or volume.data.dtype))
    image = nib.Nifti1Image(data, volume.affine, dtype=data.dtype)
    image.set_sform(volume.affine, code="scanner")
    image.set_qform(volume.affine, code="scanner", strip_shears=True)
    image.header.set_xyzt_units("mm")
    image.header.set_intent(intent, allow_unknown=True)
    content = _placed(image, placement or {})
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        if str(path).endswith(".gz"):
            with gzip.GzipFile("", "wb", level, stream, mtime=0) as packed:
                packed.write(content)
        else:
            stream.write(content)


def _placed(image: nib.Nifti1Image, placement: Mapping[str, np.ndarray]) -> bytes:
    """Return a file's bytes with some header fields replaced unchecked."""
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
