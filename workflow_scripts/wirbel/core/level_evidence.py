"""What a labelling network's answers say for each level of each vertebra.

A classifier answers several questions (heads) about each vertebra; the answers are weighed and added, as the published
tool does it (VERIDAH, Möller et al. 2026, arXiv:2601.14066). Heads, each a probability per class and vertebra,
are named as in the published models:

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

from wirbel.core.level_axis import EXPLICIT, REPEATING, Axis, group_of

Heads = Mapping[str, np.ndarray]
"""Head's name -> (vertebrae from the top down, classes)."""

LEVEL_HEADS = ("VERT", "VERTEX", "VERTEXACT", "VERTGRP")
EXACT_CLASSES = {"VERT": 24, "VERTEX": 26, "VERTEXACT": 26, "VERTREL": 6}
FEWEST_CLASSES = {"VERTGRP": 12, "REGION": 3, "VERTT13": 2, "FULLYVISIBLE": 2}
"""Head -> classes that the search needs; of the latter further ones would be left aside."""

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


def check_heads(classes: Mapping[str, int]) -> None:
    """Raise ValueError when heads (name -> number of classes) are not those of a network that tells levels."""
    if not any(name in classes for name in LEVEL_HEADS):
        raise ValueError(
            f"none of its heads tells levels: expected one of {', '.join(LEVEL_HEADS)}, "
            f"found {', '.join(classes) or 'none'}"
        )
    for name, found in classes.items():
        left_aside = name == "VERTEXACT" and "VERT" in classes
        expected = found if left_aside else EXACT_CLASSES.get(name, found)
        if found != expected or found < FEWEST_CLASSES.get(name, 0):
            wanted = FEWEST_CLASSES.get(name, expected)
            raise ValueError(f"its head {name} has {found} classes, expected {wanted}")


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


def _level_parts(heads: Heads, axis: Axis, explicit: str | None) -> list[tuple[float, np.ndarray]]:
    """Return weight and (vertebrae, classes) of every head that speaks for levels or regions, regions first."""
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
