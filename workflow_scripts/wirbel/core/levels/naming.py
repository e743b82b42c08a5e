"""Names of the levels: what the one decision over the whole spine says of every instance, and how sure that is.

A vertebra's label is its place in the usual spine, C1 = 1 ... C7 = 7, T1 = 8 ... T12 = 19, L1 = 20 ... L5 = 24,
L6 = 25. Images of the spine alone cannot tell a thirteenth thoracic from a sixth lumbar vertebra: extra ones are
called L6, and flagged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.boxes import label_boxes
from wirbel.core.components import find_components, voxel_volume_mm3, voxels_of
from wirbel.core.geometry import Volume, reorient
from wirbel.core.instances.bodies import Bodies
from wirbel.core.instances.body_cuts import Part
from wirbel.core.labels import (
    BODY_LABELS,
    DISC,
    DISC_OFFSET,
    ENDPLATE_OFFSET,
    SACRUM,
)
from wirbel.core.levels.calibration import calibrated
from wirbel.core.levels.certainty import (
    AXIS,
    LAST,
    NO_SACRUM,
    alternative_of,
    level_flags,
    model_probability,
    most_confidence,
    shows_axis,
)
from wirbel.core.merging.reconciliation import MISSED
from wirbel.core.spine.decision import Decision, decide
from wirbel.core.spine.sightings import Sightings, look
from wirbel.core.spine.states import LABELS, SACRAL
from wirbel.core.spine_curve import Chain, spine_chain

DOUBLE_HEIGHT = 1.6
"""Height over the usual one from which an instance may hold two bodies; two and a disc are 2.3, a tall one 1.3."""
SMALLEST_BODY_MM3 = 100.0


@dataclass(frozen=True)
class Levels:
    """Names of the instances, from the top down.

    `labels` one vertebra label per instance 1 ... n, 0 for what is no vertebra, that of the sacrum for its segments;
    `confidence` 0 ... 1, probability that all names are right; `method` "top", "sacrum", "both", "estimated", or
    "counted" (the topmost is C2, whatever the view); `agree` whether top and sacrum agree, None unless both are
    seen; `flags` among "gap", "enumeration_anomaly", "enumeration_implausible", "too_many_vertebrae",
    `NO_SACRUM`, `SET_ASIDE`, `SACRAL_BODY`; `alternative` the second most probable level of the topmost vertebra,
    "" where there is none; `set_aside` pieces of body that are no vertebra.
    """

    labels: tuple[int, ...]
    confidence: float
    method: str
    agree: bool | None
    flags: tuple[str, ...]
    alternative: str = ""
    set_aside: int = 0


def levels_from(fields: dict) -> Levels:
    """Return what `asdict` made of a `Levels`, also after JSON has made lists of its tuples."""
    return Levels(**{**fields, "labels": tuple(fields["labels"]), "flags": tuple(fields["flags"])})


def name_levels(instances: Volume, labels: Volume) -> Levels:
    """Name the instances 1 ... n (from the top down; other numbers of the vertebra map are ignored).

    `instances` and `labels` (subregion map) lie on one grid, in any orientation. Bodies are taken as the instances have
    them: two that are one body get the same name, one that holds two bodies that of the upper.
    """
    count = int(instances.data[instances.data < SACRUM].max(initial=0))
    instances, labels = reorient(instances), reorient(labels)  # ties must not hang on storage
    chain = spine_chain(labels)
    numbers, parts = ([], []) if chain is None else _bodies_of(instances, labels, chain)
    if chain is None or not parts:
        return Levels((0,) * count, 0.0, "estimated", None, ("no_bodies",) if count else ())
    seen = look(parts, _discs(labels, chain), labels, chain)
    usual = np.median(seen.height_mm)
    doubles = tuple(int(i) for i in np.flatnonzero(seen.height_mm > DOUBLE_HEIGHT * usual))
    decision = decide(seen, doubles)
    assert decision is not None  # there are parts
    owner = {
        numbers[i]: g
        for g, group in enumerate(decision.groups)
        for i in range(group.first, group.last + 1)
    }
    set_aside = len(decision.set_aside) + sum(SACRAL[state] for state in decision.states)
    return _levels(count, owner, seen, decision, int(set_aside))


def levels_of(counters: Volume, bodies: Bodies) -> Levels:
    """Name the instances 1 ... n of a map by the bodies that they were made around (`bodies` on the same grid)."""
    count = int(counters.data[counters.data < SACRUM].max(initial=0))
    owner = {}
    for number, box in label_boxes(bodies.numbers).items():
        inside = counters.data[box][bodies.numbers[box] == number]
        share = np.bincount(inside[(inside > 0) & (inside < SACRUM)], minlength=1)
        if share.any():
            owner[int(share.argmax())] = number - 1
    if bodies.seen is None or bodies.decision is None:
        return Levels((0,) * count, 0.0, "estimated", None, ("no_bodies",))
    return _levels(count, owner, bodies.seen, bodies.decision, bodies.parts_set_aside)


def _bodies_of(instances: Volume, labels: Volume, chain: Chain) -> tuple[list[int], list[Part]]:
    """Return the instances that have a body, and those bodies, from the top down."""
    inside = np.isin(labels.data, BODY_LABELS) & (instances.data < SACRUM)
    found = []
    for number, box in label_boxes(np.where(inside, instances.data, 0)).items():
        mask = inside[box] & (instances.data[box] == number)
        part = _part(np.argwhere(mask) + [s.start for s in box], labels, chain)
        if part.volume_mm3 >= SMALLEST_BODY_MM3:
            found.append((part.middle_mm, number, part))
    found.sort(key=lambda row: row[0])
    return [number for _, number, _ in found], [part for *_, part in found]


def _discs(labels: Volume, chain: Chain) -> list[Part]:
    found = find_components(
        labels.with_data((labels.data == DISC).astype(np.uint8)), connectivity=6
    )
    large = np.flatnonzero(found.volume_mm3 >= SMALLEST_BODY_MM3)
    return [
        _part(voxels_of(found.numbers, i + 1, found.boxes[i]), labels, chain)
        for i in map(int, large)
    ]


def _part(voxels: np.ndarray, labels: Volume, chain: Chain) -> Part:
    world = labels.grid.to_world(voxels)
    arc, offset = chain.locate(world)
    return Part(voxels, world, arc, offset, voxel_volume_mm3(labels.affine))


def _levels(
    count: int, owner: dict[int, int], seen: Sightings, decision: Decision, set_aside: int
) -> Levels:
    """Return the levels; `owner` instance -> group of the decision."""
    states = np.array(decision.states)
    labels = [int(LABELS[states[owner[n]]]) if n in owner else 0 for n in range(1, count + 1)]
    named = [g for g, state in enumerate(states) if not SACRAL[state]]
    if not named:
        return Levels((0,) * count, 0.0, "estimated", None, ("no_bodies",))
    labels = _with_bodiless_ends(labels)
    top, sacrum = shows_axis(seen, decision), decision.with_sacrum or SACRAL[states].any()
    flags = level_flags(seen, decision, set_aside, top and sacrum)
    method = {(1, 1): "both", (1, 0): "top", (0, 1): "sacrum", (0, 0): "estimated"}
    return Levels(
        tuple(labels),
        min(calibrated(model_probability(decision)), most_confidence(flags, top or sacrum)),
        method[int(top), int(sacrum)],
        "enumeration_anomaly" not in flags if top and sacrum else None,
        tuple(sorted(flags)),
        alternative_of(decision),
        set_aside,
    )


def _with_bodiless_ends(labels: list[int]) -> list[int]:
    """Name instances beyond the outermost bodies, such as the processes of a vertebra above the field of view."""
    named = [n for n, label in enumerate(labels) if 0 < label < SACRUM]
    for n in range(named[0] - 1, -1, -1):
        labels[n] = labels[n + 1] - 1 if labels[n + 1] > AXIS else 0
    for n in range(named[-1] + 1, len(labels)):
        usual = labels[n] == 0 and 0 < labels[n - 1] < LAST
        labels[n] = labels[n - 1] + 1 if usual else labels[n]
    return labels


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
