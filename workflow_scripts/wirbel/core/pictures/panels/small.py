"""A scan and its structures, small enough to lie inside a page: cut to the spine, coarser, eight bits."""

from __future__ import annotations

import numpy as np

from wirbel.core.geometry import Grid, Volume, grid_with_spacing
from wirbel.core.pictures.panels.course import Course
from wirbel.core.pictures.sagittal_views import to_grey
from wirbel.core.resampling import resample_image, resample_labels

MOST_VOXELS = 1_300_000
"""About 1.3 MB of noise at eight bits, which does not compress: with base64 and the map 2 MB."""
FRONT_MM, BACK_MM = 60.0, 85.0
"""What is kept in front of and behind the spine's course."""


def small_volumes(course: Course) -> tuple[Volume, Volume]:
    """Return image (0 to 255) and subregions, on one grid of at most `MOST_VOXELS` voxels."""
    spacing = course.spacing_mm
    front = max(int(course.bodies.min() - FRONT_MM / spacing[0]), 0)
    back = min(int(course.canal.max() + BACK_MM / spacing[0]) + 1, course.image.data.shape[0])
    image, subregion = (_from(v, front, back) for v in (course.image, course.subregion))
    target = _coarser(image.grid)
    image = resample_image(image.with_data(image.data.astype(np.float32)), target)
    return image.with_data(to_grey(image.data)), resample_labels(subregion, target)


def _from(volume: Volume, front: int, back: int) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 3] = volume.grid.to_world(np.array([front, 0, 0]))
    return Volume(volume.data[front:back], affine)


def _coarser(grid: Grid) -> Grid:
    """Return a grid whose two finest axes are coarser by the same factor, where there are too many voxels."""
    excess = float(np.prod(grid.shape)) / MOST_VOXELS
    if excess <= 1:
        return grid
    spacing = np.array(grid.spacing_mm, float)
    finest = np.argsort(spacing)[:2]
    spacing[finest] *= np.sqrt(excess)
    back, down, right = map(float, spacing)
    return grid_with_spacing(grid, (back, down, right))
