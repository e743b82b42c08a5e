"""A whole phantom drawn once on a fine grid, on which volumes, positions and visibility are counted."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core import labels as L
from wirbel.core.boxes import tight_box
from wirbel.core.geometry import Grid, Volume
from wirbel.core.measures.frames import Region, region_of_mask
from wirbel.phantom.imaging.acquisition import Acquisition
from wirbel.phantom.imaging.raster import rasterise
from wirbel.phantom.person.anatomy import Anatomy

LATTICE_MM = 0.5
REACH_MM = ((58, 85, 55), (58, 32, 50))
"""Farthest reach of a vertebra from the middle of its body: left, back and down; right, front and up."""


class FineMaps:
    """Both label maps of an anatomy and its tissues on a 0.5 mm grid in its own frame."""

    def __init__(self, anatomy: Anatomy, acquisition: Acquisition) -> None:
        points = np.array([v.centre_mm for v in anatomy.vertebrae])
        low, high = points.min(0) - REACH_MM[0], points.max(0) + REACH_MM[1]
        affine = np.diag([LATTICE_MM] * 3 + [1.0])
        affine[:3, 3] = low
        shape = tuple(int(n) for n in np.ceil((high - low) / LATTICE_MM))
        canvas = rasterise(anatomy, Grid(shape, affine))
        self.subregion, self.vertebra, self.grid = canvas.subregion, canvas.vertebra, canvas.grid
        self._tissue = canvas.tissue
        self._boxes = ndimage.find_objects(self.vertebra)
        self._acquisition = acquisition

    def vertebra_columns(self, label: int) -> tuple[dict, np.ndarray]:
        """Return volumes, centroid and visibility of a vertebra, and its body's centre (anatomical mm)."""
        box = self._boxes[label - 1]
        mine, subregion = self.vertebra[box] == label, self.subregion[box]
        counts = np.bincount(subregion[mine], minlength=L.BODY + 1) * LATTICE_MM**3
        points = self._points(mine, box)
        body = self._points(mine & (subregion == L.BODY_BORDER), box)
        world = self._acquisition.world
        centroid = world[:3, :3] @ points.mean(0) + world[:3, 3]
        visible, body_visible = self._in_view(points), self._in_view(body)
        columns = {
            "body_volume_mm3": float(counts[L.BODY_BORDER]),
            "vertebra_volume_mm3": float(counts.sum()),
            **{
                f"{L.SUBREGION_NAMES[k]}_volume_mm3": float(counts[k]) for k in L.POSTERIOR_ELEMENTS
            },
            **{f"centroid_{axis}_mm": float(v) for axis, v in zip("xyz", centroid, strict=True)},
            "visible_fraction": visible,
            "body_visible_fraction": body_visible,
            "fully_visible": visible == 1.0,
            "body_fully_visible": body_visible == 1.0,
        }
        return columns, body.mean(0)

    def disc_columns(self, label: int) -> dict:
        """Return volume and visibility of the disc below a vertebra."""
        box = self._boxes[L.DISC_OFFSET + label - 1]
        points = self._points(self.vertebra[box] == L.DISC_OFFSET + label, box)
        visible = self._in_view(points)
        return {
            "disc_volume_mm3": float(len(points) * LATTICE_MM**3),
            "visible_fraction": visible,
            "fully_visible": visible == 1.0,
        }

    def disc_inside(self, label: int, margin_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """Return points (n, 3; anatomical mm) deeper than a margin in the disc below a vertebra, and their tissues."""
        box = self._boxes[L.DISC_OFFSET + label - 1]
        inner = _deeper(self.vertebra[box] == L.DISC_OFFSET + label, margin_mm)
        return self._points(inner, box), self._tissue[box][inner]

    def body_inside(self, label: int, margin_mm: float, tissue: int) -> np.ndarray:
        """Return points (n, 3; anatomical mm) of a tissue deeper than a margin in a vertebra's body."""
        box = self._boxes[label - 1]
        mask = (self.vertebra[box] == label) & (self.subregion[box] == L.BODY_BORDER)
        return self._points(_deeper(mask, margin_mm) & (self._tissue[box] == tissue), box)

    def arch(self, label: int) -> Region:
        """Return the arch of a vertebra (arcus vertebrae), anatomical mm."""
        box = self._boxes[label - 1]
        mask = (self.vertebra[box] == label) & (self.subregion[box] == L.ARCUS)
        return region_of_mask(mask, box, Volume(self.vertebra, self.grid.affine))

    def subregion_at(self, grid: Grid) -> np.ndarray:
        """Return the nearest subregion label at every point of another grid."""
        index = np.indices(grid.shape).reshape(3, -1).T
        at = np.round(self.grid.to_index(grid.to_world(index))).astype(int)
        if (at.min(0) >= 0).all() and (at.max(0) < self.grid.shape).all():
            return self.subregion[at[:, 0], at[:, 1], at[:, 2]].reshape(grid.shape)
        inside = _all((at >= 0) & (at < self.grid.shape))
        found = np.zeros(len(at), np.uint8)
        found[inside] = self.subregion[tuple(at[inside].T)]
        return found.reshape(grid.shape)

    def _points(self, mask: np.ndarray, box: tuple[slice, ...]) -> np.ndarray:
        return self.grid.to_world(np.argwhere(mask) + [s.start for s in box])

    def _in_view(self, points_mm: np.ndarray) -> float:
        """Return the fraction of points (anatomical frame) inside the scan's field of view."""
        grid = self._acquisition.grid
        index = grid.to_index(points_mm)
        inside = (index >= -0.5) & (index <= np.array(grid.shape) - 0.5)
        return float(_all(inside).mean())


def _all(found: np.ndarray) -> np.ndarray:
    """Return (n,) where all of (n, 3) is true; several times faster than numpy's `all` along so short an axis."""
    return found[:, 0] & found[:, 1] & found[:, 2]


def _deeper(mask: np.ndarray, margin_mm: float) -> np.ndarray:
    """Return which voxels of a mask on the fine grid lie deeper than a margin."""
    deeper = np.zeros_like(mask)
    box = tight_box(mask)
    if box is not None:
        depth = ndimage.distance_transform_edt(np.pad(mask[box], 1), sampling=LATTICE_MM)
        deeper[box] = depth[1:-1, 1:-1, 1:-1] > margin_mm
    return deeper
