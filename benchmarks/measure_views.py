"""What pictures of measures are drawn on: planes through a phantom, its projections, and its own voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from wirbel.core.geometry import Grid, Volume
from wirbel.core.measures.frames import Frame
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import find_solids
from wirbel.core.measures.spine import Spine
from wirbel.core.pictures.colours import subregion_colours
from wirbel.phantom import make_phantom
from wirbel.phantom.imaging.raster import rasterise

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
PIXEL_MM, ZOOM = 0.25, 2
YELLOW, WHITE, CYAN, RED = "#ffd800", "#ffffff", "#00e0ff", "#ff4040"


class Canvas:
    """A plane: `across` to the right of the picture, `up` upwards, world mm; `pixels` are (x, y, 3) uint8."""

    def __init__(self, pixels, middle_mm, across, up, pixel_mm=PIXEL_MM, zoom=ZOOM) -> None:
        self.middle, self.across, self.up = np.asarray(middle_mm), across, up
        self.shape, self.pixel_mm, self.zoom = np.array(pixels.shape[:2]), pixel_mm, zoom
        size = tuple(int(n) for n in self.shape * zoom)
        self.picture = Image.fromarray(pixels.transpose(1, 0, 2)).resize(size, Image.NEAREST)
        self.draw = ImageDraw.Draw(self.picture)

    def at(self, point_mm) -> tuple[float, float]:
        """Return the pixel of a world point."""
        offset = np.asarray(point_mm) - self.middle
        pixel = np.array([offset @ self.across, -(offset @ self.up)]) / self.pixel_mm
        return tuple((pixel + self.shape / 2) * self.zoom)

    def line(self, points, colour, width=3) -> None:
        """Draw a line through world points."""
        self.draw.line([self.at(p) for p in points], fill=colour, width=width)

    def dot(self, point, colour, radius=5) -> None:
        """Draw a dot at a world point."""
        x, y = self.at(point)
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def save(self, name: str) -> None:
        """Write the picture with few colours: a small file."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.picture.quantize(32).save(FOLDER / f"{name}.png", optimize=True)


class View(Canvas):
    """A section of the phantom's structures."""

    def __init__(self, phantom, middle_mm, across, up, size_mm) -> None:
        shape, affine = plane(middle_mm, across, up, size_mm, PIXEL_MM)
        inside = Grid((*shape, 1), np.linalg.inv(phantom.acquisition.world) @ affine)
        drawn = rasterise(phantom.anatomy, inside).subregion[:, :, 0]
        super().__init__(dark_colours()[drawn], middle_mm, across, up)


class Scan(Canvas):
    """The scan itself: the nearest voxel of every pixel."""

    def __init__(self, image: Volume, middle_mm, across, up, size_mm, pixel_mm=PIXEL_MM) -> None:
        shape, affine = plane(middle_mm, across, up, size_mm, pixel_mm)
        index = np.indices((*shape, 1)).reshape(3, -1).T
        at = np.round(image.grid.to_index(Grid((*shape, 1), affine).to_world(index))).astype(int)
        values = image.data[tuple(np.clip(at, 0, np.array(image.data.shape) - 1).T)].reshape(shape)
        grey = np.clip(values / np.percentile(values, 99) * 255, 0, 255).astype(np.uint8)
        super().__init__(np.repeat(grey[..., None], 3, 2), middle_mm, across, up, pixel_mm)


class Projection(Canvas):
    """All voxels of a label map seen from one side: what lies nearest to the eye is drawn."""

    def __init__(self, volume: Volume, frame: Frame, labels, size_mm, pixel_mm=1.0) -> None:
        index = np.argwhere(np.isin(volume.data, labels))
        points = volume.grid.to_world(index)
        middle = (points.min(0) + points.max(0)) / 2
        shape = (np.array(size_mm) / pixel_mm).astype(int)
        local = (points - middle) @ np.array([-frame.right, frame.superior, frame.anterior]).T
        order = np.argsort(local[:, 2])
        x = (local[order, 0] / pixel_mm + shape[0] / 2).astype(int)
        y = (shape[1] / 2 - local[order, 1] / pixel_mm).astype(int)
        seen = (x >= 0) & (y >= 0) & (x < shape[0] - 3) & (y < shape[1])
        pixels = np.zeros((*shape, 3), np.uint8)
        colours = dark_colours()[volume.data[tuple(index[order][seen].T)]]
        for aside in range(-1, 3):  # slices are further apart than pixels
            pixels[x[seen] + aside, y[seen]] = colours
        super().__init__(pixels, middle, -frame.right, frame.superior, pixel_mm, 2)


def plane(middle_mm, across, up, size_mm, pixel_mm) -> tuple[tuple[int, int], np.ndarray]:
    """Return (shape, affine) of a plane of pixels about a point."""
    shape = tuple(int(n) for n in np.array(size_mm) / pixel_mm)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = across * pixel_mm, -up * pixel_mm
    affine[:3, 2] = np.cross(across, up) * pixel_mm
    affine[:3, 3] = np.asarray(middle_mm) - affine[:3, :2] @ ((np.array(shape) - 1) / 2)
    return shape, affine


def dark_colours() -> np.ndarray:
    """Return the colours of the subregions (256, 3), half as bright: lines stand out."""
    colours = np.zeros((256, 3), np.uint8)
    for label, colour in subregion_colours().items():
        value = colour.lstrip("#")
        colours[label] = [int(value[k : k + 2], 16) // 2 for k in (0, 2, 4)]
    return colours


def place(frame: Frame, right=0.0, anterior=0.0, superior=0.0) -> np.ndarray:
    """Return the world point at coordinates of a frame."""
    return frame.to_world(np.array([right, anterior, superior]))


def fitted(seed: int, region: str = "lumbar", slice_mm: float = 1.5):
    """Return (phantom, maps, spine, solids) of a scan in thin slices."""
    phantom = make_phantom(seed, region, in_plane_mm=0.8, slice_mm=slice_mm, with_truth=False)
    maps = LabelMaps(phantom.subregion, phantom.vertebra)
    spine = Spine(maps)
    return phantom, maps, spine, find_solids(maps, spine)
