"""The most probable names of a spine's vertebrae, given a classifier's answers about each.

A spine is read from the top down: every vertebra is one level below the one before, with the
variants that exist in people. The search over all such sequences follows VERIDAH (Möller et al.
2026, arXiv:2601.14066) as SPINEPS runs it: the evidence for the levels (`level_evidence`) is
summed, and the sequence with the largest sum wins.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wirbel.core.labelling.level_axis import EXPLICIT, Axis, group_of
from wirbel.core.labelling.level_evidence import Evidence, Heads, weigh
from wirbel.core.labels import LEVEL_LABELS

MOST_OF_ONE_LEVEL = 2
TOPMOST = 1
"""Sequences begin at C2 or below, unless the semantic network segments C1."""
CERTAIN = 1e6
"""Evidence that nothing outweighs."""


def name_by_heads(
    heads: Heads, with_c1: bool = False, known: Mapping[int, str] | None = None
) -> tuple[tuple[int, ...], float]:
    """Name the vertebrae of a spine.

    Parameters
    ----------
    heads : mapping of str to ndarray, shape (vertebrae, classes)
        Answers about the vertebrae, from the top down.
    with_c1 : bool
        The topmost vertebra may be C1.
    known : mapping of int to str, optional
        Row -> level of vertebrae that need no guess.

    Returns
    -------
    labels : tuple of int
        From the top down; all 0 if no sequence fits, for example if there are more vertebrae than
        levels.
    certainty : float
        Mean probability of the chosen levels, 0 to 1.

    Raises
    ------
    ValueError
        If no head names levels.
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
    """Return the classes of the sequence with the most evidence, starting at class `topmost` or below;
    None if none is possible.
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
    """Return the evidence for being the first thoracic or first lumbar vertebra."""
    gain = np.zeros_like(evidence.level)
    for region in (1, 2):
        gain[:, evidence.axis.starts[region]] = evidence.relation[:, 2 * region]
    return gain


def _last(evidence: Evidence, row: int, at: int, to: int) -> float:
    """Return the evidence for being the last vertebra of a region, if the one below belongs to
    another.
    """
    region = evidence.axis.region_of(at)
    return evidence.relation[row, 2 * region + 1] if evidence.axis.region_of(to) > region else 0.0


def _second(evidence: Evidence, row: int, at: int, to: int) -> float:
    """Return the evidence that the vertebra below is a second T12, which is a T13."""
    return evidence.t13[row + 1] if to == at and evidence.axis.names[at] == "T12" else 0.0


def _certainty(heads: Heads, path: list[int], axis: Axis) -> float:
    """Return the mean probability of a sequence's classes, from the head that names levels best."""
    rows, classes = np.arange(len(path)), np.array(path)
    if axis is EXPLICIT:
        return float(heads["VERTEX" if "VERTEX" in heads else "VERTEXACT"][rows, classes].mean())
    if "VERT" in heads:
        return float(heads["VERT"][rows, classes].mean())
    return float(heads["VERTGRP"][rows, np.array(group_of(axis))[classes]].mean())
