"""Make one subregion map from the statements of all sources, and say where they disagree or do not decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from wirbel.core.boxes import tight_box
from wirbel.core.fusion.deciding import METHODS, STAPLE
from wirbel.core.fusion.patterns import Patterns, patterns_of
from wirbel.core.fusion.statements import CLASSES, Statements
from wirbel.core.fusion.surfaces import FAR_MM, border_log_odds
from wirbel.core.geometry import Volume, grow_box
from wirbel.core.growth import fill_from_nearest
from wirbel.core.labels import BODY_BORDER, CANAL

EQUAL = 1e-6
"""Structures whose log-odds differ by less are tied."""
LEAST_AGREEMENT = 0.6
"""Smallest share of trust behind a label that a training uses: two of three sources are enough, one of two is not."""
FILL_MM = 4.0
"""A voxel that is one of several structures gets the nearest of them; farther than this (half of a process' width) that
is a guess, which no training uses."""
LEADING = (BODY_BORDER, CANAL)
"""What a union stands for in the fused map if nobody tells its parts apart anywhere."""


@dataclass(frozen=True)
class Ways:
    """How structures are combined.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    methods : mapping of int to str
        Our label -> another method for it.
    least_agreement : float
        See `LEAST_AGREEMENT`.
    """

    method: str = STAPLE
    methods: Mapping[int, str] = field(default_factory=dict)
    least_agreement: float = LEAST_AGREEMENT

    def of(self, label: int) -> str:
        """Return the method of a structure."""
        return self.methods.get(label, self.method)


@dataclass(frozen=True)
class Combined:
    """Arrays on the scan's grid.

    Attributes
    ----------
    labels : ndarray of uint8, shape (i, j, k)
        Fused subregion map, body as `BODY_BORDER`.
    disagreement : ndarray of float32, shape (i, j, k)
        0: all sources that say anything allow the fused label; 1: none does.
    ignored : ndarray of bool, shape (i, j, k)
        Where the sources do not decide.
    """

    labels: np.ndarray
    disagreement: np.ndarray
    ignored: np.ndarray


def combine(
    statements: Sequence[Statements], weights: np.ndarray, like: Volume, ways: Ways
) -> Combined:
    """Combine what several sources state about the same voxels.

    With STAPLE, the borders of structures that are thick enough are averaged as well (`border_log_odds`).

    Parameters
    ----------
    statements : sequence of Statements
        Of all sources, on one grid.
    weights : ndarray, shape (sources, classes)
        Trust; see `Source.weights`.
    like : Volume
        On that grid; only its affine counts.
    ways : Ways
        Methods and thresholds.
    """
    patterns = patterns_of(statements)
    odds = _log_odds(patterns, weights, ways)
    best = odds.max(1)
    tied = odds >= best[:, None] - EQUAL
    tied[best <= EQUAL] = np.arange(len(CLASSES)) == 0
    several = (tied.sum(1) > 1)[patterns.where]
    place = _winners(statements, patterns, odds, weights, like, ways)
    place = np.where(several, tied.argmax(1)[patterns.where], place)
    labels = np.array(CLASSES, np.uint8)[place]
    far = _resolve(labels, several, tied, patterns.where, like)
    place = np.searchsorted(CLASSES, labels)
    agreement = _agreement(patterns, weights)[patterns.where, place]
    undecided = (agreement < ways.least_agreement - EQUAL) | far
    return Combined(labels, (1 - agreement).astype(np.float32), undecided)


def _log_odds(patterns: Patterns, weights: np.ndarray, ways: Ways) -> np.ndarray:
    """Return each structure's log-odds by its own method; (patterns, classes)."""
    names = sorted({ways.of(label) for label in CLASSES[1:]})
    results = {name: METHODS[name](patterns, weights) for name in names}
    columns = [results[ways.of(label)][:, at] for at, label in enumerate(CLASSES) if at]
    return np.stack([np.zeros(len(patterns.counts)), *columns], axis=1)


def _winners(
    statements: Sequence[Statements],
    patterns: Patterns,
    odds: np.ndarray,
    weights: np.ndarray,
    like: Volume,
    ways: Ways,
) -> np.ndarray:
    """Return each voxel's structure as an index of `CLASSES`; 0 where none is more likely than background."""
    best = np.full(like.data.shape, EQUAL, np.float32)
    winner = np.zeros(like.data.shape, np.uint8)
    for at, label in enumerate(CLASSES):
        inside = [np.array([s == {label} for s in one.sets])[one.places] for one in statements]
        named = np.any([one.allowed()[:, at][one.places] for one in statements], axis=0)
        found = tight_box(named) if at else None
        if found is None:
            continue
        margin = tuple(int(np.ceil(FAR_MM / mm)) for mm in like.spacing_mm)
        box = grow_box(found, margin, like.data.shape)
        mine = odds[:, at].astype(np.float32)[patterns.where[box]]
        if ways.of(label) == STAPLE and len(statements) > 1:
            said = [one[box] for one in inside]
            decided = _decided(patterns, at)
            known = [decided[:, source][patterns.where[box]] for source in range(len(said))]
            alone = (decided | ~patterns.informative).all(1)[patterns.where[box]]
            borders = border_log_odds(said, known, weights[:, at], like.spacing_mm)
            mine = mine + np.where(alone, borders, 0)
            mine[~patterns.possible[:, at][patterns.where[box]]] = -np.inf
        ahead = mine > best[box]
        best[box][ahead] = mine[ahead]
        winner[box][ahead] = at
    return winner


def _decided(patterns: Patterns, at: int) -> np.ndarray:
    """Return whether a source decides if a voxel belongs to one structure; (patterns, sources)."""
    mine = patterns.allowed[:, :, at]
    return np.where(mine, patterns.allowed.sum(2) == 1, patterns.informative)


def _agreement(patterns: Patterns, weights: np.ndarray) -> np.ndarray:
    """Return the share of trust that allows each class; (patterns, classes). Background: of equal sources."""
    weights = weights.copy()
    weights[:, 0] = 1.0
    said = patterns.informative[:, :, None] * weights
    total, mine = said.sum(1), (said * patterns.allowed).sum(1)
    return np.divide(mine, total, out=np.ones_like(mine), where=total > 0)


def _resolve(
    labels: np.ndarray, several: np.ndarray, tied: np.ndarray, where: np.ndarray, like: Volume
) -> np.ndarray:
    """Give voxels of tied structures the nearest of these (in place); return which of them are too far from any."""
    far = np.zeros(labels.shape, bool)
    settled = np.where(several, 0, labels)
    for members in np.unique(tied[tied.sum(1) > 1], axis=0):
        mine = several & (tied == members).all(1)[where]
        if not mine.any():
            continue
        names = np.array(CLASSES, np.uint8)[members]
        seeds = np.where(np.isin(settled, names), settled, 0)
        near = fill_from_nearest(seeds, mine, like.affine, FILL_MM)
        far |= mine & (near == 0)
        filled = fill_from_nearest(near, mine, like.affine, np.inf)
        labels[mine] = filled[mine]
        labels[mine & (filled == 0)] = next((name for name in LEADING if name in names), 0)
    return far
