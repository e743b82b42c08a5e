"""The header of a NIfTI file, held against the file before any voxel is read.

It is parsed here and not by `nibabel.load`, which reads header extensions of any size into memory and does not mind
contradictions. Extensions are skipped.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import nibabel as nib
import numpy as np

from wirbel.core.geometry import Grid
from wirbel.core.header_transforms import Stated, choose
from wirbel.core.intake import check_shape, check_type
from wirbel.errors import ScanError
from wirbel.io.file_kinds import (
    FIRST_BYTES,
    GZIP_MAGIC,
    NIFTI_SIZES,
    check_file,
    check_pointer,
    file_name,
    first_bytes,
    kind_of,
    opened,
)
from wirbel.io.nifti_files import guard

FORMATS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
MAGICS = (b"n+1", b"n+2", b"ni1", b"ni2")
EXTENSION_FLAG_BYTES = 4
"""The first voxel of a single file comes after the header and these, or later."""
MOST_BYTES_BEFORE_VOXELS = 1 << 26
"""Header and extensions; 64 MB is far more than any converter writes."""
MOST_PADDING = 1024
"""Zero bytes after the last voxel, as blocked copies leave them."""
DEFLATE_MAX_RATIO = 1032
"""Deflate cannot expand a byte to more than 1032 (zlib's technical details page)."""
DEFLATE_LEAST_GAIN = 100
"""What cannot be compressed grows by less than a hundredth (5 bytes in 16 kB)."""
CARRIED = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units"),
)
"""Fields that say where voxels lie, besides pixdim: maps carry them as the scan has them."""
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
LARGEST_INTERCEPT = 1 << 24
"""Times what the slope gives at most: float32 has 24 bits, nothing would be left of the image."""
SMALLEST_FLOAT32 = float(np.finfo(np.float32).tiny)


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
    raw = _parse(guard(path, lambda: _beginning(path)), name)
    dtype, offset = _voxel_type(raw, name), _offset(raw, name)
    slope, inter = _scaling(raw, dtype, name)
    shape = _shape(raw, dtype, offset, path)
    affine, notes = choose(_stated(raw), shape, name)
    return Header(name, shape, dtype, offset, slope, inter, affine, notes, _placement(raw))


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
        kind = "not gzipped; rename it to .nii, or run gzip on that" if plain else _kind(first)
        raise ScanError("unreadable", f"{name} is {kind}")
    if gzipped and not is_packed(path):
        raise ScanError(
            "unreadable",
            f"{name} is gzipped although its name does not say so; rename it to .nii.gz",
        )


def _beginning(path: str | Path) -> bytes:
    with content(path) as stream:
        return stream.read(FIRST_BYTES)


def _parse(first: bytes, name: str) -> np.ndarray:
    """Return the header's fields; refuses what does not begin as NIfTI does."""
    check_pointer(first, name)
    if first[:4] not in NIFTI_SIZES:
        raise ScanError("unreadable", f"{name} is {_kind(first)}")
    size, order = NIFTI_SIZES[first[:4]]
    if len(first) < size + EXTENSION_FLAG_BYTES:
        _refuse(name, f"a header of {size} bytes", f"a file of {len(first)} bytes: it is cut short")
    raw = FORMATS[size](first[:size], order, check=False).structarr
    if bytes(raw["magic"].item())[:3] not in MAGICS:
        _refuse(name, "the magic n+1 or n+2 of NIfTI", f"{bytes(raw['magic'].item())!r} (Analyze?)")
    return raw


def _kind(first: bytes) -> str:
    kind = kind_of(first) or "not a NIfTI file"
    return kind if ";" in kind else f"{kind}; copy or convert it again"


def _voxel_type(raw: np.ndarray, name: str) -> np.dtype:
    """Return the voxels' type on disk; refuses types without one number per voxel, and those bitpix contradicts."""
    known = nib.nifti1.data_type_codes
    code, bits = int(raw["datatype"]), int(raw["bitpix"])
    if code not in known.dtype or known.dtype[code].itemsize == 0:
        _refuse(name, "a data type of NIfTI", f"the code {code}")
    dtype = known.dtype[code]
    if bits != 8 * dtype.itemsize:
        _refuse(name, f"{8 * dtype.itemsize} bits per voxel for the data type {dtype}", f"{bits}")
    check_type(dtype, name)
    return dtype.newbyteorder(raw.dtype["datatype"].byteorder)


def _offset(raw: np.ndarray, name: str) -> int:
    """Return how many bytes come before the first voxel."""
    least = int(raw["sizeof_hdr"]) + EXTENSION_FLAG_BYTES
    offset = float(raw["vox_offset"])
    if not least <= offset <= MOST_BYTES_BEFORE_VOXELS or offset != int(offset):
        _refuse(
            name,
            f"the voxels to begin between byte {least} and byte {MOST_BYTES_BEFORE_VOXELS:,}",
            f"a vox_offset of {offset:g}",
        )
    return int(offset)


def _scaling(raw: np.ndarray, dtype: np.dtype, name: str) -> tuple[float, float]:
    """Return slope and intercept; a slope of 0 or NaN means that there are none."""
    slope, inter = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or np.isnan(slope):
        return 1.0, 0.0
    most = float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
    reach = most * slope + abs(inter)
    lost = dtype.kind in "iu" and abs(inter) > LARGEST_INTERCEPT * most * slope
    if slope < SMALLEST_FLOAT32 or lost or not reach <= LARGEST_FLOAT32:  # NaN is refused, too
        _refuse(
            name,
            "a positive slope and intercept that lead to numbers",
            f"a slope of {slope:g} with an intercept of {inter:g}",
        )
    return slope, inter


def _shape(raw: np.ndarray, dtype: np.dtype, offset: int, path: str | Path) -> tuple[int, ...]:
    """Return the three axes' lengths; refuses claims that the file on the disk cannot hold."""
    name, dimensions = file_name(path), int(raw["dim"][0])
    if not 1 <= dimensions <= 7:
        _refuse(name, "one to seven dimensions", f"{dimensions}")
    shape = tuple(int(n) for n in raw["dim"][1 : 1 + dimensions])
    expected = int(np.prod(shape, dtype=object)) * dtype.itemsize
    on_disk = opened(path, lambda: Path(path).stat()).st_size
    packed = is_packed(path)
    held = on_disk * DEFLATE_MAX_RATIO if packed else on_disk - offset
    if expected > held:
        found = f"{on_disk} compressed" if packed else f"{max(held, 0)}"
        _refuse(name, f"{expected} bytes of voxels", f"only {found} ones: it is cut short")
    check_shape(shape, name)
    more = (offset + expected) // DEFLATE_LEAST_GAIN if packed else MOST_PADDING
    if on_disk - offset - expected > max(more, MOST_PADDING):
        refuse_left_over(name, expected)
    return shape[:3]


def refuse_left_over(name: str, expected: int) -> NoReturn:
    """Refuse a file that goes on after its last voxel: the header does not describe what is in it."""
    _refuse(name, f"{expected} bytes of voxels", "more: its header does not fit its content")


def _stated(raw: np.ndarray) -> Stated:
    """Return what the header says of its voxels' places; negative voxel sizes count as positive."""
    sizes = np.abs(raw["pixdim"][1:4].astype(float))
    sform = qform = None
    if raw["sform_code"] > 0:
        sform = np.eye(4)
        sform[:3] = [raw["srow_x"], raw["srow_y"], raw["srow_z"]]
    if raw["qform_code"] > 0:
        qform = _qform(raw)
    return Stated(sform, qform, sizes, float(raw["pixdim"][0]), int(raw["xyzt_units"]) & 7)


def _qform(raw: np.ndarray) -> np.ndarray:
    """Return the qform's affine; NaN where the quaternion is impossible."""
    fixed = raw.copy()
    fixed["pixdim"][1:4] = np.abs(fixed["pixdim"][1:4])
    if fixed["pixdim"][0] not in (1, -1):
        fixed["pixdim"][0] = 1
    order = raw.dtype["datatype"].byteorder
    header = FORMATS[int(raw["sizeof_hdr"])](fixed.tobytes(), order, check=False)
    try:
        return np.asarray(header.get_qform(), float)
    except ValueError:  # b, c and d of length more than 1
        return np.full((4, 4), np.nan)


def _placement(raw: np.ndarray) -> dict[str, np.ndarray]:
    return {**{field: raw[field].copy() for field in CARRIED}, "pixdim": raw["pixdim"][:4].copy()}


def _refuse(name: str, expected: str, found: str) -> NoReturn:
    raise ScanError(
        "unreadable", f"{name}: expected {expected}, found {found}; copy or convert it again"
    )
