"""From three-vertebra predictions to instances as SPINEPS 2.1.3 merges them.

A prediction is known by (number of its cut-out from the bottom up, 0 above, 1 centre, 2 below). Its couple are the
two others that agree with it best; couples are written one after the other, the best first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.boxes import Box, label_boxes
from wirbel.core.instances.cutouts import overlap
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.spineps.components import drop_small, fill_holes

LEAST_DICE = 0.3
FARTHEST = 2
MOST_COVERED = 0.6
"""A couple already covered by better ones beyond this share is left out."""
ENOUGH_FOR_TWO_VOTES = 0.3
PER_MISSING_MEMBER = 0.15

Key = tuple[int, int]


@dataclass(frozen=True)
class Prediction:
    """A predicted vertebra: `mask` in `box` of the map."""

    box: tuple[slice, ...]
    mask: np.ndarray
    size: int


def merge_predictions(predictions: Predictions, shape, crop, fewest_voxels: int) -> np.ndarray:
    """Return instances (P, I, R) uint8, numbered from 1 in no particular order.

    `predictions` from the top down; `crop` the box of the map that predictions may cover; `fewest_voxels` of a
    connected part of an instance.

    Parameters
    ----------
    predictions : Predictions
        See above.
    shape : tuple of int
        Shape of the map on the instance grid.
    crop : tuple of slice
        See above.
    fewest_voxels : int
        See above.

    Returns
    -------
    numpy.ndarray
        uint8.
    """
    found = _collect(predictions, shape, crop)
    out = np.zeros(shape, np.uint16)
    number = 0
    for members, agreement in _couples(found, len(predictions)):
        box, mask = _vote(found, members, agreement)
        free = mask & (out[box] == 0)
        total = np.count_nonzero(mask)
        if total == 0 or (total - np.count_nonzero(free)) / total > MOST_COVERED:
            continue
        number += 1
        out[box][free] = number
    out = drop_small(out, range(1, number + 1), fewest_voxels)
    numbers = list(label_boxes(out))
    fill_holes(out, numbers)
    table = np.zeros(number + 1, np.uint8)
    table[numbers] = np.arange(1, len(numbers) + 1)
    return table[out]


def _collect(predictions: Predictions, shape, crop) -> dict[Key, Prediction]:
    out = {}
    low = np.array([s.start for s in crop])
    size = tuple(s.stop - s.start for s in crop)
    for place in range(len(predictions)):
        block = predictions.labels[place]
        source, target = overlap(predictions.origin[place] - low, block.shape, size)
        box = tuple(
            slice(s.start + a, s.stop + a) for s, a in zip(source, low.tolist(), strict=True)
        )
        within = block[target]
        tight = label_boxes(within)
        for role in range(3):
            if role + 1 in tight:
                inner = tight[role + 1]
                mask = within[inner] == role + 1
                key = (len(predictions) - 1 - place, role)
                out[key] = Prediction(_shifted(inner, box), mask, int(np.count_nonzero(mask)))
    return out


def _shifted(inner: Box, outer: Box) -> Box:
    """Return a box given within `outer` as one within the whole."""
    return tuple(
        slice(o.start + i.start, o.start + i.stop) for i, o in zip(inner, outer, strict=True)
    )


def _couples(found: dict[Key, Prediction], count: int) -> list[tuple[tuple[Key, ...], float]]:
    """Return (members, mean agreement), the best first: by agreement times number of members plus one."""
    agreements: dict[tuple[Key, ...], list[float]] = {}
    dice: dict[tuple[Key, Key], float] = {}
    for place in range(count):
        for role in range(3):
            if (place, role) in found:
                members, agreement = _couple((place, role), found, dice)
                agreements.setdefault(members, []).append(agreement)
    means = [(members, sum(values) / len(values)) for members, values in agreements.items()]
    return sorted(means, key=lambda item: (len(item[0]) + 1) * item[1], reverse=True)


def _couple(anchor: Key, found, dice) -> tuple[tuple[Key, ...], float]:
    near = range(anchor[0] - FARTHEST, anchor[0] + FARTHEST + 1)
    others = [(place, role) for place in near for role in range(3) if place != anchor[0]]
    scores = {key: _dice(found, anchor, key, dice) for key in others if key in found}
    best = sorted(scores, key=lambda key: scores[key], reverse=True)[:2]
    partners = [key for key in best if scores[key] > LEAST_DICE]
    if len(partners) == 2 and _dice(found, partners[0], partners[1], dice) < LEAST_DICE:
        partners = partners[:1]
    agreement = sum(scores[key] for key in partners) / max(len(partners), 1)
    return tuple(sorted([*partners, anchor], key=lambda key: key[0])), agreement


def _dice(found, a: Key, b: Key, known: dict) -> float:
    pair = (min(a, b), max(a, b))
    if pair not in known:
        first, second = found[pair[0]], found[pair[1]]
        common = [
            slice(max(s.start, t.start), min(s.stop, t.stop))
            for s, t in zip(first.box, second.box, strict=True)
        ]
        shared = 0
        if all(s.start < s.stop for s in common):
            shared = int(np.count_nonzero(_part(first, common) & _part(second, common)))
        known[pair] = 2.0 * shared / (first.size + second.size)
    return known[pair]


def _part(prediction: Prediction, window) -> np.ndarray:
    return prediction.mask[
        tuple(
            slice(w.start - s.start, w.stop - s.start)
            for w, s in zip(window, prediction.box, strict=True)
        )
    ]


def _vote(
    found, members: tuple[Key, ...], agreement: float
) -> tuple[tuple[slice, ...], np.ndarray]:
    boxes = [found[key].box for key in members]
    box = tuple(
        slice(min(b[axis].start for b in boxes), max(b[axis].stop for b in boxes))
        for axis in range(3)
    )
    votes = np.zeros([s.stop - s.start for s in box], np.uint8)
    for key in members:
        inside = tuple(
            slice(s.start - b.start, s.stop - b.start)
            for s, b in zip(found[key].box, box, strict=True)
        )
        votes[inside] += found[key].mask
    enough = ENOUGH_FOR_TWO_VOTES + PER_MISSING_MEMBER * (4 - len(members))
    return box, votes >= (1 if len(members) <= 2 or agreement < enough else 2)
