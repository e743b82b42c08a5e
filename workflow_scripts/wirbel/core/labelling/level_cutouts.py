"""The labelling network's input: the scan around each vertebral body, as the published networks were trained on it.

Möller et al. 2026, arXiv:2601.14066.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import label_boxes
from wirbel.core.geometry import Volume, reorient
from wirbel.core.instances.cutouts import cut_out
from wirbel.core.labels import BODY_LABELS, DENS, LEVEL_LABELS, SACRUM
from wirbel.core.spineps.components import REFERENCE_MM
from wirbel.core.spineps.grids import box_of, resample, rescaled_grid, zooms

MARGIN_MM = 128.0
"""Kept around the bodies before resampling: more than half a cut-out."""
SEEN_MARGIN_MM = 2 * min(REFERENCE_MM)
"""Kept around the whole segmentation; networks are shown nothing of a scan beyond it."""
TURNING_MARGIN = 64
"""Voxels that a cut-out is larger by, in the sagittal plane, before it is turned."""
TURNING_AXES = ("I", "P", "L")
"""The order in which angles are counted."""
SMALLEST_DENS_MM3 = 250.0
"""SPINEPS'."""
VERTEBRAE = sorted(set(LEVEL_LABELS.values()) - {SACRUM})


@dataclass(frozen=True)
class LevelInput:
    """How a labelling network wants to see a vertebra.

    `spacing_for` gives the voxel size for a scan's, both in mm along `axes`; `size` of the cut-out in voxels along P,
    I, R; `turned`: with the spine upright in it.
    """

    axes: tuple[str, str, str]
    spacing_for: Callable[[Sequence[float]], tuple[float, float, float]]
    size: tuple[int, int, int]
    turned: bool = False


def level_cutouts(
    scan: Volume,
    vertebra: Volume,
    subregion: Volume,
    wanted: LevelInput,
    seen: tuple[slice, ...] | None = None,
) -> dict[int, np.ndarray]:
    """Return number -> cut-out (float32, axes P, I, R) for every vertebra that has a body, from the top down.

    `vertebra` and `subregion` lie on the scan's grid; numbers in `vertebra` ascend from the top. Beyond `seen`, by
    default the bounding box of `subregion` with a margin, cut-outs are 0 as they are beyond the scan. SPINEPS
    does the same.

    Parameters
    ----------
    scan : Volume
        Image, any orientation.
    vertebra, subregion : Volume
        Maps on the scan's grid.
    wanted : LevelInput
        What the network expects: size, voxel size in mm, channels.
    seen : tuple of slice, optional
        Part of the scan, along its own axes.

    Returns
    -------
    dict of int to numpy.ndarray
    """
    prepared = level_scan(scan, vertebra, subregion, wanted, seen)
    return {
        number: normalised(cut(prepared.image, centre, prepared.angles_deg[number], wanted.size))
        for number, centre in prepared.centres.items()
    }


@dataclass(frozen=True)
class LevelScan:
    """What cut-outs are taken from: the seen part of a scan at the network's voxel size, axes P, I, R.

    `centres` has the voxel in the middle of each body's bounding box, `angles_deg` by how much a cut-out is turned.
    """

    image: Volume
    centres: dict[int, list[int]]
    angles_deg: dict[int, float]


def level_scan(
    scan: Volume,
    vertebra: Volume,
    subregion: Volume,
    wanted: LevelInput,
    seen: tuple[slice, ...] | None = None,
) -> LevelScan:
    """Bring a scan to a network's grid and find its vertebral bodies.

    Parameters
    ----------
    scan, vertebra, subregion, wanted, seen
        As in `level_cutouts`.
    """
    if seen is None:
        seen = box_of(subregion.data > 0, int(SEEN_MARGIN_MM / min(zooms(scan.affine))))
    shown, labelled = (_part(volume, seen) for volume in (scan, _bodies(vertebra, subregion)))
    image, bodies = (reorient(volume) for volume in _resampled(shown, labelled, wanted))
    boxes = label_boxes(bodies.data)
    angles_deg = _angles(bodies, list(boxes)) if wanted.turned else dict.fromkeys(boxes, 0.0)
    centres = {
        number: [side.start + (side.stop - side.start) // 2 for side in box]
        for number, box in boxes.items()
    }
    return LevelScan(image, centres, angles_deg)


def cut(
    image: Volume, centre: Sequence[int], angle_deg: float, size: tuple[int, int, int]
) -> np.ndarray:
    """Cut a block, turned in the sagittal plane, around a voxel; it is 0 outside the image.

    Parameters
    ----------
    image : Volume
        Of a `LevelScan`.
    centre : sequence of int
        Voxel in the block's middle.
    angle_deg : float
        By how much the block is turned.
    size : tuple of three int
        Voxels along P, I, R.
    """
    if not angle_deg:
        return cut_out(image.data, np.array(centre), size)[0]
    sagittal = [axis not in "LR" for axis in image.axes]
    i, j, k = (n + TURNING_MARGIN * s for n, s in zip(size, sagittal, strict=True))
    block = image.with_data(cut_out(image.data, np.array(centre), (i, j, k))[0])
    ordered = reorient(block, TURNING_AXES)
    half = TURNING_MARGIN // 2
    turned = ndimage.rotate(ordered.data, angle_deg, reshape=False, order=3)[half:-half, half:-half]
    return reorient(Volume(turned, ordered.affine), image.axes).data


def axis_by_dens(vertebra: Volume, subregion: Volume) -> int | None:
    """Return the number of the vertebra with the largest part of a dens, None where there is hardly one."""
    counts = np.bincount(vertebra.data[subregion.data == DENS], minlength=SACRUM)[:SACRUM]
    counts[0] = 0
    volume_mm3 = counts.max() * float(np.prod(vertebra.spacing_mm))
    return int(counts.argmax()) if volume_mm3 > SMALLEST_DENS_MM3 else None


def normalised(image: np.ndarray) -> np.ndarray:
    """Return (image - mean) / standard deviation of what is not 0; zeros, as outside the scan, stay."""
    image = np.array(image, np.float32)
    seen = image != 0
    if seen.any():
        values = image[seen].astype(np.float64)
        image[seen] = (values - values.mean()) / (values.std() or 1.0)
    return image


def _bodies(vertebra: Volume, subregion: Volume) -> Volume:
    keep = np.isin(vertebra.data, VERTEBRAE) & np.isin(subregion.data, (*BODY_LABELS, DENS))
    return vertebra.with_data(np.where(keep, vertebra.data, 0).astype(np.uint8))


def _part(volume: Volume, box: tuple[slice, ...]) -> Volume:
    """Return a part of a volume, which stays where it is."""
    affine = volume.affine.copy()
    affine[:3, 3] = volume.grid.to_world(np.array([side.start for side in box]))
    return Volume(volume.data[box], affine)


def _resampled(scan: Volume, bodies: Volume, wanted: LevelInput) -> tuple[Volume, Volume]:
    """Return image (cubic splines) and bodies (nearest neighbour) around the bodies, at the network's spacing.

    The first voxels coincide, nothing is blurred where voxels grow, and whole numbers stay whole, as in the published
    tool.
    """
    image, bodies = (reorient(volume, wanted.axes) for volume in (scan, bodies))
    spacing_mm = zooms(image.affine)
    box = box_of(bodies.data > 0, int(MARGIN_MM / min(spacing_mm)))
    image, bodies = (_part(volume, box) for volume in (image, bodies))
    target = rescaled_grid(image.grid, wanted.spacing_for(tuple(map(float, spacing_mm))))
    return resample(image.with_data(np.nan_to_num(image.data)), target, 3), resample(
        bodies, target, 0
    )


def _angles(bodies: Volume, numbers: list[int]) -> dict[int, float]:
    """Return the angle in degrees between each vertebra's neighbours and the vertical, in voxels."""
    ordered = reorient(bodies, TURNING_AXES).data
    centres = np.array(ndimage.center_of_mass(ordered > 0, ordered, numbers))
    order = np.argsort(centres[:, 0], kind="stable")
    angles = {}
    for place, at in enumerate(order):
        above, below = order[max(place - 1, 0)], order[min(place + 1, len(order) - 1)]
        along = centres[below] - centres[above]
        angles[numbers[at]] = _signed_angle(along) if along.any() else 0.0
    return angles


def _signed_angle(along: np.ndarray) -> float:
    """Return the angle between a direction (I, P, L) and inferior; the sign is that of L minus P."""
    angle = np.degrees(np.arccos(np.clip(along[0] / np.linalg.norm(along), -1.0, 1.0)))
    return float(angle if along[2] - along[1] >= 0 else -angle)
