"""Cross-sections of a phantom's canal and cord, cut from a fine drawing perpendicular to its smoothed
line.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.geometry import Grid
from wirbel.core.labels import CANAL, CORD, LEVELS_TOP_DOWN
from wirbel.core.measures.cord.centreline import STEP_MM, Centreline
from wirbel.core.measures.cord.compression import LOWEST, mscc_percent
from wirbel.core.measures.cord.sections import CENTRAL_MM, SLAB_MM
from wirbel.core.measures.levels import section_frame
from wirbel.phantom.person.anatomy import Anatomy
from wirbel.phantom.person.canal import canal_line
from wirbel.phantom.true_values.true_volumes import FineMaps

PIXEL_MM = 0.4
LAYERS = 5
HALF_WIDTH_MM = 17.0
BETWEEN_MM, THIN_MM = 1.5, 1.5
"""Distance and thickness of the sections in which the narrowest place is searched."""
LEAST_AREA_MM2 = 12.0
"""A smaller section of the cord is its tip or a filament and is not measured."""


def true_centreline(anatomy: Anatomy) -> Centreline:
    """Return the canal's line in the anatomical frame, smoothed like a scan's."""
    line = canal_line(anatomy)
    height = np.arange(line.top_mm - 35.0, line.bottom_mm + 20.0, -2.0)
    points = np.column_stack([line.centre(-height), height])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.arange(0, along[-1], STEP_MM)
    return Centreline(np.stack([np.interp(at, along, points[:, k]) for k in range(3)], axis=1))


def true_section_columns(
    maps: FineMaps, line: Centreline, centre_mm: np.ndarray, place: str
) -> dict[str, float | None]:
    """Return the section columns at one place ("body" or "disc") beside a structure's centre."""
    frame = section_frame(line, centre_mm)
    columns: dict[str, float | None] = {}
    sizes: dict[str, tuple[float, float, float] | None] = {"canal": None, "cord": None}
    if frame is not None:
        drawn = maps.subregion_at(_plane(frame))
        sizes = {"canal": _sizes(np.isin(drawn, (CANAL, CORD))), "cord": _sizes(drawn == CORD)}
    for name, found in sizes.items():
        values = found or (None, None, None)
        for column, value in zip(("area", "ap", "rl"), values, strict=True):
            columns[f"{name}_{column}_{place}_{'mm2' if column == 'area' else 'mm'}"] = value
    canal, cord = sizes.values()
    columns[f"space_for_cord_{place}_mm"] = canal[1] - cord[1] if canal and cord else None
    columns[f"cord_to_canal_ratio_{place}"] = cord[0] / canal[0] if canal and cord else None
    return columns


def true_narrowest_columns(
    maps: FineMaps, line: Centreline, body_mm: np.ndarray, disc_mm: np.ndarray
) -> dict[str, float | None]:
    """Return the canal's smallest area and AP diameter from a body's middle to the same distance below
    its disc.

    `cord_ap_min_mm` is the smallest AP diameter of the cord there, None where it is not there all along.
    """
    first, middle = line.position(body_mm), line.position(disc_mm)
    found, cords = [], []
    for at in np.arange(first, 2 * middle - first + BETWEEN_MM / 2, BETWEEN_MM):
        frame = section_frame(line, line.point(at) + body_mm - line.point(first))
        drawn = None if frame is None else maps.subregion_at(_plane(frame, THIN_MM))
        found.append(None if drawn is None else _sizes(np.isin(drawn, (CANAL, CORD))))
        cords.append(None if drawn is None else _sizes(drawn == CORD))
    diameters = [cord[1] for cord in cords if cord is not None]
    smallest = min(diameters) if len(diameters) == len(cords) and cords else None
    if None in found or not found:
        return {"canal_area_min_mm2": None, "canal_ap_min_mm": None, "cord_ap_min_mm": smallest}
    areas, depths, _ = zip(*found, strict=True)
    return {
        "canal_area_min_mm2": min(areas),
        "canal_ap_min_mm": min(depths),
        "cord_ap_min_mm": smallest,
    }


def add_true_compression(levels: list[dict]) -> None:
    """Add `cord_compression_percent` to the rows of levels from the top down, in place of `cord_ap_min_mm`."""
    bodies = [row["cord_ap_body_mm"] for row in levels]
    for k, row in enumerate(levels):
        narrowest = row.pop("cord_ap_min_mm")
        above, below = bodies[max(k - 1, 0) : k + 1], bodies[k + 1 : k + 3]
        known = narrowest and below and None not in (*above, *below)
        high = LEVELS_TOP_DOWN.index(row["label"]) <= LEVELS_TOP_DOWN.index(LOWEST)
        row["cord_compression_percent"] = (
            mscc_percent(narrowest, max(above), max(below)) if known and high else None
        )


def _plane(frame, thickness_mm: float = 2 * SLAB_MM) -> Grid:
    number = int(2 * HALF_WIDTH_MM / PIXEL_MM)
    steps = np.array([PIXEL_MM, PIXEL_MM, thickness_mm / LAYERS])
    shape = (number, number, LAYERS)
    affine = np.eye(4)
    affine[:3, :3] = frame.axes.T * steps
    affine[:3, 3] = frame.origin_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def _sizes(mask: np.ndarray) -> tuple[float, float, float] | None:
    """Return area, AP and RL of a mask (right, anterior, layer), averaged over the layers."""
    area = mask.sum() * PIXEL_MM**2 / LAYERS
    if area < LEAST_AREA_MM2:
        return None
    across = np.flatnonzero(mask.any((1, 2)))
    middle = (across[0] + across[-1]) / 2
    central = np.abs(np.arange(len(mask)) - middle) * PIXEL_MM < CENTRAL_MM / 2
    depth = mask.sum(1)[central].mean() * PIXEL_MM
    layers = np.asarray(mask.any(1)).T
    extents = [np.ptp(np.flatnonzero(layer)) + 1 for layer in layers if layer.any()]
    return float(area), float(depth), float(np.mean(extents) * PIXEL_MM)
