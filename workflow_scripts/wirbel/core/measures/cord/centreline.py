"""The smoothed centreline of the spinal canal, with its tangents and its length."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.interpolate import make_smoothing_spline
from scipy.spatial import cKDTree

from wirbel.core.measures.spine import Spine

STEP_MM = 4.0
"""Distance between the points that the canal's centre is looked up at: a slice thickness or so."""
SLAB_MM = 4.0
"""Half-height of the slab whose canal voxels are averaged."""
REACH_MM = 22.0
"""No part of a canal's cross-section lies further than this from its centre."""
STIFFNESS = 3000.0
"""Penalty on curvature (mm^3): bends shorter than 60 mm, such as those that laminae make from level to level,
are smoothed away, those of the spine stay."""
ROUNDS = 2
FEWEST_VOXELS = 6
FEWEST_POINTS = 5
NO_STEP_MM = 0.01
END_MM = 2.0
"""Nearer to its ends than this the line gives no section."""
EXTENSION_MM = 24.0
"""How far the line is followed beyond the first and the last structure: half a vertebra and its disc."""


class Centreline:
    """A smooth line through the canal from the top down; positions on it are lengths in mm from its top."""

    def __init__(self, points_mm: np.ndarray) -> None:
        """`points_mm`: (n, 3) world mm from the top down, at least five."""
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points_mm, axis=0), axis=1))])
        self._spline = make_smoothing_spline(along, points_mm, lam=STIFFNESS)
        self._fine = np.arange(0, along[-1] + 0.5, 1.0)
        self.points_mm = self._spline(self._fine)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.points_mm)

    def position(self, point_mm: np.ndarray) -> float:
        """Return where on the line (mm from its top) a world point stands at right angles to it."""
        at = float(self._fine[self._tree.query(point_mm)[1]])
        for _ in range(3):
            step = (np.asarray(point_mm) - self._spline(at)) @ self.tangent(at)
            at = float(np.clip(at - step, 0, self._fine[-1]))
        return at

    def positions(self, points_mm: np.ndarray) -> np.ndarray:
        """Return where on the line (mm from its top) world points (n, 3) stand, to a tenth of a millimetre."""
        nearest = self._tree.query(points_mm)[1]
        along = np.gradient(self.points_mm, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        beyond = ((np.asarray(points_mm) - self.points_mm[nearest]) * along[nearest]).sum(1)
        return self._fine[nearest] + beyond

    @property
    def length(self) -> float:
        """Position of the line's lower end."""
        return float(self._fine[-1])

    @property
    def middle(self) -> float:
        """Position half-way down."""
        return self.length / 2

    def reaches(self, at: float) -> bool:
        """Whether the line goes on a little to both sides of a position."""
        return END_MM < at < self._fine[-1] - END_MM

    def point(self, at: float) -> np.ndarray:
        """Return the world point (3,) at a position."""
        return self._spline(at)

    def tangent(self, at: float) -> np.ndarray:
        """Return the unit vector along the line, pointing up."""
        slope = -self._spline(at, nu=1)
        return slope / np.linalg.norm(slope)

    def length_mm(self, start: float, end: float) -> float:
        """Return the length of the line between two positions."""
        fine = self._spline(np.linspace(start, end, 200))
        return float(np.linalg.norm(np.diff(fine, axis=0), axis=1).sum())


def find_centreline(spine: Spine) -> Centreline | None:
    """Follow the canal behind all bodies and discs; None when it is found behind fewer than three."""
    found = [
        spine.canal_mm(centre, spine.superior(key)) for key, centre in spine.centroids_mm.items()
    ]
    points = np.array([point for point in found if point is not None])
    if len(points) < 3:
        return None
    canal = spine.canal_points_mm
    tree = cKDTree(canal)
    for _ in range(ROUNDS):
        points = _apart(_recentred(_resampled(points), canal, tree))
        if len(points) < FEWEST_POINTS:
            return None
    return Centreline(points)


def _resampled(points: np.ndarray) -> np.ndarray:
    """Return points at equal steps along a polyline, extended straight at both ends."""
    ends = []
    for inner, outer in ((points[2], points[0]), (points[-3], points[-1])):
        direction = (outer - inner) / max(np.linalg.norm(outer - inner), 1e-6)
        ends.append(outer + EXTENSION_MM * direction)
    line = np.vstack([ends[0], points, ends[1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, along[-1], max(6, int(along[-1] / STEP_MM)))
    return np.stack([np.interp(at, along, line[:, axis]) for axis in range(3)], axis=1)


def _apart(points: np.ndarray) -> np.ndarray:
    """Drop points that come to lie on the one before: there is no more canal to follow."""
    if len(points) < 2:
        return points
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return points[np.concatenate([[True], steps > NO_STEP_MM])]


def _recentred(points: np.ndarray, canal: np.ndarray, tree: cKDTree) -> np.ndarray:
    """Move each point to the middle of the canal voxels in its slab; points without any are dropped."""
    tangents = np.gradient(points, axis=0)
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-6)
    moved = []
    for point, tangent in zip(points, tangents, strict=True):
        near = canal[tree.query_ball_point(point, REACH_MM)] - point
        near = near[np.abs(near @ tangent) < SLAB_MM]
        if len(near) >= FEWEST_VOXELS:
            shift = near.mean(0)
            moved.append(point + shift - (shift @ tangent) * tangent)
    return np.array(moved).reshape(-1, 3)
