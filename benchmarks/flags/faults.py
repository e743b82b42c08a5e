"""Faults that networks make, put into true label maps, and the flags that they call for.

Each fault is a function of a `Spine`, which returns the faulty one, or None where the scan is too short to show it.
`MAP_FAULTS` names for each the flags of which at least one is expected.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from spine import FAILS, Fault, Spine, where

from wirbel.core import labels as L


def discs_lost(spine: Spine) -> Spine | None:
    """Two discs of five are missing."""
    names = spine.names()
    if len(names) < 6:
        return None
    lost = [L.DISC_OFFSET + v for k, v in enumerate(names[:-1]) if k % 5 in (1, 3)]
    return spine.without(np.isin(spine.vertebra, lost))


def bodies_split(spine: Spine) -> Spine | None:
    """Every other body is parted into two, all numbered anew: 11 bodies, 6 discs."""
    names = spine.names()
    if len(names) < 4 or len(names) > 13:
        return None
    out, number = np.zeros_like(spine.vertebra), 26 - len(names) - len(names) // 2
    first = number
    for k, v in enumerate(names):
        family = [v, L.DISC_OFFSET + v, L.ENDPLATE_OFFSET + v]
        out[spine.vertebra == v] = number
        if k % 2:
            half = spine.body & (spine.vertebra == v)
            number += 1
            out[where(half, spine.along_mm(half) > 0)] = number
        for old, offset in zip(family[1:], (L.DISC_OFFSET, L.ENDPLATE_OFFSET), strict=True):
            out[spine.vertebra == old] = offset + number
        number += 1
    return replace(spine, vertebra=out) if first > 1 else None


def bodies_lost(spine: Spine) -> Spine | None:
    """Two bodies are missing, their arches and discs are there."""
    names = spine.names()
    lost = names[1:-1:2][:2]
    return spine.without(spine.body & np.isin(spine.vertebra, lost)) if len(lost) > 1 else None


def arches_lost(spine: Spine) -> Spine | None:
    """Half of the vertebrae have no arch and no process."""
    names = spine.names()
    if len(names) < 4:
        return None
    lost = np.isin(spine.subregion, L.POSTERIOR_ELEMENTS) & np.isin(spine.vertebra, names[::2])
    return spine.without(lost)


def canal_lost(spine: Spine) -> Spine:
    """Neither canal nor cord was found."""
    return spine.without(np.isin(spine.subregion, (L.CANAL, L.CORD)))


def canal_gap(spine: Spine) -> Spine | None:
    """The canal is missing over 25 mm."""
    names = spine.names()
    if len(names) < 3:
        return None
    body = spine.body & (spine.vertebra == names[len(names) // 2])
    canal = np.isin(spine.subregion, (L.CANAL, L.CORD))
    height = (spine.points_mm(canal) - spine.centre_mm(body)) @ np.array([0, 0, 1.0])
    return spine.without(where(canal, np.abs(height) < 12.5))


def canal_elsewhere(spine: Spine) -> Spine | None:
    """What is called canal runs 30 mm beside the bodies (a vessel)."""
    if len(spine.names()) < 2:
        return None
    canal = np.isin(spine.subregion, (L.CANAL, L.CORD))
    right = np.linalg.inv(spine.affine[:3, :3]) @ [30.0, 18.0, 0]
    moved = np.argwhere(canal) + np.round(right).astype(int)
    inside = (moved >= 0).all(1) & (moved < canal.shape).all(1)
    out = spine.without(canal)
    out.subregion[tuple(moved[inside].T)] = L.CANAL
    return out


def body_reduced(spine: Spine) -> Spine | None:
    """Of a body in the middle a ball of 2 ml is left."""
    names = [v for v in spine.names() if v > L.LEVEL_LABELS["T3"]]
    if len(names) < 3:
        return None
    body = spine.body & (spine.vertebra == names[len(names) // 2])
    far = np.linalg.norm(spine.points_mm(body) - spine.centre_mm(body), axis=1) > 8
    return spine.without(where(body, far))


def body_in_sacrum(spine: Spine) -> Spine | None:
    """One millilitre inside the sacrum is called the next vertebra."""
    sacrum, names = spine.subregion == L.SACRUM, spine.names()
    if not names or names[-1] not in (23, 24) or sacrum.sum() < 500:
        return None
    points = spine.points_mm(sacrum)
    ball = where(sacrum, np.linalg.norm(points - points.mean(0), axis=1) < 6.2)
    subregion, vertebra = spine.subregion.copy(), spine.vertebra.copy()
    subregion[ball], vertebra[ball] = L.BODY_BORDER, names[-1] + 1
    return replace(spine, subregion=subregion, vertebra=vertebra)


def two_slivers(spine: Spine) -> Spine | None:
    """All that was found are two slivers, called C3 and C4."""
    names = spine.names()
    if len(names) < 2:
        return None
    out = spine.without(np.ones(spine.body.shape, bool))
    for v, name in zip(names, (3, 4), strict=False):
        body = spine.body & (spine.vertebra == v)
        points = spine.points_mm(body) - spine.centre_mm(body)
        sliver = where(body, (np.abs(points[:, 2]) < 3) & (np.abs(points[:, 1]) < 4))
        out.subregion[sliver], out.vertebra[sliver] = L.BODY_BORDER, name
    return out


def names_far_off(spine: Spine) -> Spine | None:
    """Lumbar vertebrae are called cervical ones."""
    names = [v for v in spine.names() if v >= 18]
    if len(names) < 3 or len(names) < len(spine.names()) - 4:
        return None
    numbers = [v for v in L.LEVELS_TOP_DOWN if (spine.vertebra == v).any() and v != L.SACRUM]
    out = spine.vertebra.copy()
    for k, v in enumerate(numbers):
        for offset in (0, L.DISC_OFFSET, L.ENDPLATE_OFFSET):
            out[spine.vertebra == offset + v] = offset + 3 + k
    return replace(spine, vertebra=out)


def vertebra_lost(spine: Spine) -> Spine | None:
    """A vertebra is missing altogether."""
    names = spine.names()
    if len(names) < 5:
        return None
    return spine.without(spine.vertebra == names[len(names) // 2])


def vertebrae_grown_together(spine: Spine) -> Spine | None:
    """Two bodies and their disc are called one body."""
    names = spine.names()
    if len(names) < 5:
        return None
    upper, lower = names[len(names) // 2 : len(names) // 2 + 2]
    subregion, vertebra = spine.subregion.copy(), spine.vertebra.copy()
    between = np.isin(vertebra, (L.DISC_OFFSET + upper, L.ENDPLATE_OFFSET + upper))
    subregion[between] = L.BODY_BORDER
    vertebra[between | (vertebra == lower)] = upper
    return replace(spine, subregion=subregion, vertebra=vertebra)


def body_parted(spine: Spine) -> Spine | None:
    """A slab of 6 mm is missing in the middle of a body."""
    names = spine.names()
    if not names or names[-1] < L.LEVEL_LABELS["T4"]:
        return None
    body = spine.body & (spine.vertebra == names[-1])
    return spine.without(where(body, np.abs(spine.along_mm(body)) < 3))


MAP_FAULTS: dict[Fault, tuple[str, ...]] = {
    discs_lost: ("discs_missing",),
    bodies_split: ("discs_missing",),
    bodies_lost: ("bodies_missing",),
    arches_lost: ("arches_missing",),
    canal_lost: ("canal_missing",),
    canal_gap: ("canal_broken",),
    canal_elsewhere: ("canal_beside",),
    body_reduced: ("sizes_impossible", "sizes_uneven"),
    body_in_sacrum: ("sizes_impossible", "sizes_uneven"),
    two_slivers: (FAILS,),
    names_far_off: ("sizes_impossible",),
    vertebra_lost: ("spacing_uneven",),
    vertebrae_grown_together: ("sizes_uneven", "spacing_uneven"),
    body_parted: ("body_in_pieces",),
}
