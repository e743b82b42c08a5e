"""What a label map shows of every piece of vertebral body, and of what surrounds it, as numbers to decide by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from wirbel.core.body_cuts import Part
from wirbel.core.chain import Chain
from wirbel.core.components import Components, find_components, room_mm, voxel_volume_mm3, voxels_of
from wirbel.core.geometry import Grid, Volume
from wirbel.core.growth import surface
from wirbel.core.labels import CANAL, CORD, POSTERIOR_ELEMENTS, SACRUM

CRUSHED = 0.6
"""What is as deep and wide as its neighbours counts as this part of a body however flat it is: a crushed one, no bit."""
EDGE_MM = 2.0
"""A body that ends this near to the border of the image is taken for cut."""
BIN_MM = 2.0
SAMPLES = 4000
"""Voxels by which the course of a long structure is followed."""
SMALLEST_SACRUM_MM3 = 1000.0
"""A tip of the sacrum at the border of the image; smaller ones tell nothing."""
LEAST_DISC_SHARE = 0.15
"""Discs below this part of the usual disc's volume are bits of one."""
BELOW_MM = 6.0
"""Posterior elements hang lower than the body; half a disc."""
LEAST_ARCH_SHARE = 0.25
"""Posterior elements below this part of what usually lies beside a body are those of its neighbours."""
NEARBY_MM = 70.0
"""Two lumbar levels."""
LEAST_OF_LARGEST = 0.15
"""The smallest body over the largest of a spine (C3 3 ml, L4 20 ml): a lonely bit is none."""
LARGE = 0.5
"""A piece of this part of the largest ones' volume is a body for sure."""


@dataclass(frozen=True)
class Sightings:
    """All pieces from the top down; arrays (n,) unless said otherwise, arcs along the chain in mm.

    `height_mm` of the central column; `behind_mm`, `beside_mm` (n, 2) how far the piece reaches from the chain to the front
    and the back, and to the sides; `open_top`, `open_bottom` whether the border of the image cuts the piece there;
    `width_known` the same for its sides; `canal` share of its height with canal beside it;
    `behind_canal` share of its voxels that lie behind the canal; `arch` whether
    posterior elements lie beside it; `in_sacrum` share of the sacrum that lies higher than its centre; `to_sacrum_mm`
    distance of surfaces, infinite without a sacrum; `disc_mm` (m,) middles of the discs; `volume_share` volume over
    that of the large pieces nearby, or cross-section where a piece is crushed or cut by the border; `cord` (end of the cord, upper and lower end of the canal), None without canal;
    `room_mm` field of view above the first and below the last arc position, by piece (n, 2).
    """

    middle_mm: np.ndarray
    top_mm: np.ndarray
    bottom_mm: np.ndarray
    height_mm: np.ndarray
    behind_mm: np.ndarray
    beside_mm: np.ndarray
    volume_mm3: np.ndarray
    volume_share: np.ndarray
    centre_mm: np.ndarray
    down: np.ndarray
    open_top: np.ndarray
    open_bottom: np.ndarray
    width_known: np.ndarray
    canal: np.ndarray
    behind_canal: np.ndarray
    arch: np.ndarray
    in_sacrum: np.ndarray
    to_sacrum_mm: np.ndarray
    room_mm: np.ndarray
    disc_ratio: np.ndarray
    bend_deg: np.ndarray
    disc_mm: np.ndarray
    sacrum_mm3: float
    sacrum_length_mm: float
    sacrum_cut: bool
    cord: tuple[float, float, float] | None

    def __len__(self) -> int:
        return len(self.middle_mm)


def look(parts: list[Part], discs: list[Part], labels: Volume, chain: Chain) -> Sightings:
    """Measure every piece; `parts` and `discs` lie along `chain`, the parts from the top down."""
    shapes = np.array([_shape(part, chain) for part in parts]).reshape(len(parts), 8)
    middle, top, bottom, height = shapes[:, :4].T
    behind, beside = shapes[:, 4:6], shapes[:, 6:]
    depth, width = (np.ptp(ends, axis=1) for ends in (behind, beside))
    centre = np.array([part.world_mm.mean(0) for part in parts])
    volume = np.array([part.volume_mm3 for part in parts])
    room = np.array([_room(part, chain, labels.grid) for part in parts])
    sides = np.array(
        [_side_room(c, m, chain, labels.grid) for c, m in zip(centre, middle, strict=True)]
    )
    sacrum = _sacrum(labels)
    cut = (room < EDGE_MM).any(1)
    share = share_of_neighbours(volume, middle)
    across = share_of_neighbours(depth * width, middle) * np.where(cut, 1.0, CRUSHED)
    share = np.maximum(share, across)
    return Sightings(
        middle, top, bottom, height, behind, beside, volume,
        share,
        centre,
        chain.down(middle),
        room[:, 0] < EDGE_MM,
        room[:, 1] < EDGE_MM,
        sides >= width / 2 + EDGE_MM,
        _canal_share(labels, chain, top, bottom),
        _behind_canal(parts, labels, chain),
        _has_arch(labels, chain, middle, bottom, volume),
        _height_in_sacrum(sacrum, centre, volume),
        np.array([_distance(sacrum, part) for part in parts]),
        room,
        _disc_ratio(discs, chain, middle),
        _bend_deg(centre, middle, share, chain),
        _disc_places(discs),
        sacrum.volume_mm3,
        sacrum.length_mm,
        sacrum.cut,
        cord_end(labels, chain),
    )  # fmt: skip


def _shape(part: Part, chain: Chain) -> tuple[float, ...]:
    """Return middle, top and bottom arc, height of the central column, and the ends across the chain, in mm."""
    centre = part.world_mm.mean(0)
    down, back = chain.down(part.middle_mm), chain.backward(part.middle_mm)
    along, behind, beside = (
        (part.world_mm - centre) @ axis for axis in (down, back, np.cross(down, back))
    )
    column = (np.abs(behind) <= extent_mm(behind) / 4) & (np.abs(beside) <= extent_mm(beside) / 4)
    height = extent_mm(along[column]) if column.any() else extent_mm(along)
    top, bottom = np.quantile(along, (0.02, 0.98))
    place = part.offset_mm.mean(0)
    across = [
        _ends(side) + place @ axis
        for side, axis in ((behind, back), (beside, np.cross(down, back)))
    ]
    return (
        part.middle_mm,
        part.middle_mm + top,
        part.middle_mm + bottom,
        height,
        *across[0],
        *across[1],
    )


def _ends(position_mm: np.ndarray) -> np.ndarray:
    """Return both ends of positions, as `extent_mm` takes them."""
    middle = np.quantile(position_mm, (0.02, 0.98)).mean()
    return middle + np.array([-0.5, 0.5]) * extent_mm(position_mm)


def extent_mm(position_mm: np.ndarray) -> float:
    """Return how far positions reach: their central 96 %, scaled to the whole, and one millimetre at the least."""
    low, high = np.quantile(position_mm, (0.02, 0.98))
    return max(float(high - low) / 0.96, 1.0)


def _room(part: Part, chain: Chain, grid: Grid) -> tuple[float, float]:
    """Return how much of the image lies above and below a piece, along the spine."""
    down, centre = chain.down(part.middle_mm), part.world_mm.mean(0)
    along = (part.world_mm - centre) @ down
    ends = [centre + q * down for q in np.quantile(along, (0.01, 0.99))]
    return room_mm(grid, ends[0], -down), room_mm(grid, ends[1], down)


def _side_room(centre, middle, chain: Chain, grid: Grid) -> float:
    side = np.cross(chain.down(middle), chain.backward(middle))
    return min(room_mm(grid, centre, side), room_mm(grid, centre, -side))


def share_of_neighbours(volume: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return each volume over that of the second largest piece nearby (the largest may be a merged one), 1 at most."""
    usual = np.zeros(len(volume))
    for i, at in enumerate(middle):
        usual[i] = _second_largest(volume[np.abs(middle - at) <= NEARBY_MM])
    return np.minimum(volume / np.maximum(usual, LEAST_OF_LARGEST * _second_largest(volume)), 1.0)


def _second_largest(values: np.ndarray) -> float:
    return float(np.sort(values)[-2:][0])


def _bins(labels: Volume, numbers, chain: Chain, low_mm: float, high_mm: float) -> np.ndarray:
    """Return the volume (mm3) of structures in bins of `BIN_MM` along the chain, from `low_mm` on."""
    voxels = np.argwhere(np.isin(labels.data, numbers))
    count = int((high_mm - low_mm) / BIN_MM) + 1
    if not len(voxels):
        return np.zeros(count)
    step = max(1, len(voxels) // SAMPLES)
    arc, _ = chain.locate(labels.grid.to_world(voxels[::step]))
    place = ((arc - low_mm) / BIN_MM).astype(int)
    inside = (arc >= low_mm) & (place < count)
    return np.bincount(place[inside], minlength=count) * step * voxel_volume_mm3(labels.affine)


def _canal_share(labels: Volume, chain: Chain, top, bottom) -> np.ndarray:
    """Return the share of each piece's height that has canal beside it; NaN where the map shows none at all."""
    low = float(top.min())
    filled = _bins(labels, (CANAL, CORD), chain, low, float(bottom.max())) > 0
    if not filled.any():
        return np.full(len(top), np.nan)
    return np.array([_window(filled, a, b, low).mean() for a, b in zip(top, bottom, strict=True)])


def _behind_canal(parts: list[Part], labels: Volume, chain: Chain) -> np.ndarray:
    """Return the share of each piece's voxels that lie behind the middle of the canal at their height."""
    voxels = np.argwhere(np.isin(labels.data, (CANAL, CORD)))
    if not len(voxels):
        return np.zeros(len(parts))
    arc, offset = chain.locate(labels.grid.to_world(voxels[:: max(1, len(voxels) // SAMPLES)]))
    low = arc.min()
    place = ((arc - low) / (3 * BIN_MM)).astype(int)
    count = np.bincount(place)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.bincount(place, chain.behind_mm(arc, offset)) / count
    share = np.zeros(len(parts))
    for i, part in enumerate(parts):
        at = ((part.arc_mm - low) / (3 * BIN_MM)).astype(int)
        inside = (at >= 0) & (at < len(middle))
        behind = chain.behind_mm(part.arc_mm[inside], part.offset_mm[inside]) > middle[at[inside]]
        share[i] = behind.sum() / len(part.arc_mm)
    return share


def _has_arch(labels: Volume, chain: Chain, middle, bottom, volume) -> np.ndarray:
    """Return whether posterior elements lie behind the lower half of each piece, where arch and processes begin.

    Those of the vertebra above reach down to the upper half.
    """
    low = float(middle.min())
    filled = _bins(labels, POSTERIOR_ELEMENTS, chain, low, float(bottom.max()) + 2 * BELOW_MM)
    ends = bottom + BELOW_MM
    density = np.array(
        [_window(filled, a, b, low).mean() for a, b in zip(middle, ends, strict=True)]
    )
    large = volume >= LARGE * np.sort(volume)[-3:].mean()
    return density >= LEAST_ARCH_SHARE * np.median(density[large])


def _window(bins: np.ndarray, begin: float, end: float, low: float) -> np.ndarray:
    first = int((begin - low) / BIN_MM)
    return bins[first : max(first + 1, int((end - low) / BIN_MM) + 1)]


@dataclass(frozen=True)
class _Sacrum:
    points_mm: np.ndarray
    surface: cKDTree | None
    volume_mm3: float
    length_mm: float
    cut: bool


def _sacrum(labels: Volume) -> _Sacrum:
    """Return the largest component that is called sacrum."""
    found: Components = find_components(labels.with_data((labels.data == SACRUM).astype(np.uint8)))
    if not len(found) or found.volume_mm3.max() < SMALLEST_SACRUM_MM3:
        return _Sacrum(np.zeros((0, 3)), None, 0.0, 0.0, True)
    largest = int(found.volume_mm3.argmax())
    voxels = voxels_of(found.numbers, largest + 1, found.boxes[largest])
    mask = (found.numbers == largest + 1).astype(np.uint8)
    outer = labels.grid.to_world(np.argwhere(surface(mask)))
    points = labels.grid.to_world(voxels)
    top, tip = points[np.argmax(points[:, 2])], points[np.argmin(points[:, 2])]
    cut = bool(
        ((voxels == 0) | (voxels == np.array(labels.data.shape) - 1))[:, _up_axes(labels)].any()
    )
    volume = float(found.volume_mm3[largest])
    return _Sacrum(points, cKDTree(outer), volume, float(np.linalg.norm(top - tip)), cut)


def _up_axes(labels: Volume) -> list[int]:
    """Return the array axes that are not from left to right."""
    return [i for i, code in enumerate(labels.axes) if code not in "LR"]


def _distance(sacrum: _Sacrum, part: Part) -> float:
    if sacrum.surface is None:
        return np.inf
    step = max(1, len(part.world_mm) // SAMPLES)
    return float(sacrum.surface.query(part.world_mm[::step])[0].min())


def _height_in_sacrum(sacrum: _Sacrum, centre: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Return the share of the sacrum that lies above each centre, along the axis from a lumbar body to the sacrum.

    The axis begins at the second nearest of the large pieces: the nearest may be a part of the sacrum itself.
    """
    if sacrum.surface is None:
        return np.zeros(len(centre))
    middle = sacrum.points_mm.mean(0)
    large = np.flatnonzero(volume >= LARGE * np.sort(volume)[-3:].mean())
    nearest = large[np.argsort(np.linalg.norm(centre[large] - middle, axis=1))]
    axis = middle - centre[nearest[min(1, len(nearest) - 1)]]
    axis /= max(np.linalg.norm(axis), 1e-9)
    heights = np.sort(sacrum.points_mm @ axis)
    return np.searchsorted(heights, centre @ axis) / len(heights)


def _disc_places(discs: list[Part]) -> np.ndarray:
    if not discs:
        return np.zeros(0)
    volume = np.array([disc.volume_mm3 for disc in discs])
    kept = volume >= LEAST_DISC_SHARE * np.median(volume)
    return np.sort([disc.middle_mm for disc, keep in zip(discs, kept, strict=True) if keep])


def _disc_ratio(discs: list[Part], chain: Chain, middle: np.ndarray) -> np.ndarray:
    """Return the depth of the largest disc below each piece over the usual depth of those above; NaN without either."""
    at = np.array([disc.middle_mm for disc in discs])
    volume = np.array([disc.volume_mm3 for disc in discs])
    depth = np.array([_depth_mm(disc, chain) for disc in discs])
    ratio = np.full(len(middle), np.nan)
    for i, place in enumerate(middle):
        following = middle[i + 1] if i + 1 < len(middle) else np.inf
        below = np.flatnonzero((at > place) & (at < min(place + NEARBY_MM / 2, following)))
        above = np.flatnonzero((at < place) & (at > place - 2 * NEARBY_MM))
        if len(below) and len(above):
            usual = np.sort(depth[above])[len(above) // 2]
            ratio[i] = depth[below[volume[below].argmax()]] / usual
    return ratio


def _depth_mm(part: Part, chain: Chain) -> float:
    return extent_mm(part.offset_mm @ chain.backward(part.middle_mm))


def _bend_deg(centre, middle, share, chain: Chain) -> np.ndarray:
    """Return by how much the way between large pieces turns backwards from the piece above to each; NaN at the top."""
    bend = np.full(len(centre), np.nan)
    large = np.flatnonzero(share >= LARGE)
    for i in range(len(centre)):
        above = large[large < i][-2:]
        if len(above) == 2:
            ways = np.diff(centre[[*above, i]], axis=0)
            down, back = chain.down(middle[above[0]]), chain.backward(middle[above[0]])
            lean = np.degrees(np.arctan2(ways @ back, ways @ down))
            bend[i] = lean[1] - lean[0]
    return bend


def cord_end(labels: Volume, chain: Chain) -> tuple[float, float, float] | None:
    """Return arc positions (mm) of the cord's lower end and of the canal's upper and lower ends, or None.

    The cord's end is minus infinity where there is a canal but no cord.
    """
    found = {}
    for label in (CORD, CANAL):
        voxels = np.argwhere(labels.data == label)
        if len(voxels) * voxel_volume_mm3(labels.affine) >= 200.0:
            arc, _ = chain.locate(labels.grid.to_world(voxels[:: max(1, len(voxels) // SAMPLES)]))
            found[label] = np.quantile(arc, (0.01, 0.99))
    if CANAL not in found:
        return None
    low = min(ends[0] for ends in found.values())
    high = max(ends[1] for ends in found.values())
    return float(found[CORD][1]) if CORD in found else -np.inf, float(low), float(high)
