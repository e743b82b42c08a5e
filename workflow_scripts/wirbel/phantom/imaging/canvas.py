"""The grid a phantom is drawn on, and where a box in millimetres falls on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.boxes import Box
from wirbel.core.geometry import Grid
from wirbel.phantom.person.shapes import Coordinates


@dataclass
class Canvas:
    """Label and tissue arrays on one grid whose affine maps to the anatomical frame (mm).

    `nearest` is how deep inside its shape the vertebra label written so far lies, so that touching
    vertebrae and substructures share a border half-way between them.
    """

    grid: Grid
    subregion: np.ndarray
    vertebra: np.ndarray
    tissue: np.ndarray
    nearest: np.ndarray

    @classmethod
    def blank(cls, grid: Grid) -> Canvas:
        """Return an empty canvas on `grid`."""
        subregion, vertebra, tissue = (np.zeros(grid.shape, np.uint8) for _ in range(3))
        return cls(grid, subregion, vertebra, tissue, np.zeros(grid.shape, np.float32))

    def box(self, centre_mm: np.ndarray, half_mm: np.ndarray, rotation: np.ndarray) -> Box | None:
        """Return the index box that covers a rotated box in the anatomical frame, or None if it is
        outside.
        """
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        corners = self.grid.to_index(centre_mm + (signs * half_mm) @ rotation.T)
        low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
        high = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, self.grid.shape)
        if (low >= high).any():
            return None
        return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))

    def local(self, box: Box, rotation: np.ndarray, origin_mm: np.ndarray) -> Coordinates:
        """Return the coordinates of a box's voxels in the frame (rotation, origin).

        An axis of the grid along which a coordinate stays the same has length 1 in its array.
        """
        matrix = rotation.T @ self.grid.affine[:3, :3]
        offset = rotation.T @ (self.grid.affine[:3, 3] - origin_mm)
        index = [at.astype(np.float32) for at in np.ogrid[box]]
        return tuple(
            (sum(step * at for step, at in zip(row, index, strict=True) if step) + constant).astype(
                np.float32
            )
            for row, constant in zip(matrix, offset, strict=True)
        )
