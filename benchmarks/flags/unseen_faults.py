"""Further faults, thought of after the checks were written: what neighbours take from each other, leaks, lost slices.

Each is a function of a `Spine`, as in `faults.py`. Any flag counts as seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage
from spine import Fault, Spine, where

from wirbel.core import labels as L

ANTERIOR, SUPERIOR = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def _middle(spine: Spine, fewest: int = 4) -> tuple[int, int] | None:
    """Two neighbours in the middle of those in view, or None if these are fewer."""
    names = spine.names()
    k = len(names) // 2
    return (names[k - 1], names[k]) if len(names) >= fewest else None


def _renamed(spine: Spine, names: dict[int, int]) -> Spine:
    """Give numbers of the vertebra map other ones, all at once."""
    table = np.arange(256, dtype=spine.vertebra.dtype)
    table[list(names)] = list(names.values())
    return replace(spine, vertebra=table[spine.vertebra])


def neighbours_under_one_name(spine: Spine) -> Spine | None:
    """Two neighbouring vertebrae have one name, the disc between them is there."""
    pair = _middle(spine)
    return _renamed(spine, {pair[1]: pair[0]}) if pair else None


def neighbours_exchanged(spine: Spine) -> Spine | None:
    """Two neighbouring vertebrae have each other's name."""
    pair = _middle(spine)
    return _renamed(spine, {pair[0]: pair[1], pair[1]: pair[0]}) if pair else None


def processes_one_down(spine: Spine) -> Spine | None:
    """All arches and processes have the name of the next vertebra down."""
    present = [v for v in L.LEVELS_TOP_DOWN if v != L.SACRUM and (spine.vertebra == v).any()]
    if len(present) < 4:
        return None
    table = np.arange(256, dtype=spine.vertebra.dtype)
    table[present[:-1]] = present[1:]
    moved = np.isin(spine.subregion, L.POSTERIOR_ELEMENTS)
    return replace(spine, vertebra=np.where(moved, table[spine.vertebra], spine.vertebra))


def spinous_one_down(spine: Spine) -> Spine | None:
    """The spinous process of one vertebra has the name of the next."""
    pair = _middle(spine)
    if pair is None:
        return None
    process = (spine.subregion == L.SPINOUS_PROCESS) & (spine.vertebra == pair[0])
    vertebra = np.where(process, pair[1], spine.vertebra).astype(spine.vertebra.dtype)
    return replace(spine, vertebra=vertebra) if process.any() else None


def disc_in_two(spine: Spine) -> Spine | None:
    """The front half of a disc has the name of the next disc."""
    pair = _middle(spine)
    if pair is None:
        return None
    disc = spine.vertebra == L.DISC_OFFSET + pair[0]
    if not disc.any():
        return None
    front = where(disc, (spine.points_mm(disc) - spine.centre_mm(disc)) @ ANTERIOR > 0)
    vertebra = spine.vertebra.copy()
    vertebra[front] = L.DISC_OFFSET + pair[1]
    return replace(spine, vertebra=vertebra)


def discs_one_down(spine: Spine) -> Spine | None:
    """All discs have the name of the next one down."""
    discs = [v for v in L.LEVELS_TOP_DOWN if (spine.vertebra == L.DISC_OFFSET + v).any()]
    if len(discs) < 3 or discs[-1] not in L.LEVELS_TOP_DOWN[:-1]:
        return None
    names = [*discs, L.LEVELS_TOP_DOWN[L.LEVELS_TOP_DOWN.index(discs[-1]) + 1]]
    pairs = zip(names, names[1:], strict=False)
    return _renamed(spine, {L.DISC_OFFSET + a: L.DISC_OFFSET + b for a, b in pairs})


def canal_leaks(spine: Spine) -> Spine | None:
    """The canal leaks into the abdomen: a ball of 20 mm radius in front of a body is called canal."""
    pair = _middle(spine)
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


def lower_half_mirrored(spine: Spine) -> Spine | None:
    """Left and right of the lower half are exchanged: processes have the other side's labels."""
    pair = _middle(spine)
    if pair is None:
        return None
    below = np.isin(spine.vertebra, [v for v in spine.names() if v >= pair[1]])
    table = np.arange(256, dtype=spine.subregion.dtype)
    for left, right in L.LEFT_RIGHT_PAIRS:
        table[[left, right]] = right, left
    return replace(spine, subregion=np.where(below, table[spine.subregion], spine.subregion))


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


def vertebra_map_one_row_off(spine: Spine) -> Spine | None:
    """The vertebra map lies 3 mm below the other one."""
    if len(spine.names()) < 3:
        return None
    down = np.linalg.inv(spine.affine[:3, :3]) @ [0, 0, -3.0]
    axis = int(np.abs(down).argmax())
    rolled = np.roll(spine.vertebra, round(down[axis]), axis)
    return replace(spine, vertebra=rolled)


def sacrum_called_body(spine: Spine) -> Spine | None:
    """The whole sacrum is called the next vertebra."""
    names = spine.names()
    sacrum = spine.subregion == L.SACRUM
    if not names or names[-1] not in (23, 24) or sacrum.sum() < 500:
        return None
    subregion, vertebra = spine.subregion.copy(), spine.vertebra.copy()
    subregion[sacrum], vertebra[sacrum] = L.BODY_BORDER, names[-1] + 1
    return replace(spine, subregion=subregion, vertebra=vertebra)


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


def a_name_left_out(spine: Spine) -> Spine | None:
    """From the middle on all vertebrae have the name of the next one down: one name is left out."""
    pair = _middle(spine)
    if pair is None or max(spine.names()) > 24 or (spine.vertebra == 25).any():
        return None
    table = np.arange(256, dtype=spine.vertebra.dtype)
    order = [v for v in L.LEVELS_TOP_DOWN if v not in (L.T13, L.SACRUM)]
    for upper, lower in zip(order, order[1:], strict=False):
        if upper >= pair[1]:
            for offset in (0, L.DISC_OFFSET, L.ENDPLATE_OFFSET):
                table[offset + upper] = offset + lower
    return replace(spine, vertebra=table[spine.vertebra])


def body_leaks(spine: Spine) -> Spine | None:
    """A body has grown forward by as much again."""
    pair = _middle(spine)
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
    pair = _middle(spine)
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


def second_spine(spine: Spine) -> Spine | None:
    """Two balls of 3 ml in the abdomen are called vertebrae of the names above and below the middle."""
    pair = _middle(spine)
    if pair is None:
        return None
    subregion, vertebra = spine.subregion.copy(), spine.vertebra.copy()
    empty = spine.subregion == 0
    points = spine.points_mm(empty)
    for label in pair:
        centre = spine.centre_mm(spine.body & (spine.vertebra == label)) + 60 * ANTERIOR
        ball = where(empty, np.linalg.norm(points - centre, axis=1) < 9)
        if ball.sum() * abs(np.linalg.det(spine.affine[:3, :3])) < 1500:
            return None
        subregion[ball], vertebra[ball] = L.BODY_BORDER, label
    return replace(spine, subregion=subregion, vertebra=vertebra)


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


UNSEEN_FAULTS: tuple[Fault, ...] = (
    neighbours_under_one_name,
    neighbours_exchanged,
    a_name_left_out,
    processes_one_down,
    spinous_one_down,
    disc_in_two,
    discs_one_down,
    discs_eat_bodies,
    canal_leaks,
    cord_and_canal_exchanged,
    cord_gap,
    lower_half_mirrored,
    lower_half_steps_forward,
    vertebra_map_one_row_off,
    sacrum_called_body,
    slices_lost,
    body_leaks,
    bodies_shrunk,
    second_spine,
)
