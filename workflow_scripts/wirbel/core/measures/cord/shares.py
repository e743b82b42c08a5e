"""The share of canal and cord that belongs to each level."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from wirbel.core.labels import CANAL, CORD, LEVEL_NAMES, LEVEL_ORDER
from wirbel.core.measures import status as S
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.spine import Spine


def share_rows(maps: LabelMaps, spine: Spine, order: Contiguity) -> list[dict]:
    """Return the rows of levels with their volumes of canal and cord: each voxel goes to the nearest body centre.

    Above C2 and below the last vertebra on the sacrum stands a stopper at the distance of its neighbour, so that
    the end levels do not collect what lies above or below. A vertebra that lacks one of its neighbours has no share:
    nobody knows where it would end.
    """
    labels = [v for v in maps.vertebrae if v in spine.centroids_mm]
    if not labels:
        return []
    centres = np.array([spine.centroids_mm[v] for v in labels])
    tree = cKDTree(np.vstack([centres, _stoppers(centres)]))
    rows: list[dict[str, Any]] = [
        {"label": v, "level": LEVEL_NAMES[v], "level_order": LEVEL_ORDER[v]} for v in labels
    ]
    for size, state, subregion in (
        ("canal_volume_mm3", "canal_status", CANAL),
        ("cord_volume_mm3", "cord_status", CORD),
    ):
        region = maps.structure(subregion)
        shares = _shares(region, tree, len(labels))
        for row, (volume, touches) in zip(rows, shares, strict=True):
            row[size] = volume or None
            row[state] = S.TOUCHES_BORDER if touches else S.OK if volume else S.ABSENT
            if volume and not order.has_both(row["label"]):
                row |= {size: None, state: S.VERTEBRA_MISSING}
    return rows


def _stoppers(centres: np.ndarray) -> np.ndarray:
    if len(centres) == 1:
        return np.empty((0, 3))
    return np.array([2 * centres[0] - centres[1], 2 * centres[-1] - centres[-2]])


def _shares(region: Region | None, tree: cKDTree, n: int) -> list[tuple[float, bool]]:
    """Return (volume in mm3, whether it touches the border) of a structure's share at each level."""
    if region is None:
        return [(0.0, False)] * n
    index = np.argwhere(region.mask)
    owner = tree.query(region.grid.to_world(index))[1]
    counts = np.bincount(owner, minlength=n)[:n]
    voxel = abs(float(np.linalg.det(region.grid.affine[:3, :3])))
    at_border = np.zeros(tree.n, bool)
    at_border[owner[region.border_voxels(index)]] = True
    return [(float(c) * voxel, bool(b)) for c, b in zip(counts, at_border[:n], strict=True)]
