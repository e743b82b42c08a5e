"""Voxels with the same statements of all sources are decided alike, so each combination is decided once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wirbel.core.fusion.statements import Statements


@dataclass(frozen=True)
class Patterns:
    """The combinations of statements that occur.

    Attributes
    ----------
    places : ndarray of int, shape (patterns, sources)
        Which of its sets each source states.
    counts : ndarray of int, shape (patterns,)
        Voxels of each combination.
    where : ndarray of int, shape (i, j, k)
        Combination of each voxel.
    allowed : ndarray of bool, shape (patterns, sources, classes)
        Which classes each source allows.
    """

    places: np.ndarray
    counts: np.ndarray
    where: np.ndarray
    allowed: np.ndarray

    @property
    def informative(self) -> np.ndarray:
        """Whether a source says anything: bool, shape (patterns, sources)."""
        return np.logical_not(self.allowed.all(2))

    @property
    def possible(self) -> np.ndarray:
        """Which classes may be true: bool, shape (patterns, classes).

        A class is not if some other class is allowed by all sources that allow it, and by more: where one source says
        arch and the other any part of a vertebra, the voxel is no body.
        """
        said = self.allowed & self.informative[:, :, None]
        less = (said[:, :, :, None] <= said[:, :, None, :]).all(1)
        return ~(less & ~less.transpose(0, 2, 1)).any(2)

    @property
    def plain(self) -> np.ndarray:
        """Whether no source names a structure: bool, shape (patterns,)."""
        return np.asarray(self.allowed[:, :, 0].all(1))


def patterns_of(statements: Sequence[Statements]) -> Patterns:
    """Return the combinations of what the sources state."""
    codes = np.zeros(statements[0].places.shape, np.int64)
    for one in statements:
        codes = codes * len(one.sets) + one.places
    found, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
    places = np.empty((len(found), len(statements)), np.int64)
    for at in range(len(statements) - 1, -1, -1):
        found, places[:, at] = np.divmod(found, len(statements[at].sets))
    allowed = np.stack([one.allowed()[places[:, at]] for at, one in enumerate(statements)], axis=1)
    return Patterns(places, counts, where.reshape(codes.shape), allowed)
