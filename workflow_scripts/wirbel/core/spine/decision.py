"""One decision over all pieces: which are bodies, at which levels, and how sure that is.

A hidden Markov model (Rabiner, Proc IEEE 1989;77:257) down the spine: its hidden states are the levels, its
observations groups of pieces; pieces between groups are set aside. The best reading is found by dynamic
programming, its probability from the sums over all readings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wirbel.core.spine.body_scores import Group
from wirbel.core.spine.scores import Scores, false_sacrum_cost
from wirbel.core.spine.sightings import Sightings
from wirbel.core.spine.states import SACRAL, STATES, next_states
from wirbel.core.spine.weights import LOG_SCALES, SCALES, SURE_SACRUM_MM3

MOST_PIECES = 4
"""Pieces of one body, at most."""
MOST_COST = 30.0
"""Readings that set aside more than two whole bodies in a row are not looked at."""
NEVER_NAMED = np.array([name == "T13" for name in STATES])
"""Images without ribs cannot tell a thirteenth thoracic from a sixth lumbar vertebra: an extra one is called L6.
That it may be a T13 counts in the probabilities."""
LONGEST_BODY_MM = 65.0
"""C2 with its dens reaches 45 mm in tall men."""


@dataclass(frozen=True)
class Decision:
    """The best reading of the pieces.

    `groups` (g) bodies from the top down, those of the sacrum last; `states` (g) index into `STATES`; `missing`
    (g) levels
    not seen above each group, 0 for the first; `missing_below` the same above the sacrum; `set_aside` pieces
    in no group; `with_sacrum` whether what is called sacrum is one; `posterior` (g, states) probability of each
    state of each group over all readings; `worst_step` least log likelihood of what lies between two groups;
    `score` log likelihood of this reading and `evidence` of all of them together.
    """

    groups: tuple[Group, ...]
    states: tuple[int, ...]
    missing: tuple[int, ...]
    missing_below: int
    set_aside: tuple[int, ...]
    with_sacrum: bool
    posterior: np.ndarray
    worst_step: float
    score: float
    evidence: float

    @property
    def bodies(self) -> list[tuple[Group, int]]:
        """Groups above the sacrum with their states."""
        return [
            (group, state)
            for group, state in zip(self.groups, self.states, strict=True)
            if not SACRAL[state]
        ]


def decide(seen: Sightings, doubles: tuple[int, ...] = ()) -> Decision | None:
    """Return the best reading of the pieces; None where there are none.

    `doubles` are pieces that may hold two bodies, because nothing can part them any more. A small sacrum may be none,
    and then says nothing of what lies above and below it: the pieces are read without it as well.
    """
    if not len(seen):
        return None
    models = [_Model(seen, doubles)]
    if 0 < seen.sacrum_mm3 < SURE_SACRUM_MM3:
        models.append(_Model(seen.without_sacrum(), doubles, false_sacrum_cost(seen.sacrum_mm3)))
    found = [model.decision() for model in models]
    best = max(found, key=lambda decision: decision.score)
    total = np.logaddexp.reduce([decision.evidence for decision in found])
    return replace(best, posterior=best.posterior * np.exp(best.evidence - total))


@dataclass(frozen=True)
class _Step:
    node: int
    state: int
    missing: int
    score: float


class _Model:
    def __init__(self, seen: Sightings, doubles: tuple[int, ...], cost: float = 0.0) -> None:
        self.cost = cost
        self.scores, self.count = Scores(seen), len(seen)
        self.nodes = _groups(seen, doubles)
        self.body = [self.scores.body(group) for group in self.nodes]
        self.follows = np.log(np.maximum(next_states(), 1e-300))
        self.pairs = [self._before(b) for b in range(len(self.nodes))]
        self.starts = [self._start(b) for b in range(len(self.nodes))]
        self.ends = [self._end(b) for b in range(len(self.nodes))]

    def _before(self, b: int) -> tuple[list[int], np.ndarray]:
        """Return the nodes that may come before a node, and the scores (nodes, steps, scales) of these ways."""
        steps, lower = self.scores.steps, self.nodes[b]
        above, scores = [], [np.zeros((0, len(steps.lower), len(SCALES)))]
        for a, upper in enumerate(self.nodes):
            if upper.last >= lower.first:
                continue
            cost = self.scores.left_out(upper.last + 1, lower.first)
            if cost >= -MOST_COST:
                above.append(a)
                score = cost + self.scores.between(upper, lower) + self.body[b][steps.lower]
                scores.append(score[None])
        return above, np.concatenate(scores)

    def _start(self, node: int) -> np.ndarray:
        group = self.nodes[node]
        cost = self.scores.left_out(0, group.first)
        return cost + self.scores.begins(group)[:, None] + self.body[node] + LOG_SCALES

    def _end(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the log likelihoods (states, scales) of ending at a node, with the sacrum below it and without."""
        group, steps = self.nodes[node], self.scores.steps
        cost = self.scores.left_out(group.last + 1, self.count)
        without = cost + self.scores.ends(group)[:, None] + np.zeros_like(SCALES)
        if not self.scores.seen.sacrum_mm3:
            return np.full_like(without, -np.inf), without
        return cost + steps.by_upper(np.maximum, self.scores.to_sacrum(group)), without

    def _lowered(self, node: int, value: np.ndarray) -> np.ndarray:
        """Return values by the lowest level of a node: a group of two ends one level below its first."""
        if self.nodes[node].count == 1:
            return value
        return (value[:, None, :] + self.follows[:, :, None]).max(0)

    def _raised(self, node: int, value: np.ndarray) -> np.ndarray:
        if self.nodes[node].count == 1:
            return value
        return (value[None, :, :] + self.follows[:, :, None]).max(1)

    def _forward(self, reduce, never: np.ndarray | None = None) -> list[np.ndarray]:
        """Return the log likelihoods (states, scales) of all that leads to each node; none of states `never`."""
        steps = self.scores.steps
        out: list[np.ndarray] = []
        lowered: list[np.ndarray] = []
        for b, (above, scores) in enumerate(self.pairs):
            value = self.starts[b].copy()
            if above:
                ways = np.stack([lowered[a][steps.upper] for a in above]) + scores
                value = reduce(value, steps.by_lower(reduce, reduce.reduce(ways)))
            if never is not None:
                value[never] = -np.inf
            out.append(value)
            lowered.append(self._lowered(b, value))
        return out

    def _backward(self) -> list[np.ndarray]:
        """Return the log likelihoods (states, scales) of all that follows each node, by its own (upper) level."""
        steps = self.scores.steps
        lowest = [np.logaddexp(*ends) for ends in self.ends]
        done: list[np.ndarray] = [np.zeros(0)] * len(self.nodes)
        for b in reversed(range(len(self.nodes))):
            done[b] = self._raised(b, lowest[b])
            for a, score in zip(*self.pairs[b], strict=True):
                onwards = steps.by_upper(np.logaddexp, done[b][steps.lower] + score)
                lowest[a] = np.logaddexp(lowest[a], onwards)
        return done

    def decision(self) -> Decision:
        """Return the best reading and the probabilities of its levels."""
        best = self._forward(np.maximum, NEVER_NAMED)
        ends = self.ends
        totals = [np.maximum(*ends[n]) + self._lowered(n, best[n]) for n in range(len(self.nodes))]
        last = int(np.argmax([total.max() for total in totals]))
        state, scale = np.unravel_index(int(totals[last].argmax()), totals[last].shape)
        with_sacrum = bool(ends[last][0][state, scale] >= ends[last][1][state, scale])
        path = self._trace(best, last, int(state), int(scale))
        groups = tuple(self.nodes[step.node] for step in path)
        inside = {i for g in groups for i in range(g.first, g.last + 1)}
        by_piece, evidence = self._posterior()
        return Decision(
            groups,
            tuple(step.state for step in path),
            tuple(step.missing for step in path),
            self._missing_below(groups[-1], int(state), int(scale)) if with_sacrum else 0,
            tuple(i for i in range(self.count) if i not in inside),
            with_sacrum,
            np.array([by_piece[g.first : g.last + 1].max(0) for g in groups]),
            min(step.score for step in path),
            float(totals[last].max()) + self.cost,
            evidence + self.cost,
        )

    def _posterior(self) -> tuple[np.ndarray, float]:
        """Return the probability (pieces, states) that each piece is of a body of that level, and the evidence."""
        forward, backward = self._forward(np.logaddexp), self._backward()
        every = [
            forward[n] + self._raised(n, np.logaddexp(*self.ends[n]))
            for n in range(len(self.nodes))
        ]
        total = np.logaddexp.reduce([np.logaddexp.reduce(value, axis=None) for value in every])
        out = np.zeros((self.count, len(STATES)))
        for n, group in enumerate(self.nodes):
            share = np.exp(np.logaddexp.reduce(forward[n] + backward[n], axis=1) - total)
            out[group.first : group.last + 1] += share
        return out, float(total)

    def _missing_below(self, last: Group, state: int, scale: int) -> int:
        steps = self.scores.steps
        score = np.where(steps.upper == state, self.scores.to_sacrum(last)[:, scale], -np.inf)
        return int(steps.missing[score.argmax()])

    def _trace(self, best, node: int, lowest: int, scale: int) -> list[_Step]:
        """Return the best reading's nodes with their own (upper) levels, from the top down."""
        steps, path = self.scores.steps, []
        while True:
            state = self._upper_of(best, node, lowest, scale)
            value, before, step = self.starts[node][state, scale], None, _Step(node, state, 0, 0.0)
            here = np.flatnonzero(steps.lower == state)
            for a, score in zip(*self.pairs[node], strict=True):
                gain = self._lowered(a, best[a])[steps.upper[here], scale] + score[here, scale]
                if gain.max(initial=-np.inf) > value:
                    value, at = gain.max(), here[gain.argmax()]
                    before = (a, int(steps.upper[at]))
                    own = score[at, scale] - self.body[node][state, scale]
                    step = _Step(node, state, int(steps.missing[at]), float(own))
            path.append(step)
            if before is None:
                return path[::-1]
            node, lowest = before

    def _upper_of(self, best, node: int, lowest: int, scale: int) -> int:
        if self.nodes[node].count == 1:
            return lowest
        return int((best[node][:, scale] + self.follows[:, lowest]).argmax())


def _groups(seen: Sightings, doubles: tuple[int, ...]) -> list[Group]:
    """Return all groups of neighbouring pieces that may be one body, by their last piece."""
    found = []
    for last in range(len(seen)):
        for first in range(last, max(-1, last - MOST_PIECES), -1):
            own = slice(first, last + 1)
            if (
                first == last
                or seen.bottom_mm[own].max() - seen.top_mm[own].min() <= LONGEST_BODY_MM
            ):
                found.append(Group(first, last))
        if last in doubles:
            found.append(Group(last, last, 2))
    return found
