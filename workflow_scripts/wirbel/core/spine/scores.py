"""How well a reading of the pieces fits: log likelihoods of what lies between bodies, above and below them."""

from __future__ import annotations

import numpy as np

from wirbel.core.spine.body_scores import BodyScores, Group
from wirbel.core.spine.likelihoods import log_ratio, robust
from wirbel.core.spine.sightings import Sightings
from wirbel.core.spine.states import (
    DISC_MM,
    HEIGHT_MM,
    SACRAL,
    STATES,
    Steps,
    present,
    steps,
)
from wirbel.core.spine.weights import (
    CONUS_MARGIN_MM,
    CONUS_NUMBER,
    CONUS_SPREAD,
    HAS_DENS,
    LEVEL_NUMBER,
    LIPS_MM,
    LOG_CUT_AXIS,
    LOG_DISC_TOO_MANY,
    LOG_FURTHER,
    LOG_MISSING,
    LOG_NO_DISC,
    LOG_STEEP_PER_DEG,
    LOG_UNSEEN,
    MOST_MISSING,
    SACRUM_MM,
    SACRUM_SPREAD_MM,
    SACRUM_UNSEEN,
    SACRUM_UNSEEN_PER_ML,
    SACRUM_WITHOUT_S1_MM,
    SCALES,
    SET_ASIDE,
    SET_ASIDE_WHOLE,
    STEEP_DEG,
    TEMPER,
)


class Scores:
    """The log likelihoods of one scan; arrays over (state, scale) or (step, scale)."""

    def __init__(self, seen: Sightings) -> None:
        self.seen = seen
        self._bodies = BodyScores(seen)
        self.body, self.height_mm = self._bodies.body, self._bodies.height_mm
        self.steps: Steps = steps(MOST_MISSING, LOG_MISSING, LOG_FURTHER)
        self._expected_mm = self.steps.space_mm[:, None] * SCALES
        self._centres: dict[Group, np.ndarray] = {}

    def left_out(self, first: int, last: int) -> float:
        """Return what it costs that pieces `first` ... `last` - 1 are no bodies."""
        share = self.seen.volume_share[first:last]
        return float((SET_ASIDE + (SET_ASIDE_WHOLE - SET_ASIDE) * share).sum())

    def between(self, upper: Group, lower: Group) -> np.ndarray:
        """Return the log likelihood (steps, scales) of what lies between two bodies that follow each other."""
        seen = self.seen
        space = (
            seen.top_mm[lower.first : lower.last + 1].min()
            - seen.bottom_mm[upper.first : upper.last + 1].max()
        )
        middles = self._middle(upper), self._middle(lower)
        discs = self._bodies.discs_between(*middles)
        score = self._space(space) + self._discs(discs)[:, None]
        score = score + self._turn(upper, lower)
        return score + self._conus_between(middles)[:, None]

    def to_sacrum(self, last: Group) -> np.ndarray:
        """Return the log likelihood (steps, scales) of what lies between the last body and the sacrum."""
        space = float(self.seen.to_sacrum_mm[last.first : last.last + 1].min()) + LIPS_MM
        score = self._space(space) + self._conus_below(last)[self.steps.upper][:, None]
        second = self.steps.lower > SACRAL.argmax()
        score = score + (second * self._without_first_segment())[:, None]
        upper, lower = self.steps.upper, self.steps.lower
        first = np.where(SACRAL[upper], upper + 1, SACRAL.argmax())
        missed_above = np.where(SACRAL[upper], self.steps.missing == 0, True)
        return np.where(((lower == first) & missed_above)[:, None], score, -np.inf)

    def _without_first_segment(self) -> float:
        """Return how much better the sacrum's length suits one without its first segment; short ones may be cut."""
        length = self.seen.sacrum_length_mm
        ratio = log_ratio(length, SACRUM_WITHOUT_S1_MM, SACRUM_MM, SACRUM_SPREAD_MM) / 3
        return min(ratio, 0.0) if self.seen.sacrum_cut else ratio

    def ends(self, last: Group) -> np.ndarray:
        """Return the log likelihood (states,) that nothing below the last body belongs to the spine."""
        unseen = false_sacrum_cost(self.seen.sacrum_mm3)
        pitch = HEIGHT_MM + DISC_MM
        room = self.seen.room_mm[last.last, 1]
        score = unseen + LOG_UNSEEN * np.clip(np.floor(room / pitch), 0, 3)
        return score + self._conus_below(last)

    def begins(self, first: Group) -> np.ndarray:
        """Return the log likelihood (states,) that nothing above the first body is a vertebra; C2 has none above."""
        room = self.seen.room_mm[first.first, 0]
        above = np.clip(np.floor(room / (HEIGHT_MM + DISC_MM)), 0, 3)
        above = np.minimum(above, np.arange(len(STATES)))
        prior = np.where(SACRAL, -2.0, 0.0) + np.log(present() / len(STATES))
        cut = HAS_DENS * LOG_CUT_AXIS * bool(self.seen.open_top[first.first])
        return prior + cut + LOG_UNSEEN * above + self._conus_above(first)

    def _centre(self, group: Group) -> np.ndarray:
        if group not in self._centres:
            own = slice(group.first, group.last + 1)
            weights = self.seen.volume_mm3[own]
            self._centres[group] = np.average(self.seen.centre_mm[own], axis=0, weights=weights)
        return self._centres[group]

    def _middle(self, group: Group) -> float:
        own = slice(group.first, group.last + 1)
        return float((self.seen.top_mm[own].min() + self.seen.bottom_mm[own].max()) / 2)

    def _space(self, space_mm: float) -> np.ndarray:
        z = (space_mm - self._expected_mm) / (3.0 + 0.12 * self._expected_mm)
        return robust(z, 1.5, 1.5) + self.steps.log_prior[:, None]

    def _discs(self, found: int) -> np.ndarray:
        """Return the log likelihood (steps,) of as many discs between; a missed vertebra's discs may be missed too."""
        missing = self.steps.missing
        surplus = np.maximum(found - (missing + 1), 0)
        none = (missing == 0) & (found == 0)
        return LOG_DISC_TOO_MANY * surplus + LOG_NO_DISC * none

    def _turn(self, upper: Group, lower: Group) -> float:
        way = self._centre(lower) - self._centre(upper)
        axis = self.seen.down[upper.last]
        cosine = way @ axis / max(np.linalg.norm(way) * np.linalg.norm(axis), 1e-9)
        return LOG_STEEP_PER_DEG * max(
            0.0, np.degrees(np.arccos(np.clip(cosine, -1, 1))) - STEEP_DEG
        )

    def _conus_between(self, middles: tuple[float, float]) -> np.ndarray:
        """Return the log likelihood (steps,) of the cord's end where it lies between two bodies' middles."""
        cord = self.seen.cord
        if cord is None or not middles[0] <= cord[0] < middles[1]:
            return np.zeros(len(self.steps.upper))
        share = (cord[0] - middles[0]) / max(middles[1] - middles[0], 1e-6)
        upper, lower = LEVEL_NUMBER[self.steps.upper], LEVEL_NUMBER[self.steps.lower]
        return _conus(upper + share * (lower - upper), cord)

    def _conus_below(self, last: Group) -> np.ndarray:
        """Return the log likelihood (states,) of a cord that reaches beyond the last body."""
        cord, middle = self.seen.cord, self._middle(last)
        if cord is None or cord[0] < middle:
            return np.zeros(len(STATES))
        reach = (min(cord[0], cord[2]) - middle) / (HEIGHT_MM + DISC_MM)
        return _conus(LEVEL_NUMBER + np.clip(reach, 0, 2), cord)

    def _conus_above(self, first: Group) -> np.ndarray:
        """Return the log likelihood (states,) of a canal whose cord, if any, ends above the first body."""
        cord, middle = self.seen.cord, self._middle(first)
        if cord is None or cord[0] >= middle:
            return np.zeros(len(STATES))
        lack = np.maximum(CONUS_NUMBER - (LEVEL_NUMBER - 0.5), 0)
        return TEMPER * robust(lack / CONUS_SPREAD, 2.5, 2.5)


def false_sacrum_cost(volume_mm3: float) -> float:
    """Return the log likelihood that as much is called sacrum and is none."""
    return max(SACRUM_UNSEEN_PER_ML * volume_mm3 / 1000, SACRUM_UNSEEN)


def _conus(at: np.ndarray, cord: tuple[float, float, float]) -> np.ndarray:
    """Return the log likelihood that the cord ends at places along the spine; only too low, where the image ends
    there."""
    z = (at - CONUS_NUMBER) / CONUS_SPREAD
    if cord[2] - cord[0] < CONUS_MARGIN_MM:
        z = np.maximum(z, 0)
    return TEMPER * robust(z, 2.5, 2.5)
