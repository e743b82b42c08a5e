"""What pictures of measures are drawn on: slices through a simulated scan, as SVG."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from wirbel.core.geometry import Grid, Volume
from wirbel.core.measures.frames import Frame
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import find_solids
from wirbel.core.measures.spine import Spine
from wirbel.io.atomic import write_text
from wirbel.phantom import make_phantom

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PIXEL_MM, LARGEST, PER_MM, FONT = 0.4, 300_000, 8.0, 22
"""Pixels of the slice; largest picture in square units, most units for a millimetre; height of letters in units."""
YELLOW, WHITE, CYAN, RED = "#ffd800", "#ffffff", "#00e0ff", "#ff4040"


class Canvas:
    """A plane: `across` to the right of the picture, `up` upwards, world mm; `grey` is (x, y) uint8.

    The slice is embedded as a small picture; lines, dots and letters lie over it as they are.
    """

    def __init__(self, grey, middle_mm, across, up, pixel_mm, *, smooth=True) -> None:
        self.middle, self.across, self.up = np.asarray(middle_mm), across, up
        size_mm = np.array(grey.shape) * pixel_mm
        self.per_mm = min(PER_MM, float(np.sqrt(LARGEST / size_mm.prod())))
        self.size = size_mm * self.per_mm
        self.slice, self.smooth = Image.fromarray(grey.T), smooth
        self.drawn: list[str] = []

    def at(self, point_mm) -> tuple[float, float]:
        """Return the place of a world point in the picture."""
        offset = np.asarray(point_mm) - self.middle
        place = np.array([offset @ self.across, -(offset @ self.up)])
        return tuple(place * self.per_mm + self.size / 2)

    def line(self, points, colour, width=3) -> None:
        """Draw a line through world points, with a dark rim."""
        path = " ".join("{:.1f},{:.1f}".format(*self.at(p)) for p in points)
        for stroke, thick, opacity in (("#000", width + 3, 0.5), (colour, width, 1)):
            self.drawn.append(
                f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{thick}" '
                f'stroke-opacity="{opacity}" stroke-linecap="round" stroke-linejoin="round"/>'
            )

    def dot(self, point, colour, radius=5) -> None:
        """Draw a dot at a world point."""
        self.dots([point], colour, radius)

    def dots(self, points, colour, radius) -> None:
        """Draw many dots at world points."""
        path = "".join("M{:.0f} {:.0f}h0".format(*self.at(p)) for p in points)
        self.drawn.append(
            f'<path d="{path}" stroke="{colour}" stroke-width="{2 * radius}" stroke-linecap="round"/>'
        )

    def letter(self, point, text, colour, shift=(0, 0)) -> None:
        """Write letters about a world point, `shift` units to the right and down of it."""
        x, y = np.array(self.at(point)) + shift
        self.drawn.append(
            f'<text x="{x:.1f}" y="{y + FONT / 3:.1f}" fill="{colour}" stroke="#000" stroke-width="4" '
            f'paint-order="stroke" text-anchor="middle">{text}</text>'
        )

    def save(self, name: str) -> None:
        """Write the picture."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        width, height = self.size
        kind, options = ("JPEG", {"quality": 88}) if self.smooth else ("PNG", {"optimize": True})
        self.slice.save(coded := io.BytesIO(), kind, **options)
        data = base64.b64encode(coded.getvalue()).decode()
        rendering = "auto" if self.smooth else "pixelated"
        lines = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-weight="bold" '
            f'font-size="{FONT}">',
            f'<image width="{width:.0f}" height="{height:.0f}" preserveAspectRatio="none" '
            f'style="image-rendering:{rendering}" href="data:image/{kind.lower()};base64,{data}"/>',
            *self.drawn,
            "</svg>",
        )
        write_text(FOLDER / f"{name}.svg", "\n".join(lines) + "\n")


class View(Canvas):
    """The scan in a plane of any direction, between its voxels."""

    def __init__(self, phantom, middle_mm, across, up, size_mm, pixel_mm=PIXEL_MM) -> None:
        grid = Grid(*plane(middle_mm, across, up, size_mm, pixel_mm))
        grey = looked_up(phantom.image, grid.to_world(indices(grid)), order=1)
        super().__init__(grey.reshape(grid.shape[:2]), middle_mm, across, up, pixel_mm)


class Scan(Canvas):
    """The scan's own voxels: the nearest one of every pixel."""

    def __init__(self, image: Volume, middle_mm, across, up, size_mm, pixel_mm=PIXEL_MM) -> None:
        grid = Grid(*plane(middle_mm, across, up, size_mm, pixel_mm))
        grey = looked_up(image, grid.to_world(indices(grid)), order=0).reshape(grid.shape[:2])
        super().__init__(grey, middle_mm, across, up, pixel_mm, smooth=False)


class Front(Canvas):
    """The scan seen from the front, in a surface that runs through the given points from top to bottom."""

    def __init__(self, image: Volume, frame: Frame, points_mm, size_mm, pixel_mm) -> None:
        middle = (points_mm.min(0) + points_mm.max(0)) / 2
        grid = Grid(*plane(middle, -frame.right, frame.superior, size_mm, pixel_mm))
        local = (points_mm - middle) @ np.array([frame.superior, frame.anterior]).T
        order = np.argsort(local[:, 0])
        world = grid.to_world(indices(grid))
        depth = np.interp((world - middle) @ frame.superior, *local[order].T)
        grey = looked_up(image, world + depth[:, None] * frame.anterior, order=1)
        grey = grey.reshape(grid.shape[:2])
        super().__init__(grey, middle, -frame.right, frame.superior, pixel_mm)


def indices(grid: Grid) -> np.ndarray:
    """Return the indices of all voxels of a grid (n, 3)."""
    return np.indices(grid.shape).reshape(3, -1).T


def looked_up(image: Volume, points_mm: np.ndarray, order: int) -> np.ndarray:
    """Return the scan's grey values, 0 to 255, at world points (n, 3)."""
    at = image.grid.to_index(points_mm).T
    data = image.data.astype(np.float32)
    values = ndimage.map_coordinates(data, at, order=order, mode="constant")
    low, high = np.percentile(values[values > 0], (1, 99.5))
    return np.clip((values - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def plane(middle_mm, across, up, size_mm, pixel_mm) -> tuple[tuple[int, int, int], np.ndarray]:
    """Return (shape, affine) of a plane of pixels about a point."""
    shape = (*(int(n) for n in np.array(size_mm) / pixel_mm), 1)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = across * pixel_mm, -up * pixel_mm
    affine[:3, 2] = np.cross(across, up) * pixel_mm
    affine[:3, 3] = np.asarray(middle_mm) - affine[:3, :2] @ ((np.array(shape[:2]) - 1) / 2)
    return shape, affine


def place(frame: Frame, right=0.0, anterior=0.0, superior=0.0) -> np.ndarray:
    """Return the world point at coordinates of a frame."""
    return frame.to_world(np.array([right, anterior, superior]))


def fitted(seed: int, region: str = "lumbar", slice_mm: float = 1.5):
    """Return (phantom, maps, spine, solids) of a scan in thin slices."""
    phantom = make_phantom(seed, region, in_plane_mm=0.8, slice_mm=slice_mm, with_truth=False)
    maps = LabelMaps(phantom.subregion, phantom.vertebra)
    spine = Spine(maps)
    return phantom, maps, spine, find_solids(maps, spine)
