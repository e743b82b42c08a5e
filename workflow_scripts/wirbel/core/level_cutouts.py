"""The labelling network's input: the scan around each vertebral body, as the published networks were trained on it.

Möller et al. 2026, arXiv:2601.14066. Arrays here have the axes that the network expects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.cutouts import cut_out
from wirbel.core.geometry import Volume, grow_box, labelled_boxes, reorient
from wirbel.core.labels import BODY_LABELS, DENS, LEVEL_LABELS, SACRUM

MARGIN_MM = 128.0
"""Kept around the bodies before resampling: more than half a cut-out."""
TURNING_MARGIN = 64
"""Voxels that a cut-out is larger by, in the sagittal plane, before it is turned."""
TURNING_AXES = ("I", "P", "L")
"""The order in which angles are counted."""
SMALLEST_DENS_MM3 = 250.0
"""The published tool's."""
VERTEBRAE = sorted(set(LEVEL_LABELS.values()) - {SACRUM})


@dataclass(frozen=True)
class LevelInput:
    """How a labelling network wants to see a vertebra.

    `axes` of its arrays; `spacing_for` gives the voxel size for a scan's, both in mm along these axes; `size` of
    the cut-out in voxels; `turned`: with the spine upright in it.
    """

    axes: tuple[str, str, str]
    spacing_for: Callable[[np.ndarray], tuple[float, float, float]]
    size: tuple[int, int, int]
    turned: bool = False


def level_cutouts(
    scan: Volume, vertebra: Volume, subregion: Volume, wanted: LevelInput
) -> dict[int, np.ndarray]:
    """Return number -> cut-out (float32) for every vertebra that has a body, from the top down.

    `vertebra` and `subregion` lie on the scan's grid; numbers in `vertebra` ascend from the top.
    """
    image, bodies = _resampled(scan, _bodies(vertebra, subregion), wanted)
    boxes = dict(labelled_boxes(bodies.data))
    angles = _angles(bodies, list(boxes)) if wanted.turned else dict.fromkeys(boxes, 0.0)
    out = {}
    for number, box in boxes.items():
        centre = [side.start + (side.stop - side.start) // 2 for side in box]
        out[number] = normalised(_cut(image, centre, angles[number], wanted.size))
    return out


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


def _resampled(scan: Volume, bodies: Volume, wanted: LevelInput) -> tuple[Volume, Volume]:
    """Return image (cubic splines) and bodies (nearest neighbour) around the bodies, at the network's spacing.

    The first voxels coincide, as in the published tool; there is no blur where voxels grow.
    """
    image, bodies = reorient(scan, wanted.axes), reorient(bodies, wanted.axes)
    found = ndimage.find_objects((bodies.data > 0).astype(np.uint8))
    if not found:
        return image, bodies
    spacing = image.spacing_mm
    box = grow_box(found[0], int(MARGIN_MM / spacing.min()), image.data.shape)
    scale = np.asarray(wanted.spacing_for(spacing)) / spacing
    shape = tuple(int(n) for n in np.rint(np.array([s.stop - s.start for s in box]) / scale))
    affine = image.affine.copy()
    affine[:3, 3] = image.grid.to_world(np.array([s.start for s in box]))
    affine[:3, :3] *= scale
    data = _as_stored(image.data[box])
    how = {"output_shape": shape, "mode": "nearest"}
    return (
        Volume(ndimage.affine_transform(data, scale, order=3, **how), affine),
        Volume(ndimage.affine_transform(bodies.data[box], scale, order=0, **how), affine),
    )


def _as_stored(data: np.ndarray) -> np.ndarray:
    """Return whole numbers as integers, as scanners write them: what is interpolated between stays whole.

    The ripples of splines beside the zeros outside the scan vanish so, which would count as seen otherwise.
    """
    data = np.nan_to_num(data.astype(np.float32, copy=False))
    return data.astype(np.int32) if (data == np.trunc(data)).all() else data


def _cut(image: Volume, centre: list[int], angle_deg: float, size: tuple[int, ...]) -> np.ndarray:
    if not angle_deg:
        return cut_out(image.data, np.array(centre), size)[0]
    sagittal = [axis not in "LR" for axis in image.axes]
    larger = tuple(n + TURNING_MARGIN * s for n, s in zip(size, sagittal, strict=True))
    block = image.with_data(cut_out(image.data, np.array(centre), larger)[0])
    ordered = reorient(block, TURNING_AXES)
    half = TURNING_MARGIN // 2
    turned = ndimage.rotate(ordered.data, angle_deg, reshape=False, order=3)[half:-half, half:-half]
    return reorient(Volume(turned, ordered.affine), image.axes).data


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
