"""Choose the affine of a NIfTI header and find its contradictions.

The sform counts if its code is above 0, otherwise the qform. If the two transforms differ but give
the same voxel sizes, this rule applies and the difference is noted. If the voxel sizes differ, the
scan is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, NoReturn

import numpy as np

from wirbel.core.preparation.nibabel_alone import voxel_sizes
from wirbel.errors import ScanError

HEADER_CONFLICT = "header_conflict"
LATERALITY_UNKNOWN = "laterality_unknown"
UNIT_NOT_MM = "unit_not_mm"
LARGEST_SIZE_DIFFERENCE = 0.02
"""Beyond 2 %, the volume of a body is wrong by more than 6 %, which is more than repeated measurements
differ.
"""
NOTED_SIZE_DIFFERENCE = 0.005
"""Voxel sizes rounded to three digits differ by up to this fraction."""
LARGEST_DISTANCE_MM = 1.0
"""About a pixel. Below it, maps and scan overlay whichever transform a viewer uses."""
UNITS = {0: "mm", 1: "metres", 2: "mm", 3: "micrometres"}
"""NIfTI's codes for spatial units; 0 (unknown) is common and means millimetres."""
CONVERT = "convert the scan again from DICOM (for example with dcm2niix)"


class Note(NamedTuple):
    """What a header leaves open: LATERALITY_UNKNOWN, UNIT_NOT_MM or HEADER_CONFLICT, and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Stated:
    """What a header says about the positions of its voxels.

    Attributes
    ----------
    sform, qform : ndarray, shape (4, 4), or None
        Voxel -> RAS+ mm; None if the code is 0. An impossible quaternion gives NaN.
    sizes_mm : ndarray, shape (3,)
        Voxel sizes from pixdim; 0 where it gives none.
    hand : float
        pixdim[0]: with a qform, says whether the third axis is mirrored (1, -1).
    unit : int
        NIfTI's code of the spatial unit.
    """

    sform: np.ndarray | None
    qform: np.ndarray | None
    sizes_mm: np.ndarray
    hand: float = 1.0
    unit: int = 2


def choose(
    stated: Stated, shape: tuple[int, ...], name: str
) -> tuple[np.ndarray, tuple[Note, ...]]:
    """Return the affine to use.

    Parameters
    ----------
    stated : Stated
        What the header says.
    shape : tuple of int
        Voxels along each axis.
    name : str
        The file name, for messages.

    Returns
    -------
    affine : ndarray, shape (4, 4)
        Voxel -> RAS+ mm.
    notes : tuple of Note
        One about each contradiction.

    Raises
    ------
    ScanError
        "bad_geometry" if there is no usable transform; "header_conflict" if the voxel sizes of
        sform and pixdim differ by more than 2 %.
    """
    if stated.sform is None:
        return _qform_alone(stated, name), tuple(_doubts(stated))
    difference = _size_difference(stated.sform, stated.sizes_mm)
    if difference > LARGEST_SIZE_DIFFERENCE:
        _refuse(
            HEADER_CONFLICT,
            name,
            "the same voxel sizes in sform and pixdim",
            f"{_millimetres(voxel_sizes(stated.sform))} against {_millimetres(stated.sizes_mm)}",
        )
    notes = [*_doubts(stated), *_disagreements(stated, stated.sform, shape)]
    if difference > NOTED_SIZE_DIFFERENCE:
        told = f"the voxel sizes of sform and pixdim differ by {100 * difference:.1f} %"
        notes.append(Note(HEADER_CONFLICT, told))
    return stated.sform, tuple(notes)


def _qform_alone(stated: Stated, name: str) -> np.ndarray:
    found = ""
    if stated.qform is None:
        found = "neither sform nor qform"
    elif not stated.sizes_mm.all():
        found = "voxel sizes of zero"
    elif not np.isfinite(stated.qform).all():
        found = "an impossible qform (its quaternion is not a rotation) and no sform"
    if found or stated.qform is None:
        _refuse("bad_geometry", name, "an orientation and voxel sizes in the header", found)
    return stated.qform


def _doubts(stated: Stated) -> list[Note]:
    """Return what is odd whichever transform is used."""
    notes = []
    if UNITS.get(stated.unit, "mm") != "mm":
        told = f"the header's unit is {UNITS[stated.unit]}; its numbers are read as mm"
        notes.append(Note(UNIT_NOT_MM, told))
    if stated.sform is None and stated.hand not in (1, -1):
        told = "pixdim[0] is neither 1 nor -1, so the qform does not define left and right"
        notes.append(Note(LATERALITY_UNKNOWN, told))
    return notes


def _size_difference(sform: np.ndarray, sizes_mm: np.ndarray) -> float:
    """Return the largest relative difference between the sform's column lengths and pixdim; 0 where
    either is missing.
    """
    if not np.isfinite(sform).all() or not np.isfinite(sizes_mm).all():
        return 0.0
    lengths = voxel_sizes(sform)
    said = (sizes_mm > 0) & (lengths > 0)
    return float(np.max(np.abs(lengths[said] / sizes_mm[said] - 1), initial=0.0))


def _disagreements(stated: Stated, sform: np.ndarray, shape: tuple[int, ...]) -> list[Note]:
    """Return where the qform contradicts the sform."""
    if stated.qform is None or not np.isfinite(sform).all():
        return []
    if not np.isfinite(stated.qform).all():
        told = "the qform is impossible (its quaternion is not a rotation)"
        return [Note(HEADER_CONFLICT, told)]
    if not stated.sizes_mm.all():
        return [Note(HEADER_CONFLICT, "the qform has voxel sizes of zero")]
    apart = _largest_distance_mm(sform, stated.qform, shape)
    if apart <= LARGEST_DISTANCE_MM:
        return []
    mirrored = np.linalg.det(sform[:3, :3]) * np.linalg.det(stated.qform[:3, :3]) < 0
    hand = ", and one is the mirror image of the other" if mirrored else ""
    told = f"sform and qform place the same voxel up to {apart:.0f} mm apart{hand}"
    return [Note(LATERALITY_UNKNOWN if mirrored else HEADER_CONFLICT, told)]


def _largest_distance_mm(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return the largest distance between the positions that two affines give a corner of the field of
    view.
    """
    corners = np.array(list(product(*((0, n - 1) for n in shape[:3]))), float)
    moved = corners @ (one - other)[:3, :3].T + (one - other)[:3, 3]
    return float(np.linalg.norm(moved, axis=1).max())


def _refuse(reason: str, name: str, expected: str, found: str) -> NoReturn:
    raise ScanError(reason, f"{name}: expected {expected}, found {found}; {CONVERT}.")


def _millimetres(sizes: np.ndarray) -> str:
    return " x ".join(f"{size:.3g}" for size in sizes) + " mm"
