"""What the heads of a labelling network should answer about the vertebrae of a labelled scan.

Heads and classes are those of `wirbel.core.labelling.level_evidence`. A question that the part of the spine in view
does not answer has no target: whether T12 is the last thoracic vertebra, for example, is not known if nothing below it
is in view, because a T13 might follow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from wirbel.core.labelling.level_axis import EXPLICIT, GROUPS, REPEATING
from wirbel.core.labels import BODY_LABELS, LEVEL_NAMES, LEVELS_TOP_DOWN

HEAD_CLASSES = {
    "REGION": 3,
    "VERT": len(REPEATING.names),
    "VERTEX": len(EXPLICIT.names),
    "VERTGRP": len(GROUPS),
    "VERTREL": 6,
    "VERTT13": 2,
    "FULLYVISIBLE": 2,
}
"""Head -> number of classes, of every head that can be trained."""
UNKNOWN = -100
"""Stands for no target; torch's cross-entropy leaves it out."""
EXTRA = {"T13": "T12", "L6": "L5"}
"""An extra vertebra -> the class it counts as where it has none of its own."""
NOTHING, LAST_CERVICAL, FIRST_THORACIC, LAST_THORACIC, FIRST_LUMBAR, LAST_LUMBAR = range(6)
"""Classes of the head VERTREL."""
ALWAYS = {
    "C7": LAST_CERVICAL,
    "T1": FIRST_THORACIC,
    "T13": LAST_THORACIC,
    "L1": FIRST_LUMBAR,
    "L6": LAST_LUMBAR,
}
SOMETIMES = {
    "T11": (LAST_THORACIC, "L1"),
    "T12": (LAST_THORACIC, "L1"),
    "L4": (LAST_LUMBAR, "S1"),
    "L5": (LAST_LUMBAR, "S1"),
}
"""Level -> its class if the second one is the next below it; it depends on the person."""


def levels_in_view(vertebra: np.ndarray) -> list[int]:
    """Return the vertebrae of a vertebra map from the top down, the sacrum included."""
    present = np.flatnonzero(np.bincount(vertebra.ravel(), minlength=1))
    return [label for label in LEVELS_TOP_DOWN if label in present]


def cut_off(vertebra: np.ndarray, subregion: np.ndarray) -> set[int]:
    """Return the vertebrae whose bodies touch the border of a scan in the sagittal plane.

    Parameters
    ----------
    vertebra, subregion : ndarray, shape (P, I, R)
        Maps on the scan's grid.
    """
    bodies = np.where(np.isin(subregion, BODY_LABELS), vertebra, 0)
    borders = (bodies[0], bodies[-1], bodies[:, 0], bodies[:, -1])
    return {int(label) for border in borders for label in np.unique(border)} - {0}


def level_targets(
    in_view: Sequence[int], cut: Collection[int], heads: Sequence[str]
) -> dict[int, list[int]]:
    """Return vertebra -> the class of each head, or `UNKNOWN`.

    Parameters
    ----------
    in_view : sequence of int
        Labels from the top down, the sacrum included if it is in view.
    cut : collection of int
        Labels of those that the scan's border cuts off.
    heads : sequence of str
        Which heads, in their order.

    Examples
    --------
    >>> level_targets([23, 24, 26], {23}, ["VERT", "VERTREL", "FULLYVISIBLE"])
    {23: [22, 0, 0], 24: [23, 5, 1]}
    """
    names = [LEVEL_NAMES[label] for label in in_view]
    out = {}
    for label, name, below in zip(in_view, names, [*names, ""][1:], strict=True):
        if name != "S1":
            answers = _answers(name, below) | {"FULLYVISIBLE": int(label not in cut)}
            out[label] = [answers[head] for head in heads]
    return out


def _answers(name: str, below: str) -> dict[str, int]:
    usual = EXTRA.get(name, name)
    place = REPEATING.names.index(usual)
    return {
        "REGION": REPEATING.region_of(place),
        "VERT": place,
        "VERTEX": EXPLICIT.names.index(name),
        "VERTGRP": next(i for i, group in enumerate(GROUPS) if usual in group),
        "VERTREL": _relation(name, below),
        "VERTT13": int(name == "T13"),
    }


def _relation(name: str, below: str) -> int:
    """Return the class of VERTREL; `below` is the next one in view, empty if there is none."""
    if name not in SOMETIMES:
        return ALWAYS.get(name, NOTHING)
    kind, follower = SOMETIMES[name]
    if not below:
        return UNKNOWN
    return kind if below == follower else NOTHING
