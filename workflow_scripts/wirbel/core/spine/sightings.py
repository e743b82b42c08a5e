"""What a label map shows of every piece of vertebral body, and of what surrounds it, as numbers to decide by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wirbel.core.components import room_mm
from wirbel.core.geometry import Grid, Volume
from wirbel.core.instances.body_cuts import Part
from wirbel.core.spine.course import bend_deg, disc_places, disc_ratio
from wirbel.core.spine.extents import extent_mm, share_of_neighbours
from wirbel.core.spine.sacrum import distance_mm, find_sacrum, height_in_sacrum
from wirbel.core.spine.surroundings import (
    behind_canal,
    beside,
    canal_share,
    cord_end,
    cord_mm2,
    costal_processes,
    has_arch,
)
from wirbel.core.spine_curve import Chain

CRUSHED = 0.6
"""What is as deep and wide as its neighbours counts as this part of a body however flat it is: a crushed one, no
bit."""
SLIVER_MM = 5.0
"""What the border leaves of a body tells little of it below this height: two or three rows, mostly partial volume."""
EDGE_MM = 2.0
"""A body that ends this near to the border of the image is taken for cut."""


@dataclass(frozen=True)
class Sightings:
    """All pieces from the top down; arrays (n,) unless said otherwise, arcs along the chain in mm.

    - `height_mm` of the central column; `taper` upper over lower third; `behind_mm`, `beside_mm` (n, 2) how far the
      piece reaches from the chain to front and back, and to the sides; `volume_share` volume over that of the large
      pieces nearby, or cross-section where a piece is crushed or cut by the border.
    - `down` (n, 3) unit tangent; `open_top`, `open_bottom` whether the border of the image cuts the piece there;
      `width_known` that it does not cut the sides; `room_mm` (n, 2) field of view above and below.
    - `canal` share of its height with canal beside it; `behind_canal` share of its voxels behind the canal; `arch`
      whether posterior elements lie beside it.
    - `cord_mm2` cross-section of the cord beside it; `costal_mm` how far its costal (transverse) processes lie behind
      the middle of the canal, `costal_reach_mm` how far the longer one reaches to its side, all NaN where not seen;
      `costal_cut` whether the image ends there.
    - `in_sacrum` share of the sacrum that lies higher than its centre; `to_sacrum_mm` distance of surfaces, infinite
      without a sacrum.
    - `disc_ratio` depth of the disc below over the usual one above; `bend_deg` turn of the way from body to body at
      the piece; both NaN where not seen; `disc_mm` (m,) middles of the discs.
    - `cord` (end of the cord, upper and lower end of the canal), None without a canal.
    """

    middle_mm: np.ndarray
    top_mm: np.ndarray
    bottom_mm: np.ndarray
    height_mm: np.ndarray
    taper: np.ndarray
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
    cord_mm2: np.ndarray
    costal_mm: np.ndarray
    costal_reach_mm: np.ndarray
    costal_cut: np.ndarray
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

    def without_sacrum(self) -> Sightings:
        """Return the same without a sacrum."""
        nothing = np.zeros(len(self))
        return replace(self, in_sacrum=nothing, to_sacrum_mm=nothing + np.inf, sacrum_mm3=0.0)


def look(parts: list[Part], discs: list[Part], labels: Volume, chain: Chain) -> Sightings:
    """Measure every piece; `parts` and `discs` lie along `chain`, the parts from the top down.

    Parameters
    ----------
    parts, discs : list of Part
        See above.
    labels : Volume
        Subregion map, any orientation.
    chain : Chain
        The line through the spine.

    Returns
    -------
    Sightings
    """
    shapes = np.array([_shape(part, chain) for part in parts]).reshape(len(parts), 9)
    middle, top, bottom, height, taper = shapes[:, :5].T
    behind, aside = shapes[:, 5:7], shapes[:, 7:]
    depth, width = (np.ptp(ends, axis=1) for ends in (behind, aside))
    centre = np.array([part.world_mm.mean(0) for part in parts])
    volume = np.array([part.volume_mm3 for part in parts])
    room = np.array([_room(part, chain, labels.grid) for part in parts])
    sides = np.array(
        [_side_room(c, m, chain, labels.grid) for c, m in zip(centre, middle, strict=True)]
    )
    sacrum, around = find_sacrum(labels), beside(labels, chain)
    cut = (room < EDGE_MM).any(1)
    share = share_of_neighbours(volume, middle)
    thick = np.minimum(height / SLIVER_MM, 1.0)
    across = share_of_neighbours(depth * width, middle) * np.where(cut, thick, CRUSHED)
    share = np.maximum(share, across)
    return Sightings(
        middle, top, bottom, height, taper, behind, aside, volume,
        share,
        centre,
        chain.down(middle),
        room[:, 0] < EDGE_MM,
        room[:, 1] < EDGE_MM,
        sides.min(1) >= width / 2 + EDGE_MM,
        canal_share(around.canal, top, bottom),
        behind_canal(parts, around.canal, chain),
        has_arch(around.arches, middle, bottom, volume),
        cord_mm2(around, top, bottom),
        *costal_processes(around, top, bottom, sides),
        height_in_sacrum(sacrum, centre, volume),
        np.array([distance_mm(sacrum, part) for part in parts]),
        room,
        disc_ratio(discs, chain, middle),
        bend_deg(centre, middle, share, chain),
        disc_places(discs),
        sacrum.volume_mm3,
        sacrum.length_mm,
        sacrum.cut,
        cord_end(around),
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
    thirds = np.histogram(along, bins=3)[0]
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
        thirds[0] / max(thirds[2], 1),
        *across[0],
        *across[1],
    )


def _ends(position_mm: np.ndarray) -> np.ndarray:
    """Return both ends of positions, as `extent_mm` takes them."""
    middle = np.quantile(position_mm, (0.02, 0.98)).mean()
    return middle + np.array([-0.5, 0.5]) * extent_mm(position_mm)


def _room(part: Part, chain: Chain, grid: Grid) -> tuple[float, float]:
    """Return how much of the image lies above and below a piece, along the spine."""
    down, centre = chain.down(part.middle_mm), part.world_mm.mean(0)
    along = (part.world_mm - centre) @ down
    ends = [centre + q * down for q in np.quantile(along, (0.01, 0.99))]
    return room_mm(grid, ends[0], -down), room_mm(grid, ends[1], down)


def _side_room(centre, middle, chain: Chain, grid: Grid) -> tuple[float, float]:
    side = np.cross(chain.down(middle), chain.backward(middle))
    return room_mm(grid, centre, side), room_mm(grid, centre, -side)
