"""Three ways to combine statements: the most trusted source that decides, a weighted vote, or STAPLE.

Each returns, for every combination of statements and every structure, how far the structure is ahead of background, as
log-odds. The structure that is ahead most wins; if none is, the voxel is background.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wirbel.core.fusion.patterns import Patterns
from wirbel.core.fusion.staple import LEAST, staple

PRIORITY, VOTE, STAPLE = "priority", "vote", "staple"
MOST_SURE = 0.999
"""Keeps the log-odds of a unanimous vote finite."""


def by_priority(patterns: Patterns, weights: np.ndarray) -> np.ndarray:
    """Follow the most trusted source that decides; with equal trust, the one listed first.

    Parameters
    ----------
    patterns : Patterns
        What the sources state.
    weights : ndarray, shape (sources, classes)
        Trust.

    Returns
    -------
    ndarray, shape (patterns, classes)
        Log-odds of each structure against background; 0 for background.
    """
    against = _for_and_against(patterns)
    margins = np.zeros((len(patterns.counts), weights.shape[1]))
    for place in range(1, weights.shape[1]):
        order = np.argsort(-weights[:, place], kind="stable")
        said = against[:, order, place]
        first = (said != 0).argmax(1)
        margins[:, place] = np.take_along_axis(said, first[:, None], 1)[:, 0]
    return _log_odds(margins)


def by_vote(patterns: Patterns, weights: np.ndarray) -> np.ndarray:
    """Weigh the sources for each structure by their trust in it; see `by_priority`.

    A union of structures counts for each of them, so other sources decide which. What may be a structure or background
    counts for neither.
    """
    against = _for_and_against(patterns)
    total = (patterns.informative[:, :, None] * weights).sum(1)
    votes = (against * weights).sum(1)
    return _log_odds(np.divide(votes, total, out=np.zeros_like(votes), where=total > 0))


def by_staple(patterns: Patterns, weights: np.ndarray) -> np.ndarray:
    """Weigh the sources by how reliable they are found to be; see `by_priority` and `staple`."""
    posterior = staple(patterns, weights, by_vote(patterns, weights))
    logs = np.log(np.maximum(posterior, LEAST))
    return logs - logs[:, :1]


METHODS: dict[str, Callable[[Patterns, np.ndarray], np.ndarray]] = {
    PRIORITY: by_priority,
    VOTE: by_vote,
    STAPLE: by_staple,
}


def _for_and_against(patterns: Patterns) -> np.ndarray:
    """Return 1 where a source allows a structure and not background, -1 the other way round, otherwise 0."""
    allowed = patterns.allowed.astype(np.int8)
    return allowed - allowed[:, :, :1]


def _log_odds(margins: np.ndarray) -> np.ndarray:
    return 2 * np.arctanh(np.clip(margins, -MOST_SURE, MOST_SURE))
