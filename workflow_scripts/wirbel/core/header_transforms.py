"""Where a NIfTI header says that its voxels lie, and whether it contradicts itself.

Rule of choice: the sform where its code is above 0, else the qform. A header whose voxel sizes agree but whose
transforms do not is used by this rule and noted; one whose voxel sizes disagree is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NoReturn

import numpy as np
from nibabel.affines import voxel_sizes

from wirbel.errors import ScanError

HEADER_CONFLICT = "header_conflict"
LARGEST_SIZE_DIFFERENCE = 0.02
"""Beyond 2 % a body's volume is off by more than 6 %, which is more than measuring twice differs."""
NOTED_SIZE_DIFFERENCE = 0.005
"""Voxel sizes rounded to three digits differ by up to this share."""
LARGEST_DISTANCE_MM = 1.0
"""About a pixel: below it maps and scan still overlay, whichever transform a viewer takes."""
UNITS = {0: "mm", 1: "metres", 2: "mm", 3: "micrometres"}
"""NIfTI's codes of spatial units; 0 (unknown) is usual and means millimetres."""
CONVERT = "convert the scan again from DICOM (for example with dcm2niix)"


@dataclass(frozen=True)
class Stated:
    """What a header says of its voxels' places.

    `sform`, `qform`: 4 x 4, voxel -> RAS+ mm, None where the code is 0; an impossible quaternion gives NaN.
    `sizes_mm`: the three voxel sizes of pixdim, 0 where it says none. `hand`: pixdim[0], which tells with a
    qform whether the third axis is mirrored (1, -1). `unit`: NIfTI's code of the spatial unit.
    """

    sform: np.ndarray | None
    qform: np.ndarray | None
    sizes_mm: np.ndarray
    hand: float = 1.0
    unit: int = 2


def choose(stated: Stated, shape: tuple[int, ...], name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the affine that counts (4 x 4) and a sentence about each contradiction.

    Raises ScanError("bad_geometry") where there is no usable transform, ScanError("header_conflict") where the
    voxel sizes of sform and pixdim differ by more than 2 %. `name` is the file's name for messages.
    """
    if stated.sform is None:
        _check_qform_alone(stated, name)
        return stated.qform, tuple(_doubts(stated))
    difference = _size_difference(stated)
    if difference > LARGEST_SIZE_DIFFERENCE:
        _refuse(
            HEADER_CONFLICT,
            name,
            "the same voxel sizes in sform and pixdim",
            f"{_millimetres(voxel_sizes(stated.sform))} against {_millimetres(stated.sizes_mm)}",
        )
    notes = [*_doubts(stated), *_disagreements(stated, shape)]
    if difference > NOTED_SIZE_DIFFERENCE:
        notes.append(f"the voxel sizes of sform and pixdim differ by {100 * difference:.1f} %")
    return stated.sform, tuple(notes)


def _check_qform_alone(stated: Stated, name: str) -> None:
    found = ""
    if stated.qform is None:
        found = "neither sform nor qform"
    elif not stated.sizes_mm.all():
        found = "voxel sizes of zero"
    elif not np.isfinite(stated.qform).all():
        found = "an impossible qform (its quaternion is no rotation, or holds NaN) and no sform"
    if found:
        _refuse("bad_geometry", name, "an orientation and voxel sizes in the header", found)


def _doubts(stated: Stated) -> list[str]:
    """Return what is odd whichever transform counts."""
    notes = []
    if UNITS.get(stated.unit, "mm") != "mm":
        notes.append(f"the header's unit is {UNITS[stated.unit]}, its numbers are taken for mm")
    if stated.sform is None and stated.hand not in (1, -1):
        notes.append("pixdim[0] is neither 1 nor -1: the qform leaves left and right open")
    return notes


def _size_difference(stated: Stated) -> float:
    """Return the largest share by which a column of the sform differs from pixdim; 0 where either says nothing."""
    if not np.isfinite(stated.sform).all() or not np.isfinite(stated.sizes_mm).all():
        return 0.0
    lengths = voxel_sizes(stated.sform)
    said = (stated.sizes_mm > 0) & (lengths > 0)
    return float(np.max(np.abs(lengths[said] / stated.sizes_mm[said] - 1), initial=0.0))


def _disagreements(stated: Stated, shape: tuple[int, ...]) -> list[str]:
    """Return what the qform says otherwise than the sform."""
    if stated.qform is None or not np.isfinite(stated.sform).all():
        return []
    if not np.isfinite(stated.qform).all():
        return ["the qform is impossible (its quaternion is no rotation, or holds NaN)"]
    if not stated.sizes_mm.all():
        return ["the qform has voxel sizes of zero"]
    apart = _largest_distance_mm(stated.sform, stated.qform, shape)
    if apart <= LARGEST_DISTANCE_MM:
        return []
    mirrored = np.linalg.det(stated.sform[:3, :3]) * np.linalg.det(stated.qform[:3, :3]) < 0
    hand = ", and one is the mirror image of the other" if mirrored else ""
    return [f"sform and qform place the same voxel up to {apart:.0f} mm apart{hand}"]


def _largest_distance_mm(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return how far apart two affines place a corner of the field of view, at most."""
    corners = np.array(list(product(*((0, n - 1) for n in shape[:3]))), float)
    moved = corners @ (one - other)[:3, :3].T + (one - other)[:3, 3]
    return float(np.linalg.norm(moved, axis=1).max())


def _refuse(reason: str, name: str, expected: str, found: str) -> NoReturn:
    raise ScanError(reason, f"{name}: expected {expected}, found {found}; {CONVERT}.")


def _millimetres(sizes: np.ndarray) -> str:
    return " x ".join(f"{size:.3g}" for size in sizes) + " mm"
