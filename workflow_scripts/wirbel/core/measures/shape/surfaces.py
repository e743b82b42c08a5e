"""Upper and lower surface of a block-like structure (vertebral body, disc) below voxel size.

A label map only says which voxel centres lie inside. Each column of voxels gives one surface point
with an error of up to half a voxel; smooth surfaces are fitted to many such points, in the
structure's own frame, so that neither the voxel size, thick slices nor oblique axes bias the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wirbel.core.measures import status as S
from wirbel.core.measures.fitting import fit
from wirbel.core.measures.frames import FEW_SLICES, Frame, Region, make_frame
from wirbel.core.measures.shape.walls import MINIMUM_POINTS, OUTLIER_MM, outline, wall_at_rims

CENTRAL_FRACTION = 0.35
"""Planes are fitted within this fraction of depth and width around the centre, clear of the rim and of
the uncinate processes of cervical bodies."""
MID_SAGITTAL_FRACTION = 1 / 6
"""Half-width of the mid-sagittal slab over the structure's width: together the central third."""
DEPTH_WINDOW = 0.2
"""Half-width of the window of the local fit, over the structure's depth."""
MINIMUM_WINDOW_VOXELS = 4
FACING_COSINE = 0.7
"""A surface point belongs to an endplate (or wall) when its normal is within 45 degrees of the axis."""
MINIMUM_SLAB_SLICES = 1.5
NARROW = 0.5
"""Structures are wider than deep; what is seen of one that is narrower than this part of its depth is a few slices."""
LEANING_COSINE = 0.9945
"""Slices that stand more than 6 degrees askew in a structure show its back and its front, or its upper and its lower
surface, to different sides of the middle: two or three of them do not tell that from how the structure itself tilts."""
CLEARLY_FLAT = 0.7
"""Height over depth up to which a disc's smallest extent is its height, however it is wedged."""
MEETING_MM = 0.5
"""Surfaces that meet, as at the thin end of a wedge, may be found crossed by so much: the error of a height."""
FRAME_ROUNDS = 6
SETTLED = 0.002
"""The search for the axis ends when it turns by less than this (radians, a tenth of a degree)."""


class SurfaceError(ValueError):
    """The surfaces of a structure cannot be located; the message is a status code."""


@dataclass(frozen=True)
class Block:
    """A structure between two surfaces: its frame, surface points in that frame, and its extents.

    `upper` and `lower`: (n, 3) local mm (right, anterior, superior). `back_mm` and `front_mm` are the
    anterior coordinates of the walls, `width_mm` the extent from left to right. `few`: so few slices show it that they
    do not tell how it leans to the side; `askew`: and they do not lie in its mid-sagittal plane either.
    """

    frame: Frame
    upper: np.ndarray
    lower: np.ndarray
    back_mm: float
    front_mm: float
    width_mm: float
    slab_mm: float
    voxel_mm: float
    few: bool = False
    askew: bool = False

    @property
    def depth_mm(self) -> float:
        """Distance between back and front wall at the endplates' rims."""
        return self.front_mm - self.back_mm

    def height_at(self, fraction: float) -> float:
        """Height in mm at `fraction` of the depth (0 at the back), in the mid-sagittal plane.

        0 where they meet. Raises SurfaceError where the upper surface lies below the lower one.
        """
        height = self.surface_at(fraction, 1) - self.surface_at(fraction, -1)
        if height < -MEETING_MM:
            raise SurfaceError(S.SURFACE_INCOMPLETE)
        return max(height, 0.0)

    def surface_at(self, fraction: float, side: int) -> float:
        """Superior coordinate in mm of the upper (`side` 1) or lower (-1) surface, in the same place."""
        if (fraction, side) not in self._heights:
            at = self.back_mm + fraction * self.depth_mm
            depth_window = max(DEPTH_WINDOW * self.depth_mm, MINIMUM_WINDOW_VOXELS * self.voxel_mm)
            window = self.slab_mm, depth_window
            self._heights[fraction, side] = local_surface(self._central[side], at, window)
        return self._heights[fraction, side]

    @cached_property
    def _heights(self) -> dict[tuple[float, int], float]:
        """Heights that were asked for, by fraction of the depth and side."""
        return {}

    @cached_property
    def _central(self) -> dict[int, np.ndarray]:
        """The surface points within the mid-sagittal slab, by side."""
        surfaces = {1: self.upper, -1: self.lower}
        return {side: p[np.abs(p[:, 0]) <= self.slab_mm] for side, p in surfaces.items()}

    def slopes(self, side: int, fraction: float) -> np.ndarray:
        """Return the slopes (to the right, to the front) of the upper (`side` 1) or lower (-1) surface's middle.

        The middle is what lies within this fraction of width and depth about the centre. To the sides the slices next
        to the middle one always belong to it, however few show the structure.
        """
        points = self.upper if side > 0 else self.lower
        reach = fraction * np.array([self.width_mm, self.depth_mm])
        reach[0] = max(reach[0], self.slab_mm)
        offset = points - (0.0, (self.front_mm + self.back_mm) / 2, 0.0)
        return plane_slope(offset[(np.abs(offset[:, :2]) < reach).all(1)], reach)

    def mean_height(self, low: float, high: float, steps: int = 11) -> float:
        """Mean height in mm between two fractions of the depth, in the mid-sagittal plane."""
        return float(np.mean([self.height_at(f) for f in np.linspace(low, high, steps)]))


def find_block(
    region: Region,
    superior: np.ndarray,
    posterior_reference_mm: np.ndarray,
    *,
    flat: bool = False,
    centre_mm: np.ndarray | None = None,
) -> Block:
    """Locate a structure's surfaces, starting from a rough superior direction.

    The superior axis bisects the normals of planes through the middle of the upper and the lower surface; the
    mid-sagittal plane holds this axis, the centroid and the posterior reference. Both are refined together.

    Parameters
    ----------
    region : Region
        The structure.
    superior : ndarray, shape (3,)
        Unit vector towards the top, roughly.
    posterior_reference_mm : ndarray, shape (3,)
        A point behind it, such as the canal's centre, world mm.
    flat : bool
        A flat structure, such as a disc, starts from the direction of its smallest extent.
    centre_mm : ndarray, shape (3,), optional
        Stands in for the centroid of a structure of which more is seen on one side.

    Raises
    ------
    SurfaceError
        When too few surface points are left.
    """
    points = region.points_mm
    centre_mm = points.mean(0) if centre_mm is None else centre_mm
    if flat:
        sideways = np.cross(centre_mm - posterior_reference_mm, superior)
        superior = _smallest_extent(points, superior, sideways)
    frame = make_frame(centre_mm, superior, posterior_reference_mm)
    for _ in range(FRAME_ROUNDS):
        block = _describe(region, points, frame, flat)
        superior = _bisector(block, tilts=not block.few)
        turned = np.linalg.norm(superior - frame.superior)
        frame = make_frame(frame.origin_mm, superior, posterior_reference_mm)
        if turned < SETTLED:
            break
    return _describe(region, points, frame, flat)


def _smallest_extent(points: np.ndarray, superior: np.ndarray, sideways: np.ndarray) -> np.ndarray:
    """Return the direction of the smallest extent at right angles to `sideways`.

    From side to side a disc may be smaller still, when two slices are all that shows it. One nearly as high as deep
    stands as the spine does.
    """
    length = np.linalg.norm(sideways)
    if length < 1e-6:
        return superior
    # the two directions at right angles to it
    plane = np.linalg.svd(sideways[None] / length)[2][1:]
    offset = (points - points.mean(0)) @ plane.T
    spread, directions = np.linalg.eigh(offset.T @ offset)
    if spread[0] > CLEARLY_FLAT**2 * spread[1]:
        return superior
    direction = directions[:, 0] @ plane
    return direction if direction @ superior > 0 else -direction


def local_surface(points: np.ndarray, anterior_mm: float, window: tuple[float, float]) -> float:
    """Return the surface's superior coordinate at (0, `anterior_mm`) by local regression.

    `window`: half-widths (right, anterior) in mm of the Epanechnikov weights; the surface inside is
    linear from side to side and quadratic from back to front (locally weighted regression,
    Cleveland 1979, doi:10.1080/01621459.1979.10481038). Outliers are dropped after a first fit.
    """
    offset = points[:, :2] - (0.0, anterior_mm)
    share = np.maximum(1 - (offset / window) ** 2, 0)
    weight = share[:, 0] * share[:, 1]
    use = weight > 0
    for _ in range(2):
        if use.sum() < MINIMUM_POINTS:
            raise SurfaceError(S.SURFACE_INCOMPLETE)
        right, anterior = (offset[use] / window).T
        design = np.stack([np.ones_like(right), anterior, right, anterior**2], axis=1)
        coefficients = fit(design, points[use, 2], weight[use])
        residual = np.abs(points[use, 2] - design @ coefficients)
        use[np.flatnonzero(use)[residual > OUTLIER_MM]] = False
    return float(coefficients[0])


def _describe(region, points, frame, flat):
    local = frame.to_local(points)
    upper, lower = _facing(region, frame, frame.superior)
    if min(len(upper), len(lower)) < MINIMUM_POINTS:
        raise SurfaceError(S.SURFACE_INCOMPLETE)
    left, right = np.percentile(local[:, 0], (1, 99))
    step = float(np.abs(frame.right @ region.grid.affine[:3, :3]).max())
    slab = max(MID_SAGITTAL_FRACTION * (right - left), MINIMUM_SLAB_SLICES * step)
    slices, apart, cosine = _slices(region, frame)
    deep = np.ptp(np.percentile(local[:, 1], (1, 99)))
    # so few slices that lean show each surface to one side of the middle
    in_one = slices <= FEW_SLICES and slices * apart < NARROW * deep
    level = np.array([0 if in_one else 1, 1, 1])
    if flat:
        walls = outline(local * level, slab)
    else:
        top, bottom = float(np.median(upper[:, 2])), float(np.median(lower[:, 2]))
        ends = _facing(region, frame, frame.anterior)
        walls = [
            wall_at_rims(wall * level - (0, 0, (top + bottom) / 2), (top - bottom) / 2, slab, sign)
            for wall, sign in zip(ends, (1, -1), strict=True)
        ][::-1]
    if None in walls or walls[1] <= walls[0]:
        raise SurfaceError(S.SURFACE_INCOMPLETE)
    voxel = float(region.grid.spacing_mm.min())
    few = slices * apart < NARROW * (walls[1] - walls[0])
    askew = in_one and cosine < LEANING_COSINE
    surfaces = upper * level, lower * level
    return Block(frame, *surfaces, *walls, right - left, slab, voxel, few, askew)


def _slices(region: Region, frame: Frame) -> tuple[int, float, float]:
    """Return how many slices show a structure, how far apart they lie in mm, and the cosine of their lean."""
    spacing = region.grid.spacing_mm
    cosine = np.abs(frame.right @ (region.grid.affine[:3, :3] / spacing))
    axis = int(cosine.argmax())
    seen = np.flatnonzero(region.mask.any(tuple({0, 1, 2} - {axis})))
    return int(np.ptp(seen)) + 1, float(spacing[axis]), float(cosine[axis])


def _facing(region, frame, direction):
    """Return the local coordinates of surface points that face along and against `direction`."""
    found = []
    both = zip(region.ends(direction), region.end_normals(direction), (1, -1), strict=True)
    for points, normals, sign in both:
        found.append(frame.to_local(points[normals @ direction * sign > FACING_COSINE]))
    return found


def _bisector(block, *, tilts: bool):
    """Return the unit vector half-way between the normals of both surfaces' middle parts.

    Two or three slices do not tell how a structure `tilts` to the side: then it stands as the structures next to it do.
    """
    normals = []
    for side in (1, -1):
        slope = block.slopes(side, CENTRAL_FRACTION) * (tilts, 1)
        normal = block.frame.superior - slope @ block.frame.axes[:2]
        normals.append(normal / np.linalg.norm(normal))
    bisector = normals[0] + normals[1]
    return bisector / np.linalg.norm(bisector)


def plane_slope(points: np.ndarray, reach_mm: np.ndarray) -> np.ndarray:
    """Return the slopes (to the right, to the front) of a plane through local points (n, 3) mm.

    `reach_mm`: how far to the sides, and to front and back, the points were looked for. A slope that they do
    not tell is 0.
    """
    for _ in range(2):
        if len(points) < MINIMUM_POINTS:
            raise SurfaceError(S.SURFACE_INCOMPLETE)
        design = np.column_stack([np.ones(len(points)), points[:, :2] / reach_mm])
        plane = fit(design, points[:, 2])
        residual = np.abs(points[:, 2] - design @ plane)
        points = points[residual <= max(OUTLIER_MM, 3 * np.median(residual))]
    return plane[1:] / reach_mm
