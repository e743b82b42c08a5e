"""The levels that a vertebral body can have, how large it is there, and which level follows which.

Everything is an array over `STATES`, from the top of the spine down: C2 ... C7, T1 ... T13, L1 ... L6, and the upper
three segments of the sacrum, which networks at times call bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from wirbel.core.labels import LEVEL_LABELS, SACRUM
from wirbel.core.levels.level_means import MEANS

SEGMENTS = ("S1", "S2", "S3")
STATES: tuple[str, ...] = (
    *(f"C{n}" for n in range(2, 8)),
    *(f"T{n}" for n in range(1, 14)),
    *(f"L{n}" for n in range(1, 7)),
    *SEGMENTS,
)
LABELS = np.array([SACRUM if name in SEGMENTS else LEVEL_LABELS[name] for name in STATES])
"""Vertebra label of every state."""
SACRAL = np.array([name in SEGMENTS for name in STATES])

DEPTH_MM, WIDTH_MM, HEIGHT_MM, DISC_MM = np.array([MEANS[name] for name in STATES]).T
"""Of the body, and height of the disc below it; means of adults."""

VARIANTS = {
    ("T11", "L1"): 0.015,
    ("T12", "T13"): 0.015,
    ("L4", "S1"): 0.04,
    ("L5", "L6"): 0.045,
}
"""How often a level is followed by another than the usual one: eleven or thirteen thoracic vertebrae in 1 to 2 %, four
or six lumbar ones in about 4 % each (Konin and Walz, AJNR 2010;31:1778; Thawait et al., Radiol Clin North Am
2012;50:587)."""
_USUAL = {"T12": "L1", "L5": "S1"}


def next_states() -> np.ndarray:
    """Return the probability (n, n) that state j is the next below state i in a person."""
    out = np.zeros((len(STATES), len(STATES)))
    for i, name in enumerate(STATES[:-1]):
        out[i, STATES.index(_USUAL.get(name, STATES[i + 1]))] = 1.0
    for (upper, lower), share in VARIANTS.items():
        i = STATES.index(upper)
        out[i] *= 1 - share
        out[i, STATES.index(lower)] = share
    return out


def present() -> np.ndarray:
    """Return the probability (n,) that a person has each level."""
    follows, out = next_states(), np.zeros(len(STATES))
    out[0] = 1.0
    for i in range(1, len(STATES)):
        out[i] = out[:i] @ follows[:i, i]
    return out


@dataclass(frozen=True)
class Steps:
    """What lies between a body at level i and the next body that is seen, at level j; `missing` levels between.

    All (k,): `upper` and `lower` states, `missing` count, `log_prior`, `space_mm` from the upper body's lower to the
    lower body's upper surface in an average adult.
    """

    upper: np.ndarray
    lower: np.ndarray
    missing: np.ndarray
    log_prior: np.ndarray
    space_mm: np.ndarray

    def by_lower(self, reduce: np.ufunc, values: np.ndarray) -> np.ndarray:
        """Return values (k, m) reduced over all steps to each state (n, m); minus infinity where there is none."""
        return _reduced(reduce, values, *self._lowers)

    def by_upper(self, reduce: np.ufunc, values: np.ndarray) -> np.ndarray:
        """Return values (k, m) reduced over all steps from each state (n, m)."""
        return _reduced(reduce, values, *self._uppers)

    @cached_property
    def _lowers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _sorting(self.lower)

    @cached_property
    def _uppers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _sorting(self.upper)


def _sorting(states: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the order that sorts states, those that occur, and where each begins."""
    order = np.argsort(states, kind="stable")
    return order, *np.unique(states[order], return_index=True)


def _reduced(reduce: np.ufunc, values, order, found, starts) -> np.ndarray:
    # `reduceat` over sorted values takes a tenth of the time of `ufunc.at`.
    out = np.full((len(STATES), values.shape[1]), -np.inf)
    out[found] = reduce.reduceat(values[order], starts, axis=0)
    return out


@cache
def steps(most_missing: int, log_missing: float, log_further: float) -> Steps:
    """Return all steps with up to `most_missing` levels between.

    A first missing level costs `log_missing`, every further one `log_further`.
    """
    follows = next_states()
    rows = [(i, i, 0, 0.0, DISC_MM[i]) for i in range(len(STATES))]
    found = []
    for missing in range(most_missing + 1):
        ahead = [
            (start, int(j), missing, log + np.log(follows[at, j]), space)
            for start, at, _, log, space in rows
            for j in np.flatnonzero(follows[at])
        ]
        found += ahead
        cost = log_missing if missing == 0 else log_further
        rows = [
            (start, at, missing + 1, log + cost, space + HEIGHT_MM[at] + DISC_MM[at])
            for start, at, _, log, space in ahead
        ]
    # Two ways between the same levels differ in what is missing between; the likelier one stands for both.
    best: dict[tuple[int, int, int], tuple] = {}
    for row in found:
        key = row[:3]
        if key not in best or row[3] > best[key][3]:
            best[key] = row
    return Steps(*(np.array(column) for column in zip(*best.values(), strict=True)))
