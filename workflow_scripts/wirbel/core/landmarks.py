"""What the naming of levels rests on: sizes of the bodies, C2's dens, gaps, and the sacrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from wirbel.core.chain import Chain
from wirbel.core.components import find_components, room_mm, voxel_volume_mm3
from wirbel.core.geometry import Volume, labelled_boxes
from wirbel.core.growth import surface
from wirbel.core.labels import BODY_LABELS, SACRUM

DENS_RATIO = 1.6
"""Height of C2 with its dens over C3's from which it counts as C2: 38.1 mm (Yousuf et al., Int J Res Med Sci 2023)
over 12 to 16 mm (Panjabi 1991; Gilad and Nissan 1985) is 2.4 to 3.2; no other body is 1.3 times
as tall as the next, apart from above a crushed one."""
DENS_HEIGHT_MM = 26.0
"""Shortest C2 with dens: 38 mm less three standard deviations (2.5 mm) and a tip lost to partial volume."""
DENS_TAPER = 0.7
"""Largest cross-section of the upper third over the lower third: dens 10.6 x 9.8 mm on a body of 14.9 x 16 mm
gives 0.4 (Gosavi and Swamy 2012); a body without dens, or two merged ones, about 1."""
CERVICAL_DEPTH_MM = 24.0
"""Greatest depth of the body below C2: C3 15.6 mm (Panjabi 1991) and osteophytes; lumbar 30 to 36 mm."""
GAP_RATIO = 0.3
PITCH_RATIO = 1.3
"""A disc is 0.2 to 0.4 of the body's height (Gilad and Nissan 1986): with one vertebra missing the space between two
bodies is 1.4 to 1.8 heights, without any it is below 0.5; half way a vertebra counts as missing."""
SPACING_RATIO = 1.6
"""Least distance of lower surfaces beside the neighbours' for a missing vertebra: two levels, less 20 %."""
SMALLEST_SACRUM_MM3 = 3000.0
"""A quarter of the first sacral segment's body, 45 x 30 x 10 mm of which lie in any field of view that ends there."""
SURE_SACRUM_MM3 = 15000.0
"""Less than half the first sacral segment's body (45 x 30 x 28 mm) may also be part of a vertebra cut by the border."""
TOUCHES_EDGE_MM = 2.0


@dataclass(frozen=True)
class BodyShape:
    """One vertebral body: instance number, arc positions of its ends, sizes in mm, taper, completeness.

    `height_mm` is that of the central column, `length_mm` the whole extent along the spine (dens included);
    `taper` is the upper third's cross-section over the lower third's; `complete` means no field-of-view edge cuts
    the upper or lower end; `width_known` the same for the sides.
    """

    number: int
    middle_mm: float
    top_mm: float
    bottom_mm: float
    height_mm: float
    length_mm: float
    depth_mm: float
    width_mm: float
    taper: float
    complete: bool
    width_known: bool


def body_shapes(instances: Volume, labels: Volume, chain: Chain) -> list[BodyShape]:
    """Measure the body of every instance 1 ... 25 that has one, from the top down."""
    inside = np.isin(labels.data, BODY_LABELS) & (instances.data < SACRUM)
    bodies = np.where(inside, instances.data, 0)
    shapes = []
    for number, box in labelled_boxes(bodies):
        voxels = np.argwhere(bodies[box] == number) + [s.start for s in box]
        shapes.append(_shape(number, voxels, labels, chain))
    return sorted(shapes, key=lambda shape: shape.number)


def _shape(number: int, voxels: np.ndarray, labels: Volume, chain: Chain) -> BodyShape:
    world = labels.grid.to_world(voxels)
    centre = world.mean(0)
    middle = float(chain.locate(centre)[0][0])
    down, back = chain.down(middle), chain.backward(middle)
    along, behind, beside = ((world - centre) @ axis for axis in (down, back, np.cross(down, back)))
    depth, width, length = _extent(behind), _extent(beside), _extent(along)
    column = (np.abs(behind) <= depth / 4) & (np.abs(beside) <= width / 4)
    thirds = np.histogram(along, bins=3)[0]
    ends = [centre + q * down for q in np.quantile(along, (0.01, 0.99))]
    vertical = min(room_mm(labels.grid, ends[0], -down), room_mm(labels.grid, ends[1], down))
    sides = np.cross(down, back)
    lateral = min(room_mm(labels.grid, centre, sides), room_mm(labels.grid, centre, -sides))
    return BodyShape(
        number,
        middle,
        middle + float(np.quantile(along, 0.02)),
        middle + float(np.quantile(along, 0.98)),
        _extent(along[column]) if column.any() else length,
        length,
        depth,
        width,
        thirds[0] / max(thirds[2], 1),
        vertical >= TOUCHES_EDGE_MM,
        lateral >= width / 2 + TOUCHES_EDGE_MM,
    )


def _extent(position_mm: np.ndarray) -> float:
    low, high = np.quantile(position_mm, (0.02, 0.98))
    return float(high - low) / 0.96


def is_axis(shapes: list[BodyShape]) -> bool:
    """Return whether the topmost body is C2, recognised by its dens and the small body below it."""
    if len(shapes) < 2 or shapes[0].number != 1:
        return False
    first, second = shapes[:2]
    usual = float(np.median([s.length_mm for s in shapes[1:4]]))
    return (
        first.length_mm >= max(DENS_HEIGHT_MM, DENS_RATIO * usual)
        and first.taper <= DENS_TAPER
        and second.depth_mm <= CERVICAL_DEPTH_MM
    )


def missing_between(shapes: list[BodyShape]) -> list[int]:
    """Return for each pair of neighbouring bodies how many vertebrae seem to be missing between them.

    Both the free space between the two bodies and the distance of their lower surfaces must say so; the lower
    surfaces because C2's dens does not shift them.
    """
    spacing = np.array(
        [b.bottom_mm - a.bottom_mm for a, b in zip(shapes, shapes[1:], strict=False)]
    )
    missing = []
    for k, (upper, lower) in enumerate(zip(shapes, shapes[1:], strict=False)):
        height = float(np.median([s.height_mm for s in shapes[max(0, k - 1) : k + 3]]))
        by_space = vertebrae_in(lower.top_mm - upper.bottom_mm, height)
        others = np.delete(spacing, k)[max(0, k - 3) : k + 3]
        if len(others):
            ratio = spacing[k] / max(float(np.median(others)), 1.0)
            by_space = min(by_space, max(1, round(ratio - 1)) if ratio >= SPACING_RATIO else 0)
        missing.append(by_space)
    return missing


def vertebrae_in(space_mm: float, height_mm: float) -> int:
    """Return how many vertebrae of a height fit, with their discs, into the space between two bodies."""
    return max(0, int((space_mm / max(height_mm, 1.0) - GAP_RATIO) / PITCH_RATIO + 0.5))


def sacrum_mm3(labels: Volume) -> float:
    """Return the volume of everything called sacrum."""
    return float(np.count_nonzero(labels.data == SACRUM)) * voxel_volume_mm3(labels.affine)


def missing_above_sacrum(instances: Volume, labels: Volume, shapes: list[BodyShape]) -> int | None:
    """Return how many vertebrae seem to be missing above the sacrum, None where no sacrum is seen.

    The space is the shortest distance between the sacrum and the lowest body.
    """
    sacra = find_components(labels.with_data((labels.data == SACRUM).astype(np.uint8)))
    volume = sacra.volume_mm3.max(initial=0)
    if volume < SMALLEST_SACRUM_MM3 or not shapes:
        return None
    largest = sacra.numbers == int(sacra.volume_mm3.argmax()) + 1
    box = np.isin(labels.data, BODY_LABELS) & (instances.data == shapes[-1].number)
    ends = [labels.grid.to_world(np.argwhere(surface(m.astype(np.uint8)))) for m in (largest, box)]
    distance, _ = cKDTree(ends[0]).query(ends[1])
    height = float(np.median([s.height_mm for s in shapes[-3:]]))
    return vertebrae_in(float(distance.min()), height)


def cord_end(
    labels: Volume, chain: Chain, cord: int, canal: int
) -> tuple[float, float, float] | None:
    """Return arc positions (mm) of the cord's lower end and of the canal's upper and lower ends, or None.

    The cord's end is minus infinity where there is a canal but no cord.
    """
    found = {}
    for label in (cord, canal):
        voxels = np.argwhere(labels.data == label)
        if len(voxels) * voxel_volume_mm3(labels.affine) >= 200.0:
            arc, _ = chain.locate(labels.grid.to_world(voxels[:: max(1, len(voxels) // 4000)]))
            found[label] = np.quantile(arc, (0.01, 0.99))
    if canal not in found:
        return None
    low = min(found[label][0] for label in found)
    high = max(found[label][1] for label in found)
    return float(found[cord][1]) if cord in found else -np.inf, float(low), float(high)
