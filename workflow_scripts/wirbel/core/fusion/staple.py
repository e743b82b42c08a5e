"""STAPLE with statements in place of labels: how reliable each source is in each structure, and what follows.

The expectation-maximisation of Warfield et al., IEEE Trans Med Imaging 2004;23:903, for several structures: each source
has a probability for each of its statements, given the true structure. SimpleITK's filters expect every source to
label all structures by the same numbers in all voxels; here a statement may be a union, and a source may say nothing.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.fusion.patterns import Patterns

ITERATIONS = 60
TOLERANCE = 1e-5
"""Largest change of a probability at which the estimate counts as settled."""
PRIOR_VOXELS = 50.0
"""Weight of the trust against what the voxels tell, per structure and source."""
ERROR_AT_TRUST_ONE = 0.1
"""Share of a structure that a source with trust 1 is expected to label otherwise; trust 2 halves it."""
LEAST = 1e-6
BACKGROUND_SHARE = 1.0
"""Background that no source disputes counts as much as all structures together: more would make every source look
reliable, and none would make structures grow (Asman and Landman, IEEE Trans Med Imaging 2011;30:1779)."""


def staple(patterns: Patterns, weights: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """Return the probability of every structure, given the statements.

    Parameters
    ----------
    patterns : Patterns
        What the sources state.
    weights : ndarray, shape (sources, classes)
        Trust.
    margins : ndarray, shape (patterns, classes)
        A first guess, from `by_vote`.

    Returns
    -------
    ndarray, shape (patterns, classes)
        Each row sums to 1.
    """
    counts = patterns.counts.astype(float)
    named, plain = counts[~patterns.plain].sum(), counts[patterns.plain].sum()
    counts[patterns.plain] *= min(1.0, BACKGROUND_SHARE * named / max(plain, 1.0))
    posterior = _guess(margins)
    expected = [_expected(patterns, weights, source) for source in range(weights.shape[0])]
    for _ in range(ITERATIONS):
        weighted = posterior * counts[:, None]
        prior = weighted.sum(0) + LEAST
        tables = [
            _table(patterns, weighted, prior, source, expected[source])
            for source in range(weights.shape[0])
        ]
        before, posterior = posterior, _posterior(patterns, prior / prior.sum(), tables)
        if np.abs(posterior - before).max() < TOLERANCE:
            break
    return posterior


def _guess(margins: np.ndarray) -> np.ndarray:
    """Return 1 for the structures ahead (shared among equal ones), or for background."""
    ahead = margins.copy()
    ahead[:, 0] = 0
    best = ahead >= ahead.max(1, keepdims=True) - 1e-9
    best[best[:, 0], 1:] = False
    return best / best.sum(1, keepdims=True)


def _expected(patterns: Patterns, weights: np.ndarray, source: int) -> np.ndarray:
    """Return the statements' probabilities that the trust suggests, shape (sets, classes)."""
    allowed, shares = _statements(patterns, source)
    trust = np.where(weights[source] > 0, weights[source], 1.0)
    error = np.clip(ERROR_AT_TRUST_ONE / trust, 0.001, 0.5)
    table = np.zeros(allowed.shape)
    for mine, share in ((allowed, 1 - error), (~allowed, error)):
        spread = mine * shares[:, None]
        table += share * np.divide(
            spread, spread.sum(0), out=np.zeros_like(spread), where=spread.sum(0) > 0
        )
    return np.maximum(table, LEAST)


def _statements(patterns: Patterns, source: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what each of a source's sets allows, and how often it occurs."""
    places = patterns.places[:, source]
    size = int(places.max()) + 1
    allowed = np.ones((size, patterns.allowed.shape[2]), bool)
    allowed[places] = patterns.allowed[:, source]
    often = np.bincount(places, patterns.counts * ~patterns.plain, size) + 1.0
    return allowed, often / often.sum()


def _table(
    patterns: Patterns, weighted: np.ndarray, prior: np.ndarray, source: int, expected: np.ndarray
) -> np.ndarray:
    """Return the probability of a source's statements given each structure."""
    seen = np.zeros_like(expected)
    np.add.at(seen, patterns.places[:, source], weighted)
    return (seen + PRIOR_VOXELS * expected) / (prior + PRIOR_VOXELS)


def _posterior(patterns: Patterns, prior: np.ndarray, tables: list[np.ndarray]) -> np.ndarray:
    said = patterns.informative
    logs = np.tile(np.log(np.maximum(prior, LEAST)), (len(patterns.counts), 1))
    for source, table in enumerate(tables):
        stated = np.log(np.maximum(table, LEAST))[patterns.places[:, source]]
        logs += np.where(said[:, source, None], stated, 0.0)
    logs[~patterns.possible] = -np.inf
    shifted = np.exp(logs - logs.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)
