"""The most probable names of a spine's vertebrae, given what a classifier says about each of them.

A spine is read from the top down: every vertebra is one level below the one before, except where people
differ. The search over all such sequences follows VERIDAH (Möller et al. 2026, arXiv:2601.14066) as the published
tool runs it: the evidence for the levels (`level_evidence`) is added up, and the sequence with the greatest sum wins.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.level_axis import EXPLICIT, Axis, group_of
from wirbel.core.level_evidence import Evidence, Heads, weigh

MOST_OF_ONE_LEVEL = 2
TOPMOST = 1
"""Sequences begin at C2 or below, unless the first network shows C1, too."""
CERTAIN = 1e6
"""Evidence that nothing outweighs."""


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
    return float(heads["VERTGRP"][rows, np.array(group_of(axis))[classes]].mean())
