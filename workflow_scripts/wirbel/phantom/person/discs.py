"""The gap between two neighbouring vertebral bodies: where a disc is drawn and how high it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.person.anatomy import Anatomy
from wirbel.phantom.person.shapes import ROUNDING, Body, Coordinates


@dataclass(frozen=True)
class Facing:
    """One wall of the gap: a body's endplate, or the sacral endplate (`body` None: the plane s = 0)."""

    body: Body | None
    rotation: np.ndarray
    centre_mm: np.ndarray
    upper: bool

    def height_over_mm(self, point: Coordinates) -> np.ndarray:
        """Return how far points (anatomical frame) lie above this surface along its axis; negative
        below it.
        """
        r, a, s = to_frame(point, self.rotation, self.centre_mm)
        if self.body is None:
            return s
        surface = self.body.upper_mm(r, a) if self.upper else self.body.lower_mm(r, a)
        return s - surface

    def may_face(self, local: Coordinates, rotation: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Return False where points of a frame (rotation, origin) are surely behind this surface, by their height."""
        up, base = rotation.T @ self.rotation[:, 2], (origin - self.centre_mm) @ self.rotation[:, 2]
        height = up[0] * local[0] + up[1] * local[1] + up[2] * local[2] + base
        deepest = 0.0 if self.body is None else self.body.deepest_mm(self.upper)
        return height > deepest - ROUNDING if self.upper else height < ROUNDING - deepest


def to_frame(point: Coordinates, rotation: np.ndarray, origin: np.ndarray) -> Coordinates:
    """Return points of the anatomical frame in a local frame."""
    offset = [p - o for p, o in zip(point, origin, strict=True)]
    r, a, s = (sum(rotation[j, i] * offset[j] for j in range(3)) for i in range(3))
    return r, a, s


@dataclass(frozen=True)
class DiscFrame:
    """A disc's own frame, half-way between its neighbours, and the two surfaces that bound it."""

    rotation: np.ndarray
    centre_mm: np.ndarray
    width_mm: float
    depth_mm: float
    thickness_mm: float
    above: Facing
    below: Facing
    outline: Body

    @property
    def reach_mm(self) -> float:
        """Half the height of a box that is sure to contain the disc."""
        return self.thickness_mm + 0.25 * self.depth_mm

    def _world(self, local: Coordinates) -> Coordinates:
        r, a, s = (
            sum(self.rotation[i, j] * local[j] for j in range(3)) + self.centre_mm[i]
            for i in range(3)
        )
        return r, a, s

    def between_mm(self, local: Coordinates) -> np.ndarray:
        """Return the signed distance to the walls, negative between them."""
        world = self._world(local)
        return np.maximum(self.above.height_over_mm(world), -self.below.height_over_mm(world))

    def signed_mm(self, canvas, box, widest: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the relative radius (1 at the rim) and `between_mm` at the voxels of a canvas's box.

        Both are infinity where the radius is larger than `widest`, and where a voxel is not between the walls.
        """
        local = canvas.local(box, self.rotation, self.centre_mm)
        near = np.maximum(*self.outline.scaled(local[0], local[1])) < widest + ROUNDING
        for wall in (self.above, self.below):
            near &= wall.may_face(local, self.rotation, self.centre_mm)
        radius, between = np.full((2, near.size), np.inf)
        at = np.flatnonzero(near)
        for wall, sign in ((self.above, 1), (self.below, -1)):
            off = sign * wall.height_over_mm(self._world(_at(local, at)))
            inside = off < 0
            between[at] = np.maximum(off, between[at]) if sign < 0 else off
            between[at[~inside]] = np.inf
            at = at[inside]
        radius[at] = self.outline.radius(*_at(local, at)[:2])
        return radius.reshape(near.shape), between.reshape(near.shape)

    def height_at_mm(self, fraction: float) -> float:
        """Return the disc's height at a fraction of its depth (0 posterior) in its mid-sagittal plane."""
        s = np.arange(-self.reach_mm, self.reach_mm, 0.01)
        zero = np.zeros_like(s)
        behind = 1 - self.outline.hollow
        a = (-behind + fraction * (1 + behind)) * self.depth_mm / 2
        return float((self.between_mm((zero, zero + a, s)) < 0).sum() * 0.01)


def _at(local: Coordinates, places: np.ndarray) -> Coordinates:
    """Return the coordinates of some voxels, given by their flat index."""
    r, a, s = (c.ravel()[places] for c in local)
    return r, a, s


def disc_frame(anatomy: Anatomy, k: int) -> DiscFrame:
    """Return the frame of the disc below the k-th vertebra; the last one lies on the sacral endplate."""
    upper = anatomy.vertebrae[k]
    above = Facing(upper.body, upper.rotation, upper.centre_mm, upper=False)
    bottom = upper.centre_mm - upper.rotation[:, 2] * upper.body.height_mm / 2
    if k + 1 < len(anatomy.vertebrae):
        lower = anatomy.vertebrae[k + 1]
        below = Facing(lower.body, lower.rotation, lower.centre_mm, upper=True)
        top = lower.centre_mm + lower.rotation[:, 2] * lower.body.height_mm / 2
        width, depth = lower.body.width_mm, lower.body.depth_mm
        rotation = lower.rotation
    else:
        first = anatomy.sacrum[0]
        top, rotation = np.zeros(3), first.rotation
        below = Facing(None, rotation, top, upper=True)
        width, depth = 2 * first.blobs[0].half_mm[0], 2 * first.blobs[0].half_mm[1]
    middle = _half_way(upper.rotation, rotation)
    outline = Body(
        (upper.body.depth_mm + depth) / 2,
        (upper.body.width_mm + width) / 2,
        1.0,
        1.0,
        (0.0, 0.0),
        0.0,
        0.0,
        upper.body.hollow,
        upper.body.exponent,
    )
    return DiscFrame(
        middle,
        (bottom + top) / 2,
        outline.width_mm,
        outline.depth_mm,
        float(np.linalg.norm(top - bottom)),
        above,
        below,
        outline,
    )


def _half_way(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the rotation nearest to the mean of two."""
    u, _, vt = np.linalg.svd(one + other)
    return u @ vt
