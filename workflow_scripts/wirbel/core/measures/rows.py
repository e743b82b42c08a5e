"""One row per vertebra, disc and level; keys are the columns declared in `wirbel.core.dictionary`."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from wirbel.core.labels import (
    CANAL,
    CORD,
    DISC_OFFSET,
    LEVEL_LABELS,
    LEVEL_NAMES,
    LEVELS_TOP_DOWN,
    POSTERIOR_ELEMENTS,
    SUBREGION_NAMES,
    disc_name,
)
from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.spine import Spine
from wirbel.core.measures.surfaces import Block, SurfaceError, find_block

SIX_POINT_FRACTIONS = {"posterior": 0.15, "middle": 0.50, "anterior": 0.85}
"""Depth, 0 at the back and 1 at the front, at which heights are measured: the six-point morphometry of
Black et al., J Bone Miner Res 1991;6:883, set in from the rims so that osteophytes do not count."""
DISC_CENTRAL_DEPTH = (0.25, 0.75)
"""The mean disc height is taken over the middle half of the depth, clear of bulging rims."""

FOLLOWERS = {"T11": ("T12", "L1"), "T12": ("T13", "L1"), "L4": ("L5", "S1"), "L5": ("L6", "S1")}
"""Levels that may follow where the number of vertebrae varies, the nearest first."""
USUAL_FOLLOWERS = {"T12": "L1", "L5": "S1"}
"""Levels whose usual follower is not the next in `LEVELS_TOP_DOWN`."""


def vertebra_row(maps: LabelMaps, spine: Spine, label: int) -> dict:
    """Measure one vertebra: volumes, centroid and heights of its body."""
    body, whole = maps.body(label), maps.whole(label)
    row = {"label": label, "level": LEVEL_NAMES[label]}
    row |= _centroid(whole) | _centroid(body, "body_")
    row["body_volume_mm3"] = body.volume_mm3 if body else 0.0
    row["vertebra_volume_mm3"] = whole.volume_mm3
    for subregion in POSTERIOR_ELEMENTS:
        part = maps.part(label, (subregion,))
        row[f"{SUBREGION_NAMES[subregion]}_volume_mm3"] = part.volume_mm3 if part else 0.0
    heights, row["height_status"] = _heights(maps, spine, label)
    row |= {f"height_{name}_mm": heights.get(name) for name in SIX_POINT_FRACTIONS}
    row["body_status"] = _presence(body)
    row["vertebra_status"] = _presence(whole)
    return row


def disc_row(maps: LabelMaps, spine: Spine, label: int) -> dict:
    """Measure the disc below vertebra `label`."""
    key = DISC_OFFSET + label
    disc = maps.whole(key)
    below = level_below(label, set(maps.boxes))
    row = {"label_above": label, "level": disc_name(label, below), **_centroid(disc)}
    row["disc_volume_mm3"] = disc.volume_mm3
    block, state = _block(maps.disc(label), spine, key)
    names = ("disc_height_mm", *(f"disc_height_{name}_mm" for name in SIX_POINT_FRACTIONS))
    heights = dict.fromkeys(names)
    if block is not None:
        try:
            heights["disc_height_mm"] = block.mean_height(*DISC_CENTRAL_DEPTH)
            for name, fraction in SIX_POINT_FRACTIONS.items():
                heights[f"disc_height_{name}_mm"] = block.height_at(fraction)
        except SurfaceError:
            heights, state = dict.fromkeys(names), S.SURFACE_INCOMPLETE
    return row | heights | {"disc_height_status": state, "disc_status": _presence(disc)}


def level_rows(maps: LabelMaps, spine: Spine) -> list[dict]:
    """Share canal and cord out among the vertebrae: each voxel goes to the nearest body centre.

    Beyond the first and the last vertebra stands a stopper at the distance of its neighbour, so that
    the end levels do not collect what lies above or below.
    """
    labels = [v for v in maps.vertebrae if v in spine.centroids_mm]
    if not labels:
        return []
    centres = np.array([spine.centroids_mm[v] for v in labels])
    tree = cKDTree(np.vstack([centres, _stoppers(centres)]))
    rows = [{"label": v, "level": LEVEL_NAMES[v]} for v in labels]
    for name, subregion in (("canal", CANAL), ("cord", CORD)):
        region = maps.structure(subregion)
        shares = _shares(region, tree, len(labels))
        for row, (volume, touches) in zip(rows, shares, strict=True):
            row[f"{name}_volume_mm3"] = volume
            row[f"{name}_status"] = S.TOUCHES_BORDER if touches else S.OK if volume else S.ABSENT
    return rows


def level_below(label: int, present: set[int]) -> int:
    """Return the label of the vertebra under `label`, by the numbers present where spines vary."""
    name = LEVEL_NAMES[label]
    following = LEVEL_NAMES[LEVELS_TOP_DOWN[LEVELS_TOP_DOWN.index(label) + 1]]
    candidates = [LEVEL_LABELS[level] for level in FOLLOWERS.get(name, ())]
    usual = LEVEL_LABELS[USUAL_FOLLOWERS.get(name, following)]
    return next((c for c in candidates if c in present), usual)


def _heights(maps, spine, label):
    if LEVEL_NAMES[label] in ("C1", "C2"):
        return {}, S.NOT_DEFINED_FOR_C2
    block, state = _block(maps.body_with_endplates(label), spine, label)
    if block is None:
        return {}, state
    try:
        return {n: block.height_at(f) for n, f in SIX_POINT_FRACTIONS.items()}, S.OK
    except SurfaceError:
        return {}, S.SURFACE_INCOMPLETE


def _block(region: Region | None, spine: Spine, key: int) -> tuple[Block | None, str]:
    """Locate a structure's surfaces; return (block, "ok") or (None, why not)."""
    if region is None or key not in spine.centroids_mm:
        return None, S.ABSENT
    superior, centre = spine.superior(key), region.centroid_mm
    canal = spine.canal_mm(centre, superior)
    if canal is None:
        return None, S.TOUCHES_BORDER if region.touches_border else S.NO_CANAL
    if region.is_cut(np.cross(centre - canal, superior)):
        return None, S.TOUCHES_BORDER
    try:
        return find_block(region, superior, canal, flat=key >= DISC_OFFSET), S.OK
    except ValueError:  # no surface, or a canal that is not behind but above or below
        return None, S.SURFACE_INCOMPLETE


def _presence(region):
    if region is None:
        return S.ABSENT
    return S.TOUCHES_BORDER if region.touches_border else S.OK


def _centroid(region, prefix=""):
    values = region.centroid_mm if region else (None, None, None)
    return {f"{prefix}centroid_{axis}_mm": value for axis, value in zip("xyz", values, strict=True)}


def _stoppers(centres):
    if len(centres) == 1:
        return np.empty((0, 3))
    return np.array([2 * centres[0] - centres[1], 2 * centres[-1] - centres[-2]])


def _shares(region, tree, n):
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
