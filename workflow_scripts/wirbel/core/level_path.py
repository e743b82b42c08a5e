"""The most probable names of a spine's vertebrae, given what a classifier says about each of them.

A spine is read from the top down: every vertebra is one level below the one before, except where people
differ. The search over all such sequences follows VERIDAH (Möller et al. 2026, arXiv:2601.14066) as the published
tool runs it: a classifier answers several questions (heads) about each vertebra, the answers are weighed and
added, and the sequence with the greatest sum wins.

Heads, each a probability per class and vertebra, are named as in the published models:

    VERT          24 levels C1 ... L5; an extra vertebra counts as a second T12 or a second L5
    VERTEX        26 levels C1 ... T12, T13, L1 ... L6 (also VERTEXACT, where there is no VERT)
    VERTGRP       12 groups of two or three neighbouring levels
    REGION        cervical, thoracic, lumbar
    VERTREL       nothing, last cervical, first thoracic, last thoracic, first lumbar, last lumbar
    VERTT13       usual, T13
    FULLYVISIBLE  cut off, fully visible

A network answers in single precision, and what it says is weighed in that precision, in the published tool's order:
where one vertebra of a spine is certainly the last of a region, rounding decides whether the head of relations
counts in full or by half.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from wirbel.core.labels import LEVEL_LABELS

Heads = Mapping[str, np.ndarray]
"""Head's name -> (vertebrae from the top down, classes)."""

LEVEL_WEIGHT = 0.9
GROUP_WEIGHT = 0.8
REGION_WEIGHT = 1.1
RELATION_WEIGHT = 0.6
T13_WEIGHT = 0.4
CUT_OFF_WEIGHT = 0.5
"""How much less a vertebra counts that is cut off by the image's border. All weights: the published tool's."""
CLASS_SIGMA, CLASS_RADIUS = 0.8, 2
RELATION_SIGMA, RELATION_RADIUS = 0.6, 1
VISIBLE_DECIMALS = 3
TINY = 1e-8
MOST_OF_ONE_LEVEL = 2

_CERVICAL = [f"C{n}" for n in range(1, 8)]
_THORACIC = [f"T{n}" for n in range(1, 13)]
_LUMBAR = [f"L{n}" for n in range(1, 6)]
GROUPS = (
    ("C1", "C2"),
    ("C3", "C4", "C5"),
    ("C6", "C7"),
    ("T1", "T2"),
    ("T3", "T4"),
    ("T5", "T6", "T7"),
    ("T8", "T9"),
    ("T10", "T11"),
    ("T12",),
    ("L1", "L2"),
    ("L3", "L4"),
    ("L5",),
)
"""Classes of the head VERTGRP."""


@dataclass(frozen=True)
class Axis:
    """The classes that a sequence is made of.

    `names` of the classes from the top down; `starts` index of the first class of each region; `next` class ->
    classes that the vertebra below may have, the usual one first.
    """

    names: tuple[str, ...]
    starts: tuple[int, int, int]
    next: tuple[tuple[int, ...], ...]

    @property
    def regions(self) -> list[slice]:
        """Return the classes of the cervical, thoracic and lumbar region."""
        return [
            slice(a, b)
            for a, b in zip(self.starts, (*self.starts[1:], len(self.names)), strict=True)
        ]

    def region_of(self, index: int) -> int:
        """Return 0 for a cervical, 1 for a thoracic, 2 for a lumbar class."""
        return sum(index >= start for start in self.starts) - 1


def _axis(names: list[str], others: dict[str, tuple[str, ...]]) -> Axis:
    """Return the axis where every level is followed by the next, or by those given in `others`."""
    follow = [(i + 1,) if i + 1 < len(names) else () for i in range(len(names))]
    for name, followers in others.items():
        at = names.index(name)
        follow[at] = (*follow[at], *(names.index(follower) for follower in followers))
    return Axis(tuple(names), (0, names.index("T1"), names.index("L1")), tuple(follow))


REPEATING = _axis(_CERVICAL + _THORACIC + _LUMBAR, {"T11": ("L1",), "T12": ("T12",), "L5": ("L5",)})
"""Eleven thoracic vertebrae: T12 is left out. Thirteen: T12 occurs twice. Six lumbar: L5 occurs twice."""
EXPLICIT = _axis([*_CERVICAL, *_THORACIC, "T13", *_LUMBAR, "L6"], {"T11": ("L1",), "T12": ("L1",)})
"""T13 and L6 are classes of their own; T13, or T12 and T13, may be left out."""
TOPMOST = 1
"""Sequences begin at C2 or below, unless the first network shows C1, too."""
CERTAIN = 1e6
"""Evidence that nothing outweighs."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for which level: the greater the better, all summed along a sequence.

    `level` (vertebrae, classes); `relation` (vertebrae, 6) for being the last or first of a region; `t13`
    (vertebrae,) for being the second T12.
    """

    axis: Axis
    level: np.ndarray
    relation: np.ndarray
    t13: np.ndarray


def name_by_heads(
    heads: Heads, with_c1: bool = False, known: Mapping[int, str] | None = None
) -> tuple[tuple[int, ...], float]:
    """Return the vertebrae's labels from the top down, and how sure the classifier is of them (0 ... 1).

    The latter is the mean probability that it gives to the levels chosen. All labels are 0 when no
    sequence fits, for example because there are more vertebrae than levels. `with_c1`: the topmost may be C1. `known`
    holds the levels of vertebrae (row -> name) that need no guess. Raises ValueError when no head tells levels.
    """
    evidence = weigh(heads)
    for row, name in (known or {}).items():
        evidence.level[row] = 0.0
        evidence.level[row, evidence.axis.names.index(name)] = CERTAIN
    path = best_path(evidence, 0 if with_c1 else TOPMOST)
    if path is None:
        return (0,) * len(evidence.level), 0.0
    return labels_of(path, evidence.axis), round(_certainty(heads, path, evidence.axis), 3)


def weigh(heads: Heads) -> Evidence:
    """Combine the heads; raises ValueError when none of them tells levels."""
    explicit = next((name for name in ("VERTEX", "VERTEXACT") if name in heads), None)
    if not explicit and "VERT" not in heads and "VERTGRP" not in heads:
        raise ValueError(f"no head of the model tells levels, found {', '.join(heads) or 'none'}")
    axis = EXPLICIT if explicit and "VERT" not in heads else REPEATING
    rows = len(next(iter(heads.values())))
    level = np.zeros((rows, len(axis.names)))
    for weight, part in _level_parts(heads, axis, explicit):
        level += weight * _normalised(part)
    level = _normalised(level) * _visibility(heads, rows)[:, None]
    return Evidence(axis, level, _relations(heads, rows), _second_t12(heads, rows))


def best_path(evidence: Evidence, topmost: int = TOPMOST) -> list[int] | None:
    """Return the classes of the sequence with the most evidence, from class `topmost` on; None where none is possible.

    Dynamic programming from the last vertebra up, in the order of the published tool (spineps 2.1.3), so that names
    agree: the level below is chosen before it is added what being the last of a region is worth, and a
    sequence that would then hold a level for the third time is given up. The sum is therefore not always
    the greatest there is; a search for that was tried and named simulated spines no better.
    """
    value, follower = _best_continuations(evidence)
    path = [topmost + int(np.argmax(value[0, topmost:]))]
    if value[0, path[0]] == -np.inf:
        return None
    for row in range(len(value) - 1):
        path.append(int(follower[row, path[-1]]))
    return path


def _best_continuations(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Return, by row and class, the evidence from there to the end, and the class below."""
    axis = evidence.axis
    first = _first_of_region(evidence)
    value = evidence.level + first
    follower, times = np.full(value.shape, -1), np.ones(value.shape, int)
    for row in range(len(value) - 2, -1, -1):
        for at, options in enumerate(axis.next):
            gains = [value[row + 1, to] + _second(evidence, row, at, to) for to in options]
            if max(gains, default=-np.inf) == -np.inf:
                value[row, at] = -np.inf
                continue
            to = options[int(np.argmax(gains))]
            follower[row, at] = to
            times[row, at] += times[row + 1, to] if to == at else 0
            own = first[row, at] + _last(evidence, row, at, to)
            value[row, at] = max(gains) + evidence.level[row, at] + own
            if times[row, at] > MOST_OF_ONE_LEVEL:
                value[row, at] = -np.inf
    return value, follower


def labels_of(path: list[int], axis: Axis) -> tuple[int, ...]:
    """Return the vertebra labels of a sequence; a second T12 is T13, a second L5 is L6."""
    names = [axis.names[index] for index in path]
    for at in range(1, len(names)):
        if names[at] == names[at - 1]:
            names[at] = {"T12": "T13", "L5": "L6"}[names[at]]
    return tuple(LEVEL_LABELS[name] for name in names)


def _level_parts(heads: Heads, axis: Axis, explicit: str | None) -> list[tuple[float, np.ndarray]]:
    """Return weight and (vertebrae, classes) of every head that speaks for levels or regions, regions first."""
    parts = []
    if "REGION" in heads:
        regions = [axis.region_of(index) for index in range(len(axis.names))]
        parts.append((REGION_WEIGHT, heads["REGION"][:, regions].astype(float)))
    if axis is EXPLICIT:
        parts.append((LEVEL_WEIGHT, _smoothed(heads[explicit], axis)))
    if axis is REPEATING and "VERT" in heads:
        parts.append((LEVEL_WEIGHT, _smoothed(heads["VERT"], axis)))
    if axis is REPEATING and "VERTEX" in heads:
        parts.append((LEVEL_WEIGHT, _smoothed(_without_extra(heads["VERTEX"]), axis)))
    if axis is REPEATING and "VERTGRP" in heads:
        groups = heads["VERTGRP"][:, _group_of(axis)].astype(float)
        parts.append((GROUP_WEIGHT, _smoothed(groups, axis)))
    return parts


def _without_extra(exact: np.ndarray) -> np.ndarray:
    """Return the 26 explicit classes as 24: T13 counts as T12, L6 as L5."""
    names, merged = EXPLICIT.names, {"T13": "T12", "L6": "L5"}
    out = np.zeros((len(exact), len(REPEATING.names)), exact.dtype)
    for index, name in enumerate(names):
        out[:, REPEATING.names.index(merged.get(name, name))] += exact[:, index]
    return out


def _group_of(axis: Axis) -> list[int]:
    """Return the group of every class."""
    return [next(i for i, group in enumerate(GROUPS) if name in group) for name in axis.names]


def _smoothed(values: np.ndarray, axis: Axis) -> np.ndarray:
    """Blur over neighbouring levels, region by region: a neighbour is a likely confusion."""
    values = np.array(values, order="C")
    for region in axis.regions:
        values[:, region] = gaussian_filter1d(
            values[:, region], CLASS_SIGMA, axis=1, mode="nearest", radius=CLASS_RADIUS
        )
    return values


def _normalised(values: np.ndarray) -> np.ndarray:
    return values / (values.sum(axis=1, keepdims=True) + TINY)


def _visibility(heads: Heads, rows: int) -> np.ndarray:
    """Return how much each vertebra counts; the ends of the image count as half seen."""
    visible = heads["FULLYVISIBLE"][:, 1] if "FULLYVISIBLE" in heads else np.ones(rows)
    visible = gaussian_filter1d(visible, CLASS_SIGMA, mode="constant", radius=CLASS_RADIUS)
    visible = np.round(visible, VISIBLE_DECIMALS)
    return np.clip(1 - (1 - visible) * CUT_OFF_WEIGHT, 0, 1)


def _relations(heads: Heads, rows: int) -> np.ndarray:
    """Return the head of relations, blurred along the spine; each speaks for one vertebra in all."""
    if "VERTREL" not in heads:
        return np.zeros((rows, 6))
    values = np.array(heads["VERTREL"], order="C")
    for column in values.T[1:]:
        column[:] = gaussian_filter1d(
            column, RELATION_SIGMA, mode="nearest", radius=RELATION_RADIUS
        )
        total = column.sum() + TINY
        column /= total if total >= 1 else 1 + total
    return RELATION_WEIGHT * values.astype(float)


def _second_t12(heads: Heads, rows: int) -> np.ndarray:
    if "VERTT13" not in heads:
        return np.zeros(rows)
    values = np.asarray(heads["VERTT13"])[:, 1]
    return T13_WEIGHT * values / (values.sum() + TINY)


def _first_of_region(evidence: Evidence) -> np.ndarray:
    """Return what it adds to be the first thoracic or the first lumbar vertebra."""
    gain = np.zeros_like(evidence.level)
    for region in (1, 2):
        gain[:, evidence.axis.starts[region]] = evidence.relation[:, 2 * region]
    return gain


def _last(evidence: Evidence, row: int, at: int, to: int) -> float:
    """Return what it adds to be the last vertebra of a region, as the one below is of another."""
    region = evidence.axis.region_of(at)
    return evidence.relation[row, 2 * region + 1] if evidence.axis.region_of(to) > region else 0.0


def _second(evidence: Evidence, row: int, at: int, to: int) -> float:
    """Return what it adds to the vertebra below to be a second T12, which is a T13."""
    return evidence.t13[row + 1] if to == at and evidence.axis.names[at] == "T12" else 0.0


def _certainty(heads: Heads, path: list[int], axis: Axis) -> float:
    """Return the mean probability of the classes of a sequence, from the head that tells levels best."""
    rows, classes = np.arange(len(path)), np.array(path)
    if axis is EXPLICIT:
        return float(heads["VERTEX" if "VERTEX" in heads else "VERTEXACT"][rows, classes].mean())
    if "VERT" in heads:
        return float(heads["VERT"][rows, classes].mean())
    return float(heads["VERTGRP"][rows, np.array(_group_of(axis))[classes]].mean())
