"""One scan's panel as data: its views with their layers, names and measured lines, its numbers, where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

from wirbel.core.geometry import Volume
from wirbel.core.pictures.panels.course import Course, find_course
from wirbel.core.pictures.panels.paint import layers, thumbnail
from wirbel.core.pictures.panels.small import small_volumes
from wirbel.core.pictures.panels.views import (
    View,
    axial_views,
    body_rows,
    coronal_views,
    mosaic,
    sagittal_views,
)
from wirbel.io.embedded import nifti_text, png_address, webp_address
from wirbel.report.attention import LOW_CONFIDENCE

NO_WARNINGS: Mapping[str, str] = MappingProxyType({})
KINDS_IN = {
    "sagittal": ("height", "depth", "disc_height", "endplate", "canal_ap"),
    "coronal": ("cobb", "width"),
}
"""Kind of view -> kinds of lines drawn in it: those that lie in its plane."""


def panel(
    scan_id: str,
    image: Volume,
    maps: tuple[Volume, Volume] | None,
    measured: Mapping[str, Any],
    described: Mapping[str, Any],
    warnings: Mapping[str, str] = NO_WARNINGS,
) -> tuple[dict[str, Any], Image.Image]:
    """Return a scan's panel and its thumbnail.

    Parameters
    ----------
    image, maps : Volume
        The scan, and its subregion and vertebra map on the same grid; None for a scan without maps.
    measured : mapping
        What `read_measurements` gave; empty for a scan that was not measured.
    described : mapping
        The vertebra map's sidecar; empty without one.
    warnings : mapping
        Flag -> what is known of it besides its meaning. Default: nothing.
    """
    nothing = image.with_data(np.zeros(image.data.shape, np.uint8))
    course = find_course(image, *(maps or (nothing, nothing)))
    sagittal = sagittal_views(course)
    lines = measured.get("landmarks", [])
    content: dict[str, Any] = {
        "scan_id": scan_id,
        "views": [_view(view, course, lines) for view in [*sagittal, *coronal_views(course)]],
        "axial": _axial(course),
        "tables": {
            name: measured[name] for name in ("vertebrae", "discs", "levels") if name in measured
        },
        "scan": measured.get("scan", {}),
        "described": described,
        "warnings": dict(warnings),
    }
    if maps and is_odd(measured.get("scan", {})):
        small = zip(("image", "structures"), small_volumes(course), strict=True)
        content["volumes"] = {name: nifti_text(volume) for name, volume in small}
    return content, thumbnail(sagittal[len(sagittal) // 2])


def is_odd(scan: Mapping[str, Any]) -> bool:
    """Whether what is known of a scan by itself asks for a look: flags, or names that are not sure."""
    confidence = scan.get("level_confidence")
    return bool(
        scan.get("flags")
        or scan.get("level_flags")
        or scan.get("levels_agree") is False
        or (confidence is not None and confidence < LOW_CONFIDENCE)
    )


def _view(view: View, course: Course, lines: Sequence[Sequence[Any]]) -> dict[str, Any]:
    height, width = view.image.shape
    told = {"kind": view.kind, "title": view.title, "width": width, "height": height}
    return {
        **told,
        **_layers(view),
        "marks": _marks(view, course),
        "lines": _lines(view, course, lines),
    }


def _layers(view: View) -> dict[str, str]:
    pictures = layers(view)
    overlays = {name: png_address(pictures[name]) for name in ("structures", "vertebrae")}
    return {"image": webp_address(pictures["image"]), **overlays}


def _marks(view: View, course: Course) -> list[list[Any]]:
    """Return level, x and y (pixels) of every body's middle, where the view has a place for it."""
    if view.place is None:
        return []
    found = []
    for level, row in body_rows(course):
        at = int(round(row))
        index = np.array([[course.bodies[at], row, course.middle[at]]])
        x, y = view.place(index)[0].round(1).tolist()
        found.append([level, x, y])
    return found


def _lines(view: View, course: Course, lines: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return kind, level and x, y of both ends (pixels) of the lines that lie in the view's plane."""
    if view.place is None:
        return []
    found = []
    for kind, level, *points in lines:
        if kind in KINDS_IN.get(view.kind, ()):
            ends = view.place(course.index(np.array(points, float).reshape(2, 3)))
            found.append([kind, level, *ends.ravel().round(1).tolist()])
    return found


def _axial(course: Course) -> dict[str, Any] | None:
    views = axial_views(course)
    if not views:
        return None
    sheet = mosaic(views)
    height, width = views[0].image.shape
    tile = {"tile_width": width, "tile_height": height, "columns": sheet.image.shape[1] // width}
    whole = {"width": sheet.image.shape[1], "height": sheet.image.shape[0]}
    return {**tile, **whole, **_layers(sheet), "titles": [view.title for view in views]}
