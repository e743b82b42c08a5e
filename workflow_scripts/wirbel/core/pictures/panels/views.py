"""Sagittal, coronal and axial views of a scan, curved with its spine, in true proportions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.labels import BODY_LABELS, LEVEL_NAMES, SACRUM
from wirbel.core.pictures.panels.course import Course
from wirbel.core.pictures.sagittal_views import to_grey

TALLEST = 840
"""Pixels of the tallest view; a whole spine of 560 mm then has 0.67 mm a pixel."""
FINEST_MM = 0.5
FRONT_MM, BACK_MM = 55.0, 75.0
"""How far a sagittal view reaches to the front and back of the canal's course."""
SIDE_MM = 50.0
"""How far a coronal view reaches to each side of the spine's middle."""
SIDEWAYS_MM = 14.0
"""Sagittal views: so far to both sides of the spine's middle; pedicles and foramina lie about there."""
ROWS_IN_VIEW = 10
"""Narrow slabs: a side view lies within the slices in all but so many percent of the rows."""
AXIAL_HALF_MM, AXIAL_PIXEL_MM, AXIAL_COLUMNS = 42.0, 0.75, 6
AXIAL_BACK_MM = 15.0
"""Axial views are centred so far behind the middle of the body, so that canal and processes are seen."""


@dataclass(frozen=True)
class View:
    """A view: arrays (rows, columns) of one shape, `pixel_mm` a pixel.

    `image` is uint8, both maps hold labels. `place` takes fractional indices (n, 3), P-I-R, to pixels (n, 2) as
    (x, y); None where lines would not lie in the view.
    """

    kind: str
    title: str
    image: np.ndarray
    subregion: np.ndarray
    vertebra: np.ndarray
    pixel_mm: float
    place: Callable[[np.ndarray], np.ndarray] | None = None


def sagittal_views(course: Course) -> list[View]:
    """Return sagittal views through the spine's middle and to both sides of it; columns run to the back."""
    rows, pixel = _rows(course)
    back_mm, down_mm, right_mm = course.spacing_mm
    front = _at(course.bodies, rows).min() - FRONT_MM / back_mm
    back = _at(course.canal, rows).max() + BACK_MM / back_mm
    front, back = max(front, 0.0), min(back, course.image.data.shape[0] - 1.0)
    columns = np.arange(front, back, pixel / back_mm)

    def place(index: np.ndarray) -> np.ndarray:
        return np.stack([(index[:, 0] - front) * back_mm, index[:, 1] * down_mm], 1) / pixel

    views: list[View] = []
    for sideways in _sideways_mm(course):
        slices = _at(course.middle, rows) + sideways / right_mm
        at = np.broadcast_arrays(columns[None, :], rows[:, None], slices[:, None])
        side = ("left", "", "right")[len(views)]
        title = f"{abs(sideways):.0f} mm to the {side}" if side else "Through the middle"
        views.append(_sampled(course, "sagittal", title, at, pixel, None if side else place))
    return views


def _sideways_mm(course: Course) -> tuple[float, float, float]:
    """Return how far to the right of the spine's middle sagittal views lie; not beyond the slices of narrow slabs."""
    right_mm, slices = course.spacing_mm[2], course.image.data.shape[2]
    rooms = course.middle * right_mm, (slices - 1 - course.middle) * right_mm
    left, right = (
        float(np.clip(np.percentile(room, ROWS_IN_VIEW), 0, SIDEWAYS_MM)) for room in rooms
    )
    return -left, 0.0, right


def coronal_views(course: Course) -> list[View]:
    """Return coronal views along the bodies and along the canal, the person's right on the left."""
    rows, pixel = _rows(course)
    _, down_mm, right_mm = course.spacing_mm
    across = np.arange(SIDE_MM, -SIDE_MM, -pixel) / right_mm

    def place(index: np.ndarray) -> np.ndarray:
        middle = _at(course.middle, index[:, 1])
        x = (SIDE_MM - (index[:, 2] - middle) * right_mm) / pixel
        return np.stack([x, index[:, 1] * down_mm / pixel], 1)

    views = []
    for title, line in (("Along the bodies", course.bodies), ("Along the canal", course.canal)):
        depth = _at(line, rows)
        slices = _at(course.middle, rows)[:, None] + across[None, :]
        at = np.broadcast_arrays(depth[:, None], rows[:, None], slices)
        along = place if line is course.bodies else None
        views.append(_sampled(course, "coronal", title, at, pixel, along))
    return views


def axial_views(course: Course) -> list[View]:
    """Return a view at right angles to the spine through the middle of each body, from the top down."""
    return [
        _axial(course, level, row) for level, row in sorted(body_rows(course), key=lambda b: b[1])
    ]


def body_rows(course: Course) -> list[tuple[str, float]]:
    """Return (level, row of its middle) of every vertebra with a body."""
    voxels = np.nonzero(np.isin(course.subregion.data, BODY_LABELS))
    labels, rows = course.vertebra.data[voxels].astype(int), voxels[1]
    counts, sums = np.bincount(labels), np.bincount(labels, rows)
    present = [v for v in np.flatnonzero(counts).tolist() if v in LEVEL_NAMES and v != SACRUM]
    return [(LEVEL_NAMES[v], float(sums[v] / counts[v])) for v in present]


def _axial(course: Course, level: str, row: float) -> View:
    back_mm, down_mm, right_mm = course.spacing_mm
    slope = (_at(course.bodies, row + 3) - _at(course.bodies, row - 3)) * back_mm / (6 * down_mm)
    along = np.array([1.0, -slope]) / np.hypot(1.0, slope)  # to the back, tilted with the spine
    reach = np.arange(-AXIAL_HALF_MM, AXIAL_HALF_MM, AXIAL_PIXEL_MM)
    deep = reach[:, None] + AXIAL_BACK_MM
    wide = -reach[None, :]  # the person's right on the left
    at = np.broadcast_arrays(
        _at(course.bodies, row) + deep * along[0] / back_mm,
        row + deep * along[1] / down_mm,
        _at(course.middle, row) + wide / right_mm,
    )
    return _sampled(course, "axial", level, at, AXIAL_PIXEL_MM, None)


def _rows(course: Course) -> tuple[np.ndarray, float]:
    """Return the rows (fractional indices) of a tall view, and its pixel size."""
    height_mm = course.image.data.shape[1] * course.spacing_mm[1]
    pixel = max(height_mm / TALLEST, FINEST_MM)
    return np.arange(0, course.image.data.shape[1] - 1, pixel / course.spacing_mm[1]), pixel


def _at(line: np.ndarray, rows) -> np.ndarray:
    return np.interp(rows, np.arange(len(line)), line)


def _sampled(course: Course, kind: str, title: str, at, pixel: float, place) -> View:
    """Sample image and maps at fractional indices: linearly, and the nearest label; nothing lies outside."""
    at = np.stack(at)
    grey = ndimage.map_coordinates(course.image.data, at, order=1, output=np.float32, cval=0.0)
    nearest = np.rint(at).astype(int)
    shape = np.array(course.image.data.shape).reshape(3, 1, 1)
    inside = ((nearest >= 0) & (nearest < shape)).all(0)
    index = tuple(np.clip(nearest, 0, shape - 1))
    subregion, vertebra = (
        np.where(inside, v.data[index], 0) for v in (course.subregion, course.vertebra)
    )
    return View(kind, title, to_grey(grey), subregion, vertebra, pixel, place)


def mosaic(views: list[View], columns: int = AXIAL_COLUMNS) -> View:
    """Return views of one shape side by side, row by row."""
    image, subregion, vertebra = (
        _sheet([getattr(view, name) for view in views], columns)
        for name in ("image", "subregion", "vertebra")
    )
    return View(views[0].kind, "", image, subregion, vertebra, views[0].pixel_mm)


def _sheet(parts: list[np.ndarray], columns: int) -> np.ndarray:
    height, width = parts[0].shape
    rows, used = -(-len(parts) // columns), min(columns, len(parts))
    sheet = np.zeros((rows * height, used * width), parts[0].dtype)
    for number, part in enumerate(parts):
        top, left = divmod(number, columns)
        sheet[top * height : (top + 1) * height, left * width : (left + 1) * width] = part
    return sheet
