"""Read the fields of a NIfTI header and check each against its possible values."""

from __future__ import annotations

from typing import Any, NoReturn

import nibabel as nib
import numpy as np

from wirbel.core.preparation.header_transforms import Stated
from wirbel.core.preparation.intake import check_type
from wirbel.errors import ScanError
from wirbel.io.nifti.file_kinds import NIFTI_SIZES, check_pointer, kind_of

FORMATS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
MAGICS = (b"n+1", b"n+2", b"ni1", b"ni2")
EXTENSION_FLAG_BYTES = 4
"""In a single file, the first voxel comes after the header and these bytes, or later."""
MOST_BYTES_BEFORE_VOXELS = 1 << 26
"""Header and extensions: 64 MB is far more than any converter writes."""
CARRIED = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units"),
)
"""Besides pixdim, the fields that place the voxels; label maps copy them from the scan."""
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
LARGEST_INTERCEPT = 1 << 24
"""Largest intercept in units of the largest scaled value: float32 has 24 bits, so nothing of the image
would survive beyond.
"""
SMALLEST_FLOAT32 = float(np.finfo(np.float32).tiny)


def parse_header(first: bytes, name: str) -> np.ndarray:
    """Return the header's fields as a structured array.

    Parameters
    ----------
    first : bytes
        The beginning of the unpacked file.
    name : str
        The file name, for messages.

    Raises
    ------
    ScanError
        "unreadable" or "content_missing" if the bytes are not a NIfTI header.
    """
    check_pointer(first, name)
    if first[:4] not in NIFTI_SIZES:
        raise ScanError("unreadable", f"{name} is {describe_file(first)}")
    size, order = NIFTI_SIZES[first[:4]]
    if len(first) < size + EXTENSION_FLAG_BYTES:
        refuse(name, f"a header of {size} bytes", f"a file of {len(first)} bytes: it is truncated")
    raw = FORMATS[size](first[:size], order, check=False).structarr
    if bytes(raw["magic"].item())[:3] not in MAGICS:
        refuse(name, "NIfTI's magic n+1 or n+2", f"{bytes(raw['magic'].item())!r} (Analyze?)")
    return raw


def dimensions(raw: np.ndarray, name: str) -> tuple[int, ...]:
    """Return the lengths of all axes, one to seven."""
    number = int(raw["dim"][0])
    if not 1 <= number <= 7:
        refuse(name, "one to seven dimensions", f"{number}")
    return tuple(int(n) for n in raw["dim"][1 : 1 + number])


def voxel_type(raw: np.ndarray, name: str) -> np.dtype:
    """Return the voxels' type on disk, with its byte order.

    Refuses types without exactly one number per voxel, and types that `bitpix` contradicts.
    """
    types: Any = nib.nifti1.data_type_codes.dtype
    code, bits = int(raw["datatype"]), int(raw["bitpix"])
    if code not in types or types[code].itemsize == 0:
        refuse(name, "a NIfTI data type", f"the code {code}")
    dtype: np.dtype = types[code]
    if bits != 8 * dtype.itemsize:
        refuse(name, f"{8 * dtype.itemsize} bits per voxel for the data type {dtype}", f"{bits}")
    check_type(dtype, name)
    return dtype.newbyteorder(raw.dtype["datatype"].byteorder)


def voxel_offset(raw: np.ndarray, name: str) -> int:
    """Return the number of bytes before the first voxel."""
    least = int(raw["sizeof_hdr"]) + EXTENSION_FLAG_BYTES
    offset = float(raw["vox_offset"])
    if not least <= offset <= MOST_BYTES_BEFORE_VOXELS or offset != int(offset):
        refuse(
            name,
            f"the voxels to begin between byte {least} and byte {MOST_BYTES_BEFORE_VOXELS:,}",
            f"a vox_offset of {offset:g}",
        )
    return int(offset)


def scaling(raw: np.ndarray, dtype: np.dtype, name: str) -> tuple[float, float]:
    """Return slope and intercept; a slope of 0 or NaN means no scaling, (1, 0)."""
    slope, inter = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or np.isnan(slope):
        return 1.0, 0.0
    most = float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
    reach = most * slope + abs(inter)
    lost = dtype.kind in "iu" and abs(inter) > LARGEST_INTERCEPT * most * slope
    if slope < SMALLEST_FLOAT32 or lost or not reach <= LARGEST_FLOAT32:  # NaN is refused too
        refuse(
            name,
            "a positive slope and an intercept that give finite numbers",
            f"a slope of {slope:g} with an intercept of {inter:g}",
        )
    return slope, inter


def stated_geometry(raw: np.ndarray) -> Stated:
    """Return what the header says about the voxels' positions; negative voxel sizes count as positive."""
    sizes = np.abs(raw["pixdim"][1:4].astype(float))
    sform = qform = None
    if raw["sform_code"] > 0:
        sform = np.eye(4)
        sform[:3] = [raw["srow_x"], raw["srow_y"], raw["srow_z"]]
    if raw["qform_code"] > 0:
        qform = _qform(raw)
    return Stated(sform, qform, sizes, float(raw["pixdim"][0]), int(raw["xyzt_units"]) & 7)


def _qform(raw: np.ndarray) -> np.ndarray:
    """Return the qform's affine, filled with NaN if the quaternion is impossible."""
    fixed = raw.copy()
    fixed["pixdim"][1:4] = np.abs(fixed["pixdim"][1:4])
    if fixed["pixdim"][0] not in (1, -1):
        fixed["pixdim"][0] = 1
    order = raw.dtype["datatype"].byteorder
    header = FORMATS[int(raw["sizeof_hdr"])](fixed.tobytes(), order, check=False)
    try:
        return np.asarray(header.get_qform(), float)
    except ValueError:  # (b, c, d) is longer than 1
        return np.full((4, 4), np.nan)


def placement(raw: np.ndarray) -> dict[str, np.ndarray]:
    """Return the fields that place the voxels."""
    return {**{field: raw[field].copy() for field in CARRIED}, "pixdim": raw["pixdim"][:4].copy()}


def describe_file(first: bytes) -> str:
    """Return what a file that is not NIfTI is, and what to do."""
    kind = kind_of(first) or "not a NIfTI file"
    return kind if ";" in kind else f"{kind}; copy or convert it again"


def refuse(name: str, expected: str, found: str) -> NoReturn:
    """Raise a ScanError for a file with an impossible header."""
    raise ScanError(
        "unreadable", f"{name}: expected {expected}, found {found}; copy or convert it again"
    )
