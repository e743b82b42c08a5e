"""Join stations: sort them, register them from the reference outwards, and blend them into one image.

Stations in model axes (P, I, R) are sorted from head to feet. The middle one is the reference: its
header, grid and intensities are kept, and its neighbours are fitted to it, theirs to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wirbel.core.geometry import MODEL_AXES, Grid, Volume, reorient
from wirbel.core.stitching.alignment import MARGIN_MM, Alignment, aligned, moved, sampled
from wirbel.core.stitching.blending import blended, common_grid, intensity_ratio
from wirbel.core.stitching.seams import SHORTEST_OVERLAP_MM, Seam, check_overlap, check_seam

DOWN = 1
"""Axis of MODEL_AXES along the spine."""


@dataclass(frozen=True)
class Stitched:
    """`volume` in model axes; seams and names from head to feet; stations that could not be joined.

    `rows` has the index along the spine of the middle of each overlap, `motions` the 4 x 4 matrix by
    which each station was moved in the world.
    """

    volume: Volume
    seams: tuple[Seam, ...]
    names: tuple[str, ...]
    apart: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    motions: tuple[np.ndarray, ...] = ()


def stitched(stations: Mapping[str, Volume]) -> Stitched:
    """Return one volume of all stations that overlap.

    Where a station in between is missing, the longest row of stations that overlap is put together
    (of equally long ones the lowest), and the others are named in `apart`.

    Parameters
    ----------
    stations : mapping of str to Volume
        Name -> station, in any orientation and order; at least one.

    Returns
    -------
    Stitched
        A single station comes back as it is, in model axes.

    Raises
    ------
    ScanError
        "implausible_seam" if two neighbours overlap but do not fit.

    Examples
    --------
    >>> one = Volume(np.ones((4, 5, 3)), np.diag([3.0, 1.0, 1.0, 1.0]))
    >>> stitched({"lumbar": one}).names
    ('lumbar',)
    """
    upright, order = _from_head_to_feet(stations)
    groups = _groups(order, upright)
    kept = max(reversed(groups), key=len)
    apart = tuple(name for name in order if name not in kept)
    if len(kept) == 1:
        return Stitched(upright[kept[0]], (), tuple(kept), apart, motions=(np.eye(4),))
    fitted, seams, motions = _fitted([upright[name] for name in kept], kept)
    reference = fitted[_middle(kept)].grid
    grid = common_grid(reference, [volume.grid for volume in fitted])
    volume = blended(fitted, grid, DOWN, _ramps([seam.overlap_mm for seam in seams]))
    rows = [_seam_row(grid, *pair) for pair in zip(fitted, fitted[1:], strict=False)]
    return Stitched(volume, tuple(seams), tuple(kept), apart, tuple(rows), tuple(motions))


def seam_above(stations: Mapping[str, Volume], name: str) -> tuple[Seam, np.ndarray] | None:
    """Return how a station fits to the one above it: the seam, and the motion (4 x 4) from its world to that one's.

    Parameters
    ----------
    stations : mapping of str to Volume
        All stations of a session, in any orientation and order.
    name : str
        One of them.

    Returns
    -------
    tuple or None
        None for the uppermost station.

    Raises
    ------
    ScanError
        "implausible_seam" if the two do not overlap, or do not fit.
    """
    upright, order = _from_head_to_feet(stations)
    above = order[max(order.index(name) - 1, 0)]
    if above == name:
        return None
    _, seams, motions = _fitted([upright[above], upright[name]], (above, name))
    return seams[0], motions[1]


def _from_head_to_feet(stations: Mapping[str, Volume]) -> tuple[dict[str, Volume], list[str]]:
    """Return the stations in model axes, and their names in order."""
    upright = {name: reorient(volume, MODEL_AXES) for name, volume in stations.items()}
    return upright, sorted(upright, key=lambda name: _height(upright[name].grid), reverse=True)


def _seam_row(grid: Grid, upper: Volume, lower: Volume) -> int:
    """Return the index along the spine half-way between the lower end of one and the upper of another."""
    ends = [
        volume.grid.to_world(
            np.array([(volume.data.shape[0] - 1) / 2, at, (volume.data.shape[2] - 1) / 2])
        )
        for volume, at in ((upper, upper.data.shape[DOWN] - 0.5), (lower, -0.5))
    ]
    return int(np.rint(grid.to_index(np.mean(ends, axis=0))[DOWN]))


def _height(grid: Grid) -> float:
    """Return the height (S, mm) of a grid's centre."""
    return float(grid.to_world((np.array(grid.shape) - 1) / 2)[2])


def _middle(names: Sequence[str]) -> int:
    return (len(names) - 1) // 2


def _groups(order: Sequence[str], stations: Mapping[str, Volume]) -> list[list[str]]:
    """Return the stations in groups whose members follow each other without a gap."""
    groups = [[order[0]]]
    for upper, lower in zip(order, order[1:], strict=False):
        if overlap_mm(stations[upper].grid, stations[lower].grid) > 0:
            groups[-1].append(lower)
        else:
            groups.append([lower])
    return groups


def overlap_mm(upper: Grid, lower: Grid) -> float:
    """Return how far two grids in model axes overlap along the spine, at their centre; negative: a gap."""
    middle = (np.array(lower.shape) - 1) / 2
    top = np.array([middle[0], -0.5, middle[2]])
    place = upper.to_index(lower.to_world(top))[DOWN]
    return float((upper.shape[DOWN] - 0.5 - place) * upper.spacing_mm[DOWN])


def _fitted(
    stations: list[Volume], names: Sequence[str]
) -> tuple[list[Volume], list[Seam], list[np.ndarray]]:
    """Return the stations where they belong, as bright as the reference, all seams, and how each was moved."""
    fitted, reference = list(stations), _middle(names)
    seams: dict[int, Seam] = {}
    pairs = [(i - 1, i) for i in range(reference + 1, len(names))]  # downwards
    pairs += [(i + 1, i) for i in range(reference - 1, -1, -1)]  # upwards
    motions = [np.eye(4)] * len(names)
    for fixed, moving in pairs:
        carried = moved(stations[moving], motions[fixed])
        upper, lower = sorted((fixed, moving))
        both = (fitted[fixed], carried) if fixed < moving else (carried, fitted[fixed])
        seam = Seam(names[upper], names[lower], overlap_mm(both[0].grid, both[1].grid))
        check_overlap(seam)
        region = _region(fitted[fixed].grid, seam.overlap_mm, at_end=fixed < moving)
        found = aligned(fitted[fixed], carried, region)
        motions[moving] = found.motion @ motions[fixed]
        placed = moved(carried, found.motion)
        ratio = intensity_ratio(sampled(fitted[fixed], region), sampled(placed, region))
        seam = _measured(seam, found, region, ratio)
        check_seam(seam)
        fitted[moving] = placed.with_data(placed.data.astype(np.float32) * np.float32(ratio))
        seams[upper] = seam
    fitted[reference] = stations[reference]
    return fitted, [seams[i] for i in sorted(seams)], motions


def _region(grid: Grid, length_mm: float, *, at_end: bool) -> Grid:
    """Return the part of a station's grid near its end, or its beginning, that overlaps another one."""
    voxels = int(np.ceil((max(length_mm, SHORTEST_OVERLAP_MM) + MARGIN_MM) / grid.spacing_mm[DOWN]))
    voxels = min(voxels, grid.shape[DOWN])
    start = np.array([0, grid.shape[DOWN] - voxels if at_end else 0, 0])
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(start)
    shape = list(grid.shape)
    shape[DOWN] = voxels
    return Grid(tuple(shape), affine)


def _measured(seam: Seam, found: Alignment, region: Grid, ratio: float) -> Seam:
    """Return a seam with what registration found, at the centre of the overlap."""
    centre = np.append(region.to_world((np.array(region.shape) - 1) / 2), 1)
    shift = (found.motion @ centre - centre)[:3]
    cosine = (np.trace(found.motion[:3, :3]) - 1) / 2
    return replace(
        seam,
        shift_right_mm=float(shift[0]),
        shift_front_mm=float(shift[1]),
        shift_up_mm=float(shift[2]),
        rotation_deg=float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        correlation_before=found.correlation_before,
        correlation=found.correlation,
        intensity_ratio=ratio,
    )


def _ramps(overlaps_mm: Sequence[float]) -> list[tuple[float, float]]:
    """Return for each station over which lengths it is blended with those above and below."""
    lengths = [0.0, *overlaps_mm, 0.0]
    return list(zip(lengths[:-1], lengths[1:], strict=True))
