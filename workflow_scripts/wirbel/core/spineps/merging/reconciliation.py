"""Both maps clean each other on the scan's own grid, as SPINEPS 2.1.3 does it."""

from __future__ import annotations

import cc3d
import numpy as np
from scipy import ndimage

from wirbel.core.boxes import label_boxes
from wirbel.core.geometry import grow_box
from wirbel.core.labels import (
    ARCUS,
    BODY_BORDER,
    DISC,
    ENDPLATE,
    INFERIOR_ARTICULAR_LEFT,
    INFERIOR_ARTICULAR_RIGHT,
    SPINOUS_PROCESS,
    SUPERIOR_ARTICULAR_LEFT,
    SUPERIOR_ARTICULAR_RIGHT,
)
from wirbel.core.spineps.components import REFERENCE_MM3, centres_of, components, structuring
from wirbel.core.spineps.grids import box_of

VERTEBRA = (40, *range(41, 52))
"""Structures that belong to a vertebra: the whole one, its ten parts, the dens."""
ARTICULAR = (
    SUPERIOR_ARTICULAR_LEFT,
    SUPERIOR_ARTICULAR_RIGHT,
    INFERIOR_ARTICULAR_LEFT,
    INFERIOR_ARTICULAR_RIGHT,
)
DOMINANT = 0.5
"""An articular process goes to one instance when the next one holds less than this share of the first's."""
GROWTH = 2
"""Rounds in which instances grow into vertebra voxels without one."""
SPLIT_OFF = 0.5
"""The topmost instance is part of the second when it has less than this share of its voxels..."""
CONTACT_MM2 = 20 * REFERENCE_MM3 ** (2 / 3)
"""...and touches it over more than this."""
PIECES = 3
"""An instance's largest pieces that are looked at."""
MOVABLE = 25
"""Numbers above it are no vertebrae."""


def reconcile(subregion: np.ndarray, vertebra: np.ndarray, spacing_mm) -> None:
    """Make both maps, in place, agree on which vertebra every vertebra voxel belongs to.

    In the file's storage order: SPINEPS visits uncovered parts in that order, and takes the second axis for the
    spine's when it looks for an axis split in two.
    """
    vertebra[subregion == 0] = 0
    _one_instance_per_articular_process(subregion, vertebra)
    _cover_missing(subregion, vertebra)
    if (subregion == DISC).any():
        _join_split_axis(subregion, vertebra, spacing_mm)


def _one_instance_per_articular_process(subregion: np.ndarray, vertebra: np.ndarray) -> None:
    for label in ARTICULAR:
        numbers = components(subregion == label)
        for number, box in enumerate(ndimage.find_objects(numbers), start=1):
            own = numbers[box] == number
            counts = np.bincount(vertebra[box][own])
            first, second = np.argsort(-counts, kind="stable")[:2] if len(counts) > 1 else (0, 0)
            if first == second or not counts[second]:
                continue
            if counts[first] * DOMINANT > counts[second]:
                vertebra[box][own] = first


def _cover_missing(subregion: np.ndarray, vertebra: np.ndarray) -> None:
    """Give vertebra voxels without instance to the one they touch; drop those that touch none."""
    wanted = np.isin(subregion, VERTEBRA)
    if (wanted & (vertebra == 0)).any():
        _grow(vertebra, wanted)
        numbers = components(wanted & (vertebra == 0), reach=2)
        for number, box in enumerate(ndimage.find_objects(numbers), start=1):
            wide = tuple(
                slice(max(s.start - 2, 0), min(s.stop + 2, n))
                for s, n in zip(box, numbers.shape, strict=True)
            )
            own = numbers[wide] == number
            around = vertebra[wide][ndimage.binary_dilation(own, structuring(2))]
            around = around[around > 0]
            if around.size:
                vertebra[wide][own] = np.bincount(around).argmax()
            else:
                wanted[wide][own] = False
                subregion[wide][own] = 0
    vertebra[~wanted] = 0


def _grow(vertebra: np.ndarray, wanted: np.ndarray) -> None:
    """Grow every instance by two faces within `wanted`; the smaller number comes first."""
    labels = [int(label) for label in np.unique(vertebra) if label]
    for label in labels * GROWTH:
        box = box_of(vertebra == label, 2)
        part = vertebra[box]
        grown = ndimage.binary_dilation(part == label, structuring(1))
        part[grown & (part == 0)] = label
        vertebra[~wanted] = 0


def _join_split_axis(subregion: np.ndarray, vertebra: np.ndarray, spacing_mm) -> None:
    """Join the two topmost instances where no disc lies above or between and the first is a piece."""
    discs = centres_of(components(np.isin(subregion, (DISC, ENDPLATE))))
    cores = np.where(np.isin(subregion, (BODY_BORDER, ARCUS)), vertebra, 0)
    found = [(centre[1], 0, number) for number, centre in discs.items()]
    found += [(centre[1], 1, number) for number, centre in centres_of(cores).items()]
    found.sort(key=lambda entry: entry[0])
    if len(found) < 2 or not (found[0][1] and found[1][1]):
        return
    first, second = found[0][2], found[1][2]
    sizes = np.bincount(vertebra.ravel())
    if sizes[first] >= SPLIT_OFF * sizes[second]:
        return
    pair = np.where(vertebra == first, 1, np.where(vertebra == second, 2, 0)).astype(np.uint8)
    contact = cc3d.contacts(np.ascontiguousarray(pair), connectivity=26).get((1, 2), 0)
    face_mm2 = float(np.prod(spacing_mm)) ** (2 / 3)
    if contact > max(round(CONTACT_MM2 / face_mm2), 1):
        vertebra[vertebra == first] = second


def move_posterior_pieces(subregion: np.ndarray, vertebra: np.ndarray) -> None:
    """Give pieces of arch or spinous process to the one other instance that they touch; maps (P, I, R), in place."""
    before = vertebra.copy()
    for label, tight in label_boxes(before).items():
        if label > MOVABLE:
            break
        box = grow_box(tight, 1, before.shape)
        numbers = components(before[box] == label)
        sizes = np.bincount(numbers.ravel())
        sizes[0] = 0
        for number in np.argsort(-sizes, kind="stable")[1:PIECES]:
            if not sizes[number]:
                continue
            piece = numbers == number
            if not np.isin(subregion[box][piece], (0, ARCUS, SPINOUS_PROCESS)).all():
                continue
            near = box_of(piece, 1)
            around = before[box][near][~piece[near]]
            touched = np.unique(around[around > 0])
            if len(touched) == 1 and touched[0] != label:
                vertebra[box][piece] = touched[0]
