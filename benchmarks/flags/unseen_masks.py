"""Further faults of masks, thought of after the checks were written: leaks, gaps, steps, lost slices.

Each is a function of a `Spine`, as in `faults.py`. Any flag counts as seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage
from spine import ANTERIOR, SUPERIOR, Fault, Spine, middle_pair, where

from wirbel.core import labels as L


def canal_leaks(spine: Spine) -> Spine | None:
    """The canal leaks into the abdomen: a ball of 20 mm radius in front of a body is called canal."""
    pair = middle_pair(spine)
    if pair is None:
        return None
    centre = spine.centre_mm(spine.body & (spine.vertebra == pair[0])) + 45 * ANTERIOR
    empty = spine.subregion == 0
    near = np.linalg.norm(spine.points_mm(empty) - centre, axis=1) < 20
    if near.sum() * abs(np.linalg.det(spine.affine[:3, :3])) < 3000:
        return None
    subregion = spine.subregion.copy()
    subregion[where(empty, near)] = L.CANAL
    return replace(spine, subregion=subregion)


def cord_and_canal_exchanged(spine: Spine) -> Spine | None:
    """Cord and canal have each other's label."""
    cord, canal = spine.subregion == L.CORD, spine.subregion == L.CANAL
    if cord.sum() < 500 or canal.sum() < 500 or len(spine.names()) < 3:
        return None
    subregion = spine.subregion.copy()
    subregion[cord], subregion[canal] = L.CANAL, L.CORD
    return replace(spine, subregion=subregion)


def cord_gap(spine: Spine) -> Spine | None:
    """The cord is missing over 40 mm, the canal is there."""
    cord = spine.subregion == L.CORD
    heights = spine.points_mm(cord) @ SUPERIOR if cord.any() else np.zeros(1)
    if np.ptp(heights) < 120:
        return None
    gone = where(cord, np.abs(heights - np.median(heights)) < 20)
    subregion = spine.subregion.copy()
    subregion[gone] = L.CANAL
    return replace(spine, subregion=subregion)


def slices_lost(spine: Spine) -> Spine | None:
    """Two sagittal slices in the middle are empty."""
    if len(spine.names()) < 2:
        return None
    across = int(np.abs(np.linalg.inv(spine.affine[:3, :3]) @ [1.0, 0, 0]).argmax())
    sums = spine.body.sum(tuple(a for a in range(3) if a != across))
    middle = int(np.average(np.arange(len(sums)), weights=sums))
    gone = np.zeros(spine.body.shape, bool)
    np.moveaxis(gone, across, 0)[middle : middle + 2] = True
    return spine.without(gone)


def body_leaks(spine: Spine) -> Spine | None:
    """A body has grown forward by as much again."""
    pair = middle_pair(spine)
    if pair is None:
        return None
    body = spine.body & (spine.vertebra == pair[1])
    steps = np.argwhere(body)
    points = spine.points_mm(body)
    depth = np.ptp(points @ ANTERIOR)
    moved = steps + np.round(np.linalg.inv(spine.affine[:3, :3]) @ (depth * ANTERIOR)).astype(int)
    inside = (moved >= 0).all(1) & (moved < body.shape).all(1)
    if inside.mean() < 0.8:
        return None
    subregion, vertebra = spine.subregion.copy(), spine.vertebra.copy()
    at = tuple(moved[inside].T)
    subregion[at], vertebra[at] = L.BODY_BORDER, pair[1]
    closed = ndimage.binary_closing(vertebra == pair[1], iterations=2) & (subregion == 0)
    subregion[closed], vertebra[closed] = L.BODY_BORDER, pair[1]
    return replace(spine, subregion=subregion, vertebra=vertebra)


def lower_half_steps_forward(spine: Spine) -> Spine | None:
    """The lower half lies 25 mm further in front: pieces put together wrongly."""
    pair = middle_pair(spine)
    if pair is None:
        return None
    low = np.isin(spine.vertebra % 100, [v for v in L.LEVELS_TOP_DOWN if v >= pair[1]])
    height = spine.centre_mm(spine.body & (spine.vertebra == pair[1])) @ SUPERIOR + 12
    loose = np.isin(spine.subregion, (L.CORD, L.CANAL))
    low |= where(loose, spine.points_mm(loose) @ SUPERIOR < height)
    moved = np.argwhere(low) + np.round(
        np.linalg.inv(spine.affine[:3, :3]) @ (25 * ANTERIOR)
    ).astype(int)
    inside = (moved >= 0).all(1) & (moved < low.shape).all(1)
    out = spine.without(low)
    source, target = tuple(np.argwhere(low)[inside].T), tuple(moved[inside].T)
    out.subregion[target], out.vertebra[target] = spine.subregion[source], spine.vertebra[source]
    return out


def bodies_shrunk(spine: Spine) -> Spine | None:
    """Bodies are shells eaten up from outside: every body loses 4 mm on all sides."""
    names = spine.names()
    if len(names) < 3:
        return None
    spacing = np.linalg.norm(spine.affine[:3, :3], axis=0)
    deep = ndimage.distance_transform_edt(spine.body, sampling=spacing) > 4
    return spine.without(spine.body & ~deep)


def discs_eat_bodies(spine: Spine) -> Spine | None:
    """Discs are twice as high as they are, and take that from the bodies below them."""
    names = spine.names()
    if len(names) < 4:
        return None
    subregion, vertebra = spine.subregion.copy(), spine.vertebra.copy()
    for upper, lower in zip(names, names[1:], strict=False):
        body = spine.body & (spine.vertebra == lower)
        eaten = where(body, spine.along_mm(body) < np.quantile(spine.along_mm(body), 0.4))
        subregion[eaten], vertebra[eaten] = L.DISC, L.DISC_OFFSET + upper
    return replace(spine, subregion=subregion, vertebra=vertebra)


MASK_FAULTS: tuple[Fault, ...] = (
    discs_eat_bodies,
    canal_leaks,
    cord_and_canal_exchanged,
    cord_gap,
    lower_half_steps_forward,
    slices_lost,
    body_leaks,
    bodies_shrunk,
)
