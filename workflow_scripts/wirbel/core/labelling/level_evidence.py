"""The evidence of a labelling network for each level of each vertebra.

A classifier answers several questions (heads) about each vertebra. The answers are weighted and
added as SPINEPS does (VERIDAH, Möller et al. 2026, arXiv:2601.14066). Heads are named as in the
published models; each gives a probability per class and vertebra:

    VERT          24 levels C1 ... L5; an extra vertebra counts as a second T12 or a second L5
    VERTEX        26 levels C1 ... T12, T13, L1 ... L6 (also VERTEXACT, if there is no VERT)
    VERTGRP       12 groups of two or three neighbouring levels
    REGION        cervical, thoracic, lumbar
    VERTREL       nothing, last cervical, first thoracic, last thoracic, first lumbar, last lumbar
    VERTT13       usual, T13
    FULLYVISIBLE  cut off, fully visible

A network answers in single precision, and its answers are weighted in that precision and in
SPINEPS' order: if a vertebra is certainly the last of a region, rounding decides whether the head
of relations counts fully or by half.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from wirbel.core.labelling.level_axis import EXPLICIT, REPEATING, Axis, group_of

Heads = Mapping[str, np.ndarray]
"""Name of a head -> array, shape (vertebrae from the top down, classes)."""

LEVEL_HEADS = ("VERT", "VERTEX", "VERTEXACT", "VERTGRP")
EXACT_CLASSES = {"VERT": 24, "VERTEX": 26, "VERTEXACT": 26, "VERTREL": 6}
FEWEST_CLASSES = {"VERTGRP": 12, "REGION": 3, "VERTT13": 2, "FULLYVISIBLE": 2}
"""Head -> classes that the search needs; further ones would be ignored."""

LEVEL_WEIGHT = 0.9
GROUP_WEIGHT = 0.8
REGION_WEIGHT = 1.1
RELATION_WEIGHT = 0.6
T13_WEIGHT = 0.4
CUT_OFF_WEIGHT = 0.5
"""Weight of a vertebra that the image's border cuts off. All weights are SPINEPS'."""
CLASS_SIGMA, CLASS_RADIUS = 0.8, 2
RELATION_SIGMA, RELATION_RADIUS = 0.6, 1
VISIBLE_DECIMALS = 3
TINY = 1e-8


@dataclass(frozen=True)
class Evidence:
    """Evidence for each level; sums along a sequence are compared, and more is better.

    Attributes
    ----------
    level : ndarray, shape (vertebrae, classes)
        For being this level.
    relation : ndarray, shape (vertebrae, 6)
        For being the last or first of a region.
    t13 : ndarray, shape (vertebrae,)
        For being the second T12.
    """

    axis: Axis
    level: np.ndarray
    relation: np.ndarray
    t13: np.ndarray


def check_heads(classes: Mapping[str, int]) -> None:
    """Raise ValueError unless heads (name -> number of classes) belong to a network that names levels."""
    if not any(name in classes for name in LEVEL_HEADS):
        raise ValueError(
            f"none of its heads names levels: expected one of {', '.join(LEVEL_HEADS)}, "
            f"found {', '.join(classes) or 'none'}"
        )
    for name, found in classes.items():
        left_aside = name == "VERTEXACT" and "VERT" in classes
        expected = found if left_aside else EXACT_CLASSES.get(name, found)
        if found != expected or found < FEWEST_CLASSES.get(name, 0):
            wanted = FEWEST_CLASSES.get(name, expected)
            raise ValueError(f"its head {name} has {found} classes, expected {wanted}")


def weigh(heads: Heads) -> Evidence:
    """Combine the heads; raise ValueError if none of them names levels."""
    explicit = next((name for name in ("VERTEX", "VERTEXACT") if name in heads), None)
    if not explicit and "VERT" not in heads and "VERTGRP" not in heads:
        raise ValueError(f"no head of the model names levels, found {', '.join(heads) or 'none'}")
    axis = EXPLICIT if explicit and "VERT" not in heads else REPEATING
    rows = len(next(iter(heads.values())))
    level = np.zeros((rows, len(axis.names)))
    for weight, part in _level_parts(heads, axis, explicit):
        level += weight * _normalised(part)
    level = _normalised(level) * _visibility(heads, rows)[:, None]
    return Evidence(axis, level, _relations(heads, rows), _second_t12(heads, rows))


def _level_parts(heads: Heads, axis: Axis, explicit: str | None) -> list[tuple[float, np.ndarray]]:
    """Return weight and array (vertebrae, classes) of every head about levels or regions, regions
    first.
    """
    parts = []
    if "REGION" in heads:
        regions = [axis.region_of(index) for index in range(len(axis.names))]
        parts.append((REGION_WEIGHT, heads["REGION"][:, regions].astype(float)))
    if axis is EXPLICIT and explicit is not None:
        parts.append((LEVEL_WEIGHT, _smoothed(heads[explicit], axis)))
    if axis is REPEATING and "VERT" in heads:
        parts.append((LEVEL_WEIGHT, _smoothed(heads["VERT"], axis)))
    if axis is REPEATING and "VERTEX" in heads:
        parts.append((LEVEL_WEIGHT, _smoothed(_without_extra(heads["VERTEX"]), axis)))
    if axis is REPEATING and "VERTGRP" in heads:
        groups = heads["VERTGRP"][:, group_of(axis)].astype(float)
        parts.append((GROUP_WEIGHT, _smoothed(groups, axis)))
    return parts


def _without_extra(exact: np.ndarray) -> np.ndarray:
    """Return the 26 explicit classes as 24: T13 counts as T12, L6 as L5."""
    names, merged = EXPLICIT.names, {"T13": "T12", "L6": "L5"}
    out = np.zeros((len(exact), len(REPEATING.names)), exact.dtype)
    for index, name in enumerate(names):
        out[:, REPEATING.names.index(merged.get(name, name))] += exact[:, index]
    return out


def _smoothed(values: np.ndarray, axis: Axis) -> np.ndarray:
    """Blur over neighbouring levels within each region, because a neighbour is a likely confusion."""
    values = np.array(values, order="C")
    for region in axis.regions:
        values[:, region] = gaussian_filter1d(
            values[:, region], CLASS_SIGMA, axis=1, mode="nearest", radius=CLASS_RADIUS
        )
    return values


def _normalised(values: np.ndarray) -> np.ndarray:
    return values / (values.sum(axis=1, keepdims=True) + TINY)


def _visibility(heads: Heads, rows: int) -> np.ndarray:
    """Return the weight of each vertebra; the ends of the image count as half seen."""
    visible = heads["FULLYVISIBLE"][:, 1] if "FULLYVISIBLE" in heads else np.ones(rows)
    visible = gaussian_filter1d(visible, CLASS_SIGMA, mode="constant", radius=CLASS_RADIUS)
    visible = np.round(visible, VISIBLE_DECIMALS)
    return np.clip(1 - (1 - visible) * CUT_OFF_WEIGHT, 0, 1)


def _relations(heads: Heads, rows: int) -> np.ndarray:
    """Return the head of relations, blurred along the spine; each relation speaks for one vertebra in
    total.
    """
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
