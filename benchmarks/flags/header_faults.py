"""Faults of headers: the same maps somewhere else in the world, and the flags that they call for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from spine import FAILS, Fault, Spine

from wirbel.core import labels as L


def spacing_lost(spine: Spine) -> Spine | None:
    """The header says 1 mm in all directions."""
    if len(spine.names()) < 2:
        return None
    spacing = np.linalg.norm(spine.affine[:3, :3], axis=0)
    affine = spine.affine @ np.diag([*(1 / spacing), 1])
    return replace(spine, affine=affine)


def _mirrored(spine: Spine, *axes: int) -> Spine:
    """Mirror the world along some axes: the header says the opposite; names are counted anew from its top."""
    affine = np.diag([*(-1.0 if a in axes else 1.0 for a in range(3)), 1]) @ spine.affine
    out = replace(spine, affine=affine)
    return _renumbered(out) if 2 in axes else out


def _renumbered(spine: Spine) -> Spine:
    """Give the vertebrae the names of the same range, from the header's top down."""
    present = [v for v in L.LEVELS_TOP_DOWN if v != L.SACRUM and (spine.vertebra == v).any()]
    vertebra = spine.vertebra.copy()
    for old, new in zip(present, present[::-1], strict=True):
        vertebra[spine.vertebra == old] = new
    for old, new in zip(
        present[:-1], present[-2::-1], strict=True
    ):  # a disc lies below its vertebra
        for offset in (L.DISC_OFFSET, L.ENDPLATE_OFFSET):
            vertebra[spine.vertebra == offset + old] = offset + new
    return replace(spine, vertebra=vertebra)


def front_to_back(spine: Spine) -> Spine | None:
    """The header exchanges front and back."""
    return _mirrored(spine, 1) if len(spine.names()) > 1 else None


def upside_down(spine: Spine) -> Spine | None:
    """The header exchanges head and feet."""
    return _mirrored(spine, 2) if len(spine.names()) > 2 else None


def prone(spine: Spine) -> Spine | None:
    """The header turns the person by half a turn about the left-right axis."""
    return _mirrored(spine, 1, 2) if len(spine.names()) > 2 else None


def _turned(spine: Spine, degrees: float, first: int, second: int) -> Spine | None:
    if len(spine.names()) < 3:
        return None
    turn, c, s = np.eye(4), np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn[[first, second], [first, second]] = c
    turn[first, second], turn[second, first] = -s, s
    return replace(spine, affine=turn @ spine.affine)


def tilted_forward(spine: Spine) -> Spine | None:
    """The header is turned by 45 degrees about the left-right axis."""
    return _turned(spine, 45, 1, 2)


def tilted_sideways(spine: Spine) -> Spine | None:
    """The header is turned by 45 degrees about the front-back axis."""
    return _turned(spine, 45, 0, 2)


def lying(spine: Spine) -> Spine | None:
    """The header exchanges the head-feet and the front-back axis."""
    return _turned(spine, 90, 1, 2)


HEADER_FAULTS: dict[Fault, tuple[str, ...]] = {
    spacing_lost: ("proportions_impossible", "sizes_impossible", FAILS),
    front_to_back: ("front_back_exchanged",),
    upside_down: ("head_feet_exchanged",),
    prone: ("head_feet_exchanged",),
    tilted_forward: ("spine_tilted",),
    tilted_sideways: ("spine_tilted",),
    lying: ("spine_tilted",),
}
