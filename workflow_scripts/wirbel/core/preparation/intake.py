"""Check whether an image can be a sagittal T2w scan of a spine.

Every refusal is a `ScanError` whose detail names the file, what was expected, what was found and
what to do. The limits are wide on purpose: they refuse what cannot work, not what is unusual.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NoReturn

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.preparation.image_checks import checked_intensities
from wirbel.core.preparation.nibabel_alone import orientations
from wirbel.core.preparation.voxel_values import clean
from wirbel.errors import ScanError

MAXIMUM_VOXELS = 200_000_000
"""More than a spine at 0.5 mm in all directions (157 million), and at most 0.8 GB as float32."""
FINEST_VOXEL_MM = 0.1
"""Clinical spine scans go down to 0.24 mm (SPIDER, van der Graaf et al., Sci Data 2024)."""
COARSEST_IN_PLANE_MM = 3.0
"""Discs are 4 mm (cervical) to 11 mm (lumbar) high, so a coarser voxel can miss them altogether."""
COARSEST_SLICE_MM = 12.0
"""Published sagittal T2w slices reach 9.6 mm (SPIDER, as above)."""
LARGEST_EXTENT_MM = 2500.0
"""Taller than any person; beyond it the header's unit cannot be millimetres."""
LARGEST_FIELD_LITRES = 200.0
"""Twice the volume of a person; beyond it the voxel sizes are wrong, and the model grid would need
gigabytes.
"""
LARGEST_SHEAR_DEG = 10.0
"""Scanners write right angles; a file registered to another may be sheared by a few degrees."""
THICK_SLICE_RATIO = 1.5
"""An image consists of slices if its largest voxel size is at least this many times the second
largest.
"""
RESOLVING_SLICE_MM = 2.5
"""Slices up to this thickness resolve a cervical disc (4 mm high) in any plane."""
SHORTEST_EXTENT_MM = {"inferior-superior": 40.0, "anterior-posterior": 30.0, "left-right": 8.0}
"""A lumbar vertebra with its discs is about 40 mm high, a body is 30 mm deep, and 8 mm spans the cord."""
FEWEST_SAGITTAL_SLICES = 3

_DIRECTIONS = ("left-right", "anterior-posterior", "inferior-superior")
_PLANES = {"left-right": "sagittal", "anterior-posterior": "coronal", "inferior-superior": "axial"}


def check_shape(shape: tuple[int, ...], name: str) -> None:
    """Check an image's size as its header states it, before any voxel is read.

    Raises
    ------
    ScanError
        "unreadable" for no voxels or too many; "not_3d".
    """
    if not shape or min(shape) < 1:
        found = f"the shape {_size(shape)}"
        _refuse("unreadable", name, "at least one voxel", found, "export the scan again")
    if int(np.prod([int(n) for n in shape], dtype=object)) > MAXIMUM_VOXELS:
        _refuse(
            "unreadable",
            name,
            f"at most {MAXIMUM_VOXELS:,} voxels",
            f"a header that claims {_size(shape)}",
            "check whether the file is damaged; if it is not, crop or resample it",
        )
    if not is_three_dimensional(shape):
        _refuse(
            "not_3d",
            name,
            "three dimensions",
            f"the shape {_size(shape)}",
            "store one volume per file (an echo or a time point is a separate scan)",
        )


def check_type(dtype: np.dtype, name: str) -> None:
    """Refuse complex and colour voxels (ScanError "unreadable")."""
    if np.dtype(dtype).kind not in "biuf":
        _refuse(
            "unreadable",
            name,
            "one real number per voxel",
            f"the data type {dtype}",
            "store the magnitude image as integers or floats",
        )


def is_three_dimensional(shape: tuple[int, ...]) -> bool:
    """Return True if `shape` has three axes, or more that have length 1.

    Examples
    --------
    >>> is_three_dimensional((320, 320, 15, 1)), is_three_dimensional((320, 320, 15, 2))
    (True, False)
    """
    return len(shape) >= 3 and all(n == 1 for n in shape[3:])


def check_scan(volume: Volume, name: str, accepted: Collection[str] = ()) -> Volume:
    """Return the scan with three dimensions and finite intensities, or say why it cannot be used.

    Parameters
    ----------
    volume : Volume
        The scan; axes in any order and direction.
    name : str
        The file name, for messages.
    accepted : collection of str
        Faults that are no reason to refuse it: of "not_sagittal", "too_small", "bad_intensities".

    Raises
    ------
    ScanError
        "unreadable", "not_3d", "bad_geometry", "header_conflict", "not_sagittal", "too_small" or
        "bad_intensities".
    """
    check_shape(volume.data.shape, name)
    check_type(volume.data.dtype, name)
    volume = volume.with_data(volume.data.reshape(volume.data.shape[:3]))
    check_geometry(volume, name)
    for fault in _faults_of_grid(volume, name):
        if fault.reason not in accepted:
            raise fault
    try:
        return volume.with_data(checked_intensities(volume.data, name))
    except ScanError as fault:
        if fault.reason not in accepted:
            raise
        return volume.with_data(clean(volume.data)[0])


def scan_doubts(volume: Volume) -> tuple[str, ...]:
    """Return which of the faults that `check_scan` may accept a scan has."""
    found = [fault.reason for fault in _faults_of_grid(volume, "")]
    try:
        checked_intensities(volume.data, "")
    except ScanError as fault:
        found.append(fault.reason)
    return tuple(found)


def _faults_of_grid(volume: Volume, name: str) -> Iterator[ScanError]:
    for check in (check_sagittal, check_field_of_view):
        try:
            check(volume, name)
        except ScanError as fault:
            yield fault


def check_geometry(volume: Volume, name: str) -> None:
    """Check that the affine (4 x 4, voxel -> mm) is finite and regular, with possible voxel sizes."""
    affine = np.asarray(volume.affine, float)
    remedy = "convert the scan again from DICOM (for example with dcm2niix)"
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        _refuse(
            "bad_geometry", name, "a finite 4 x 4 affine", "missing or infinite numbers", remedy
        )
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    if sizes.min() <= 0 or abs(np.linalg.det(affine[:3, :3] / sizes)) < 1e-3:
        _refuse("bad_geometry", name, "three independent axes", "an affine without volume", remedy)
    in_plane, slices = np.sort(sizes)[1], sizes.max()
    if (
        sizes.min() < FINEST_VOXEL_MM
        or in_plane > COARSEST_IN_PLANE_MM
        or slices > COARSEST_SLICE_MM
    ):
        _refuse(
            "bad_geometry",
            name,
            f"voxels of {FINEST_VOXEL_MM:g} to {COARSEST_IN_PLANE_MM:g} mm in plane and slices of "
            f"at most {COARSEST_SLICE_MM:g} mm",
            f"{_millimetres(sizes)}",
            "check the header's units, or use a scan of finer resolution",
        )
    extent = (np.array(volume.data.shape) * sizes).max()
    if extent > LARGEST_EXTENT_MM:
        _refuse(
            "bad_geometry",
            name,
            f"a field of view of at most {LARGEST_EXTENT_MM:g} mm",
            f"{extent:.0f} mm",
            "check the header's units",
        )
    litres = float(np.prod(np.array(volume.data.shape) * sizes)) / 1e6
    if litres > LARGEST_FIELD_LITRES:
        _refuse(
            "bad_geometry",
            name,
            f"a field of view of at most {LARGEST_FIELD_LITRES:g} litres",
            f"{litres:.0f} litres",
            "check the header's voxel sizes, or crop the scan",
        )
    if is_lost(affine):
        _refuse(
            "header_conflict",
            name,
            "the scanner's voxel sizes, directions and origin",
            "an identity affine, as tools write it after losing them",
            "convert the scan again, or copy the header of the file it was made from",
        )
    shear = largest_shear_deg(affine)
    if shear > LARGEST_SHEAR_DEG:
        _refuse(
            "bad_geometry",
            name,
            f"axes at right angles (to within {LARGEST_SHEAR_DEG:g} degrees)",
            f"axes sheared by {shear:.0f} degrees",
            remedy,
        )


def is_lost(affine: np.ndarray) -> bool:
    """Return True if an affine (4 x 4) is an identity, up to axis order and direction: 1 mm voxels at
    the origin, which no scanner writes.
    """
    return bool(np.isin(np.abs(affine[:3, :3]), (0, 1)).all() and not affine[:3, 3].any())


def largest_shear_deg(affine: np.ndarray) -> float:
    """Return the largest deviation of two axes from a right angle, in degrees.

    Examples
    --------
    >>> largest_shear_deg(np.diag([0.9, 0.9, 3.3, 1.0]))
    0.0
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = np.abs((axes.T @ axes)[np.triu_indices(3, 1)])
    return float(np.degrees(np.arcsin(np.clip(cosines.max(), 0, 1))))


def check_sagittal(volume: Volume, name: str) -> None:
    """Refuse thick slices that are not sagittal (ScanError "not_sagittal").

    Volumes without thick slices pass in any orientation.
    """
    sizes = volume.spacing_mm
    second, thickest = np.sort(sizes)[1:]
    found = anatomical_directions(volume)[int(np.argmax(sizes))]
    if thickest <= max(RESOLVING_SLICE_MM, THICK_SLICE_RATIO * second) or found == "left-right":
        return
    _refuse(
        "not_sagittal",
        name,
        f"sagittal slices, or slices of at most {RESOLVING_SLICE_MM:g} mm",
        f"{_PLANES[found]} slices (voxels of {_millimetres(sizes)}, the thickest along {found})",
        "provide the sagittal T2w scan, or exclude this file",
    )


def anatomical_directions(volume: Volume) -> tuple[str, ...]:
    """Return the anatomical direction pair that each array axis is closest to, such as "left-right"."""
    return tuple(
        _DIRECTIONS[int(axis)] for axis in orientations.io_orientation(volume.affine)[:, 0]
    )


def check_field_of_view(volume: Volume, name: str) -> None:
    """Refuse a field of view that cannot hold one vertebra (ScanError "too_small")."""
    extents = dict(
        zip(anatomical_directions(volume), volume.grid.shape * volume.spacing_mm, strict=True)
    )
    counts = dict(zip(anatomical_directions(volume), volume.grid.shape, strict=True))
    remedy = "exclude it if it is a localiser or a cropped piece"
    for direction, shortest in SHORTEST_EXTENT_MM.items():
        if extents[direction] < shortest:
            _refuse(
                "too_small",
                name,
                f"at least {shortest:g} mm {direction}",
                f"{extents[direction]:.1f} mm",
                remedy,
            )
    if counts["left-right"] < FEWEST_SAGITTAL_SLICES:
        _refuse(
            "too_small",
            name,
            f"at least {FEWEST_SAGITTAL_SLICES} sagittal slices",
            f"{counts['left-right']}",
            remedy,
        )


def _refuse(reason: str, name: str, expected: str, found: str, remedy: str) -> NoReturn:
    raise ScanError(reason, f"{name}: expected {expected}, found {found}; {remedy}.")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(int(n)) for n in shape) or "()"


def _millimetres(sizes: np.ndarray) -> str:
    return " x ".join(f"{size:.3g}" for size in sizes) + " mm"
