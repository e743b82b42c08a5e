"""What the features stage should measure, computed from the shapes themselves.

Heights and positions come from the shapes' formulas; volumes from drawing each vertebra and disc on a
0.5 mm lattice (error below 0.5 %). Definitions are those of the data dictionary.
"""

from __future__ import annotations

import numpy as np

from ..core import labels as L
from ..core.geometry import Grid
from .acquisition import Acquisition
from .anatomy import Anatomy, Vertebra
from .discs import disc_frame
from .raster import rasterise

LATTICE_MM = 0.5


def truth_tables(anatomy: Anatomy, acquisition: Acquisition) -> dict:
    """Return {"scan": {...}, "vertebrae": [...], "discs": [...]} in scanner RAS mm, top down.

    Holds what the field of view contains at least partly; `fully_visible` says whether a structure
    lies inside it completely, which any shape measure needs.
    """
    subregion, vertebra, world_grid = _fine_maps(anatomy)
    vertebrae, discs = [], []
    for k, v in enumerate(anatomy.vertebrae):
        row = _vertebra_row(v, subregion, vertebra, world_grid, acquisition)
        if row is not None:
            vertebrae.append(row)
        disc = _disc_row(anatomy, k, vertebra, world_grid, acquisition)
        if disc is not None:
            discs.append(disc)
    scan = {
        "region": acquisition.region,
        "presacral_vertebrae": len(anatomy.vertebrae),
        "last_level": anatomy.vertebrae[-1].level,
        "thoracic_vertebrae": sum(v.level[0] == "T" for v in anatomy.vertebrae),
    }
    return {"scan": scan, "vertebrae": vertebrae, "discs": discs}


def _fine_maps(anatomy: Anatomy) -> tuple[np.ndarray, np.ndarray, Grid]:
    points = np.array([v.centre_mm for v in anatomy.vertebrae])
    low = points.min(0) - [58, 85, 55]
    high = points.max(0) + [58, 32, 50]
    shape = tuple(int(n) for n in np.ceil((high - low) / LATTICE_MM))
    affine = np.diag([LATTICE_MM] * 3 + [1.0])
    affine[:3, 3] = low
    canvas = rasterise(anatomy, Grid(shape, affine))
    return canvas.subregion, canvas.vertebra, canvas.grid


def _window(grid: Grid, centre: np.ndarray, half_mm) -> tuple[slice, slice, slice]:
    index = grid.to_index(centre)
    reach = np.asarray(half_mm) / LATTICE_MM
    return tuple(
        slice(max(0, int(i - r)), min(n, int(i + r) + 1))
        for i, r, n in zip(index, reach, grid.shape, strict=True)
    )


def _in_view(points_mm: np.ndarray, acquisition: Acquisition) -> float:
    """Return the fraction of points (anatomical frame) inside the scan's field of view."""
    index = acquisition.grid.to_index(points_mm)
    inside = (index >= -0.5) & (index <= np.array(acquisition.grid.shape) - 0.5)
    return float(inside.all(-1).mean())


def _points(mask: np.ndarray, window, grid: Grid) -> np.ndarray:
    return grid.to_world(np.argwhere(mask) + [s.start for s in window])


def _vertebra_row(v: Vertebra, subregion, vertebra, grid, acquisition) -> dict | None:
    window = _window(grid, v.centre_mm, (58, 85, 50))
    mine = vertebra[window] == v.label
    body = mine & (subregion[window] == L.BODY_BORDER)
    body_points = _points(body, window, grid)
    visible = _in_view(body_points, acquisition)
    if visible == 0:
        return None
    points = _points(mine, window, grid)
    centroid = acquisition.world[:3, :3] @ points.mean(0) + acquisition.world[:3, 3]
    cell = LATTICE_MM**3
    shaped = v.dens is None
    return {
        "label": v.label,
        "level": v.level,
        "height_anterior_mm": v.body.height_at_mm(0.85) if shaped else None,
        "height_middle_mm": v.body.height_at_mm(0.5) if shaped else None,
        "height_posterior_mm": v.body.height_at_mm(0.15) if shaped else None,
        "body_volume_mm3": float(body.sum() * cell),
        "vertebra_volume_mm3": float(mine.sum() * cell),
        "centroid_x_mm": float(centroid[0]),
        "centroid_y_mm": float(centroid[1]),
        "centroid_z_mm": float(centroid[2]),
        "visible_fraction": _in_view(points, acquisition),
        "body_visible_fraction": visible,
        "fully_visible": bool(_in_view(points, acquisition) == 1.0),
        "body_fully_visible": bool(visible == 1.0),
        "fracture": v.fracture,
    }


def _disc_row(anatomy: Anatomy, k: int, vertebra, grid, acquisition) -> dict | None:
    frame, v = disc_frame(anatomy, k), anatomy.vertebrae[k]
    window = _window(grid, frame.centre_mm, (40, 40, 30))
    mask = vertebra[window] == L.DISC_OFFSET + v.label
    points = _points(mask, window, grid)
    visible = _in_view(points, acquisition) if len(points) else 0.0
    if visible == 0:
        return None
    below = anatomy.vertebrae[k + 1].label if k + 1 < len(anatomy.vertebrae) else L.SACRUM
    middle = [frame.height_at_mm(f) for f in np.linspace(0.25, 0.75, 11)]
    return {
        "level": L.disc_name(v.label, below),
        "label_above": v.label,
        "disc_volume_mm3": float(mask.sum() * LATTICE_MM**3),
        "disc_height_mm": float(np.mean(middle)),
        "fully_visible": bool(visible == 1.0),
    }
