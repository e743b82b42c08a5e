"""Further faults of names, thought of after the checks were written: neighbours take what is not theirs.

Each is a function of a `Spine`, as in `faults.py`. Any flag counts as seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from spine import ANTERIOR, Fault, Spine, middle_pair, where

from wirbel.core import labels as L


def _renamed(spine: Spine, names: dict[int, int]) -> Spine:
    """Give numbers of the vertebra map other ones, all at once."""
    table = np.arange(256, dtype=spine.vertebra.dtype)
    table[list(names)] = list(names.values())
    return replace(spine, vertebra=table[spine.vertebra])


def neighbours_under_one_name(spine: Spine) -> Spine | None:
    """Two neighbouring vertebrae have one name, the disc between them is there."""
    pair = middle_pair(spine)
    return _renamed(spine, {pair[1]: pair[0]}) if pair else None


def neighbours_exchanged(spine: Spine) -> Spine | None:
    """Two neighbouring vertebrae have each other's name."""
    pair = middle_pair(spine)
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
    pair = middle_pair(spine)
    if pair is None:
        return None
    process = (spine.subregion == L.SPINOUS_PROCESS) & (spine.vertebra == pair[0])
    vertebra = np.where(process, pair[1], spine.vertebra).astype(spine.vertebra.dtype)
    return replace(spine, vertebra=vertebra) if process.any() else None


def disc_in_two(spine: Spine) -> Spine | None:
    """The front half of a disc has the name of the next disc."""
    pair = middle_pair(spine)
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


def lower_half_mirrored(spine: Spine) -> Spine | None:
    """Left and right of the lower half are exchanged: processes have the other side's labels."""
    pair = middle_pair(spine)
    if pair is None:
        return None
    below = np.isin(spine.vertebra, [v for v in spine.names() if v >= pair[1]])
    table = np.arange(256, dtype=spine.subregion.dtype)
    for left, right in L.LEFT_RIGHT_PAIRS:
        table[[left, right]] = right, left
    return replace(spine, subregion=np.where(below, table[spine.subregion], spine.subregion))


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


def a_name_left_out(spine: Spine) -> Spine | None:
    """From the middle on all vertebrae have the name of the next one down: one name is left out."""
    pair = middle_pair(spine)
    if pair is None or max(spine.names()) > 24 or (spine.vertebra == 25).any():
        return None
    table = np.arange(256, dtype=spine.vertebra.dtype)
    order = [v for v in L.LEVELS_TOP_DOWN if v not in (L.T13, L.SACRUM)]
    for upper, lower in zip(order, order[1:], strict=False):
        if upper >= pair[1]:
            for offset in (0, L.DISC_OFFSET, L.ENDPLATE_OFFSET):
                table[offset + upper] = offset + lower
    return replace(spine, vertebra=table[spine.vertebra])


def second_spine(spine: Spine) -> Spine | None:
    """Two balls of 3 ml in the abdomen are called vertebrae of the names above and below the middle."""
    pair = middle_pair(spine)
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


NAME_FAULTS: tuple[Fault, ...] = (
    neighbours_under_one_name,
    neighbours_exchanged,
    a_name_left_out,
    processes_one_down,
    spinous_one_down,
    disc_in_two,
    discs_one_down,
    lower_half_mirrored,
    vertebra_map_one_row_off,
    sacrum_called_body,
    second_spine,
)
