"""Names of the levels: counted from C2, anchored at the sacrum, or estimated.

A vertebra's label is its place in the usual spine, C1 = 1 ... C7 = 7, T1 = 8 ... T12 = 19, L1 = 20 ... L5 = 24,
L6 = 25, so that counting is adding. Images of the spine alone cannot tell a thirteenth thoracic from a sixth lumbar
vertebra: extra ones are called L6, and flagged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.assignment import MISSED
from wirbel.core.chain import spine_chain
from wirbel.core.geometry import Volume
from wirbel.core.labels import (
    DISC_OFFSET,
    ENDPLATE_OFFSET,
    LEVEL_LABELS,
    SACRUM,
)
from wirbel.core.landmarks import (
    SURE_SACRUM_MM3,
    BodyShape,
    body_shapes,
    is_axis,
    missing_above_sacrum,
    missing_between,
    sacrum_mm3,
)
from wirbel.core.level_estimate import level_probabilities

AXIS, LAST, EXTRA = LEVEL_LABELS["C2"], LEVEL_LABELS["L5"], LEVEL_LABELS["L6"]

CONFIDENCE_BOTH = 0.98
"""Top and sacrum seen, 23 vertebrae between: only two numeric variants that cancel out would deceive."""
CONFIDENCE_TOP = 0.95
"""Counted from C2: seven cervical vertebrae in 99.9 % of people (Galis, J Exp Zool 1999;285:19)."""
CONFIDENCE_SACRUM = 0.88
"""Counted from the sacrum: lumbosacral transitional vertebrae in 12 % (Konin and Walz, AJNR 2010;31:1778)."""
CONFIDENCE_ANOMALY = 0.6
"""Top and sacrum disagree by one: a true variant, or one vertebra missed or invented."""
CONFIDENCE_IMPLAUSIBLE = 0.3
"""They disagree by more than one, which anatomy does not explain."""
CONFIDENCE_ESTIMATE = 0.5
"""Greatest confidence of an estimate from sizes alone."""
GAP_FACTOR = 0.85
"""Applied for every gap: the number of vertebrae missed in it is itself an estimate."""
SIZES_FACTOR = 0.7
SIZES_TOLERANCE = 4
"""Levels by which the estimate from sizes may differ from a landmark before that is flagged."""
NO_SACRUM = "no_sacrum"
"""Flag: what was taken for a sacrum is small, and by all else that is seen the lowest vertebra lies far above one."""


@dataclass(frozen=True)
class Levels:
    """Names of the instances, from the top down.

    `labels` one vertebra label per instance 1 ... n, 0 where no label is left; `confidence` 0 ... 1; `method` "top",
    "sacrum", "both", "estimated", or "counted" (the topmost is C2, whatever the view); `agree` whether top and
    sacrum agree, None unless both are seen; `flags` among
    "gap", "enumeration_anomaly", "enumeration_implausible", "too_many_vertebrae", "sizes_disagree", `NO_SACRUM`.
    """

    labels: tuple[int, ...]
    confidence: float
    method: str
    agree: bool | None
    flags: tuple[str, ...]


def levels_from(fields: dict) -> Levels:
    """Return what `asdict` made of a `Levels`, also after JSON has made lists of its tuples."""
    return Levels(**{**fields, "labels": tuple(fields["labels"]), "flags": tuple(fields["flags"])})


def name_levels(instances: Volume, labels: Volume) -> Levels:
    """Name the instances 1 ... n (from the top down; other numbers of the vertebra map are ignored).

    `instances` and `labels` (subregion map) lie on one grid, in any orientation.
    """
    count = int(instances.data[instances.data < SACRUM].max(initial=0))
    chain = spine_chain(labels)
    shapes = [] if chain is None else body_shapes(instances, labels, chain)
    if not shapes:
        return Levels((0,) * count, 0.0, "estimated", None, ("no_bodies",) if count else ())
    gaps = missing_between(shapes)
    relative = _relative_positions(shapes, gaps, count)
    above_sacrum = missing_above_sacrum(instances, labels, shapes)
    of_shapes = [relative[s.number - 1] for s in shapes]
    estimate = level_probabilities(shapes, of_shapes, labels, chain, EXTRA)
    top = is_axis(shapes)
    no_sacrum = _is_no_sacrum(sacrum_mm3(labels), top, above_sacrum or 0, relative, estimate)
    if no_sacrum:
        above_sacrum = None
    first, confidence, method, agree, flags = _anchor(top, above_sacrum, relative, estimate)
    if no_sacrum:
        flags.append(NO_SACRUM)
    if any(gaps) or above_sacrum:
        flags.append("gap")
        confidence *= GAP_FACTOR ** (np.count_nonzero(gaps) + bool(above_sacrum))
    if estimate and abs(max(estimate, key=estimate.get) - first) > SIZES_TOLERANCE:
        flags.append("sizes_disagree")
        confidence *= SIZES_FACTOR
    named = tuple(first + r if AXIS <= first + r <= EXTRA else 0 for r in relative)
    if 0 in named:
        flags.append("too_many_vertebrae")
    return Levels(named, round(float(confidence), 3), method, agree, tuple(sorted(flags)))


def _is_no_sacrum(
    volume_mm3: float, top: bool, missing: int, relative: list[int], estimate: dict[int, float]
) -> bool:
    """Whether what was taken for a sacrum is none; `missing` vertebrae seem to fit in above it."""
    if not 0 < volume_mm3 < SURE_SACRUM_MM3 or not (top or estimate):
        return False
    first, *_ = _anchor(top, None, relative, estimate)
    return first + relative[-1] + missing < LAST - SIZES_TOLERANCE


def _anchor(top: bool, above_sacrum: int | None, relative: list[int], estimate: dict[int, float]):
    """Return the label at relative position 0, confidence, method, agreement and flags."""
    from_sacrum = None if above_sacrum is None else LAST - above_sacrum - relative[-1]
    doubts: list[str] = []
    if not top and from_sacrum is not None and from_sacrum < AXIS - 1 and _fits(relative):
        # All have room, but not so far above what was taken for the sacrum: it is none, or the gap is not real.
        from_sacrum, doubts = None, ["enumeration_implausible"]
    if top and from_sacrum is not None:
        difference = abs(AXIS - from_sacrum)
        if difference == 0:
            return AXIS, CONFIDENCE_BOTH, "both", True, []
        if difference == 1:
            return AXIS, CONFIDENCE_ANOMALY, "both", False, ["enumeration_anomaly"]
        flags = ["enumeration_anomaly", "enumeration_implausible"]
        return AXIS, CONFIDENCE_IMPLAUSIBLE, "both", False, flags
    if top:
        return AXIS, CONFIDENCE_TOP, "top", None, []
    if from_sacrum == AXIS - 1:
        # C1 is never an instance: 24 vertebrae above the sacrum are one too many.
        return AXIS, CONFIDENCE_ANOMALY, "sacrum", None, ["enumeration_anomaly"]
    if from_sacrum is not None:
        return from_sacrum, CONFIDENCE_SACRUM, "sacrum", None, []
    if not estimate:
        return AXIS, 0.0, "estimated", None, doubts
    most = CONFIDENCE_IMPLAUSIBLE if doubts else CONFIDENCE_ESTIMATE
    best = max(estimate, key=estimate.get)
    return best, min(estimate[best], most), "estimated", None, doubts


def _fits(relative: list[int]) -> bool:
    """Return whether there are names for all instances, whatever the first one is."""
    return AXIS + relative[-1] <= EXTRA


def _relative_positions(shapes: list[BodyShape], gaps: list[int], count: int) -> list[int]:
    """Return each instance's place in vertebrae below the first, missing ones counted."""
    step = [1] * count
    for shape, missing in zip(shapes[1:], gaps, strict=True):
        step[shape.number - 1] += missing
    return (np.cumsum(step) - 1).tolist()


def apply_levels(vertebra: np.ndarray, levels: Levels) -> np.ndarray:
    """Replace the counters of a vertebra map (see `assignment`) by labels; returns a new uint8 array.

    Discs and endplates above the topmost vertebra get the label of the level above it, or 0 where that would be C1 or
    above. Instances without a label, their discs and endplates become 0, and so do sacral numbers where there is
    `NO_SACRUM`.
    """
    lookup = np.zeros(256, np.uint8)
    for number, label in enumerate((label_above_first(levels), *levels.labels)):
        if not label:
            continue
        lookup[DISC_OFFSET + number] = DISC_OFFSET + label
        lookup[ENDPLATE_OFFSET + number] = ENDPLATE_OFFSET + label
        if number:
            lookup[number] = label
            lookup[DISC_OFFSET + MISSED + number] = DISC_OFFSET + label - 1
    if NO_SACRUM not in levels.flags:
        for number in (SACRUM, DISC_OFFSET + SACRUM, ENDPLATE_OFFSET + SACRUM):
            lookup[number] = number
    return lookup[vertebra]


def label_above_first(levels: Levels) -> int:
    """Return the label of the vertebra above the topmost instance, 0 where that is not C2 or below."""
    first = levels.labels[0] if levels.labels else 0
    return first - 1 if first > AXIS else 0
