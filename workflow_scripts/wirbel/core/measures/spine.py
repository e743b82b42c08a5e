"""Where the structures of one spine stand: rough directions that the exact fits start from."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVELS_TOP_DOWN
from wirbel.core.measures.label_maps import LabelMaps

CANAL_SLAB_MM = (6.0, 12.0)
"""Half-heights of the slab around a structure in which its canal is looked for: the narrower first."""
CANAL_REACH_MM = 60.0
"""The canal's centre lies at most this far from a body's or disc's: half an L5 body of 36 mm depth, half
a canal of 20 mm, and as much again."""
MINIMUM_CANAL_VOXELS = 8


class Spine:
    """Bodies and discs and their centroids from the top down, keyed by label (disc below v: 100 + v)."""

    def __init__(self, maps: LabelMaps) -> None:
        order = {label: place for place, label in enumerate(LEVELS_TOP_DOWN)}
        found = {v: maps.body(v) for v in maps.vertebrae}
        found |= {DISC_OFFSET + v: maps.disc(v) for v in maps.discs}
        there = {key: region for key, region in found.items() if region is not None}
        keys = sorted(there, key=lambda key: order[key % DISC_OFFSET] + 0.5 * (key >= DISC_OFFSET))
        self.regions = {key: there[key] for key in keys}
        self.centroids_mm = {key: region.centroid_mm for key, region in self.regions.items()}
        self.canal_points_mm = maps.canal_points_mm

    def superior(self, key: int) -> np.ndarray:
        """Return the unit vector from the neighbour below to the one above; world superior if alone."""
        keys = list(self.centroids_mm)
        at = keys.index(key)
        above = self.centroids_mm[keys[max(at - 1, 0)]]
        below = self.centroids_mm[keys[min(at + 1, len(keys) - 1)]]
        length = np.linalg.norm(above - below)
        return (above - below) / length if length > 1 else np.array([0.0, 0.0, 1.0])

    def beside_mm(self, key: int) -> np.ndarray:
        """Return the middle between the neighbours' centroids: of a structure that is seen on one side alone."""
        keys = list(self.centroids_mm)
        at = keys.index(key)
        near = [k for k in keys[max(at - 1, 0) : at + 2] if k != key] or [key]
        return np.mean([self.centroids_mm[k] for k in near], axis=0)

    def rough_right(self) -> np.ndarray | None:
        """Return the unit vector to the right, by where the canal lies behind the structures; None without a canal."""
        found = []
        for key, centre in self.centroids_mm.items():
            superior = self.superior(key)
            canal = self.canal_mm(centre, superior)
            if canal is not None:
                found.append(np.cross(centre - canal, superior))
        total = np.sum(found, axis=0) if found else np.zeros(3)
        length = np.linalg.norm(total)
        return total / length if length > 1e-6 else None

    def canal_mm(self, centre_mm: np.ndarray, superior: np.ndarray) -> np.ndarray | None:
        """Return the canal's centre behind a structure, in world mm, or None."""
        height = np.abs(self.canal_points_mm @ superior - centre_mm @ superior)
        points = self.canal_points_mm[height < CANAL_SLAB_MM[-1]]
        height = height[height < CANAL_SLAB_MM[-1]]
        near = np.linalg.norm(points - centre_mm, axis=1) < CANAL_REACH_MM
        for slab in CANAL_SLAB_MM:
            inside = near & (height < slab)
            if inside.sum() >= MINIMUM_CANAL_VOXELS:
                return points[inside].mean(0)
        return None
