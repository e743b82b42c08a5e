"""How well a reading of the pieces fits: log likelihoods of bodies at a level and scale, and of what lies between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.spine.likelihoods import log_ratio, robust
from wirbel.core.spine.sightings import Sightings
from wirbel.core.spine.states import (
    DEPTH_MM,
    DISC_MM,
    HEIGHT_MM,
    SACRAL,
    STATES,
    WIDTH_MM,
    Steps,
    next_states,
    present,
    steps,
)
from wirbel.core.spine.weights import (
    BAND_MM,
    BEHIND_CANAL,
    BEND_DEG,
    BEND_SACRAL_DEG,
    BEND_SPREAD_DEG,
    CONUS_MARGIN_MM,
    CONUS_NUMBER,
    CONUS_SPREAD,
    CORD_MM2,
    CORD_SPREAD,
    COSTAL_MM,
    COSTAL_REACH_MM,
    COSTAL_REACH_SPREAD,
    COSTAL_SPREAD_MM,
    DENS_TAPER,
    DISC_RATIO,
    DISC_RATIO_SACRAL,
    DISC_RATIO_SPREAD,
    HAS_DENS,
    LEVEL_NUMBER,
    LIPS_MM,
    LOG_ARCH,
    LOG_BEHIND_CANAL,
    LOG_CALLED_BODY,
    LOG_CUT_AXIS,
    LOG_DISC_INSIDE,
    LOG_DISC_TOO_MANY,
    LOG_FURTHER,
    LOG_GAP_PER_MM,
    LOG_MISSING,
    LOG_NO_CANAL,
    LOG_NO_DENS,
    LOG_NO_DISC,
    LOG_NO_DISC_BELOW,
    LOG_PIECE,
    LOG_STEEP_PER_DEG,
    LOG_UNSEEN,
    LOG_WITHIN_SACRUM,
    LONG_KNEE,
    MEAN_SCALE,
    MOST_EVIDENCE,
    MOST_GAP_MM,
    MOST_MISSING,
    SACRUM_MM,
    SACRUM_SPREAD_MM,
    SACRUM_UNSEEN,
    SACRUM_UNSEEN_PER_ML,
    SACRUM_WITHOUT_S1_MM,
    SCALES,
    SET_ASIDE,
    SET_ASIDE_WHOLE,
    SHARED_GROWTH,
    SPREAD_ACROSS,
    SPREAD_HEIGHT,
    STEEP_DEG,
    TEMPER,
    USUAL_KNEE,
    WITHIN_SACRUM,
)


@dataclass(frozen=True)
class Group:
    """Neighbouring pieces `first` ... `last` that are one body, or `count` = 2 bodies that nothing parts."""

    first: int
    last: int
    count: int = 1


class Scores:
    """The log likelihoods of one scan; arrays over (state, scale) or (step, scale)."""

    def __init__(self, seen: Sightings) -> None:
        self.seen = seen
        self.steps: Steps = steps(MOST_MISSING, LOG_MISSING, LOG_FURTHER)
        self._expected_mm = self.steps.space_mm[:, None] * SCALES
        self._centres: dict[Group, np.ndarray] = {}

    def body(self, group: Group) -> np.ndarray:
        """Return the log likelihood (states, scales) that a group is a body of each level."""
        sizes = self._sizes(group)
        best = sizes[1:].max()
        sizes[1:] = best + TEMPER * (sizes[1:] - best)  # C2 with its dens is like no other body
        behind = self._behind(slice(group.first, group.last + 1))
        return sizes + behind + self._place(group)[:, None] + self._union(group)

    def _sizes(self, group: Group) -> np.ndarray:
        seen, own = self.seen, slice(group.first, group.last + 1)
        open_end = bool(seen.open_top[own][0] or seen.open_bottom[own][-1])
        height = HEIGHT_MM
        if group.count == 2:
            height = HEIGHT_MM + DISC_MM + next_states() @ HEIGHT_MM
        z = (
            np.log(self.height_mm(group)) - np.log(height)[:, None] - np.log(SCALES)
        ) / SPREAD_HEIGHT
        score = robust(z, high=np.where(HAS_DENS, LONG_KNEE, USUAL_KNEE)[:, None])
        score = np.where(z > 0, score, 0.0) if open_end else score
        across = _across(_reach_mm(seen.behind_mm[own]), DEPTH_MM)
        if seen.width_known[own].all():
            across = across + _across(_reach_mm(seen.beside_mm[own]), WIDTH_MM)
        return score + across

    def height_mm(self, group: Group) -> float:
        """Return the height of a group's central column; of several pieces, from the first to the last."""
        seen = self.seen
        if group.first == group.last:
            return float(seen.height_mm[group.first])
        own = slice(group.first, group.last + 1)
        return max(float(seen.bottom_mm[own].max() - seen.top_mm[own].min()), 1.0)

    def _place(self, group: Group) -> np.ndarray:
        """Return the log likelihood (states,) of where a body lies and what lies beside it."""
        seen, own = self.seen, slice(group.first, group.last + 1)
        arch = bool(seen.arch[own].any())
        score = np.where(SACRAL, LOG_ARCH[True, arch] + LOG_CALLED_BODY, LOG_ARCH[False, arch])
        canal = seen.canal[own].max()
        score = score + (LOG_NO_CANAL if canal < 0.2 else 0.0)
        score = score + SACRAL * self._sacral(group)
        behind = seen.behind_canal[own].max() > BEHIND_CANAL
        score = score + np.where(SACRAL, 0.0, LOG_BEHIND_CANAL * behind)
        blunt = not seen.open_top[group.first] and self._taper(group) > DENS_TAPER
        score = score + HAS_DENS * LOG_NO_DENS * blunt
        within = max(0.0, float(seen.in_sacrum[own].max()) - WITHIN_SACRUM)
        return score + LOG_WITHIN_SACRUM * within

    def _behind(self, own: slice) -> np.ndarray:
        """Return the log likelihood (states, scales) of the cord's cross-section, and of place and length of the costal
        processes, which grow with a person."""
        seen = self.seen
        cord = _typical(np.log(seen.cord_mm2[own]), np.log(CORD_MM2)[:, None], CORD_SPREAD)
        place = _typical(seen.costal_mm[own], COSTAL_MM[:, None], COSTAL_SPREAD_MM)
        usual = np.log(COSTAL_REACH_MM)[:, None] + SHARED_GROWTH * np.log(SCALES / MEAN_SCALE)
        cut = bool(seen.costal_cut[own].any())
        length = _typical(np.log(seen.costal_reach_mm[own]), usual, COSTAL_REACH_SPREAD, cut)
        return TEMPER * cord + place + length

    def _taper(self, group: Group) -> float:
        """Return the cross-section of a group's upper part over that of its lower part."""
        if group.first == group.last:
            return float(self.seen.taper[group.first])
        height = self.seen.bottom_mm - self.seen.top_mm
        area = self.seen.volume_mm3 / np.maximum(height, 1.0)
        return float(area[group.first] / area[group.last])

    def _sacral(self, group: Group) -> float:
        """Return how much better the disc below and the bend suit a segment of the sacrum than a lumbar body."""
        main = group.first + int(self.seen.volume_mm3[group.first : group.last + 1].argmax())
        ratio, bend = self.seen.disc_ratio[group.last], self.seen.bend_deg[main]
        if np.isnan(ratio):
            disc = LOG_NO_DISC_BELOW[True] - LOG_NO_DISC_BELOW[False]
        else:
            at = np.log(ratio)
            disc = log_ratio(at, DISC_RATIO_SACRAL, DISC_RATIO, DISC_RATIO_SPREAD)
        turn = (
            0.0 if np.isnan(bend) else log_ratio(bend, BEND_SACRAL_DEG, BEND_DEG, BEND_SPREAD_DEG)
        )
        return disc + 0.5 * turn

    def _union(self, group: Group) -> float:
        """Return what it costs that several pieces are one body."""
        seen = self.seen
        inside = self._discs_between(seen.middle_mm[group.first], seen.middle_mm[group.last])
        if group.count == 2:
            return 2 * LOG_NO_DISC if not inside else 0.0
        own = slice(group.first, group.last + 1)
        ends = np.maximum.accumulate(seen.bottom_mm[own])[:-1]
        gaps_mm = np.clip(seen.top_mm[own][1:] - ends - BAND_MM, 0.0, MOST_GAP_MM)
        pieces = LOG_PIECE * (group.last - group.first)
        return LOG_DISC_INSIDE * inside + LOG_GAP_PER_MM * gaps_mm.sum() + pieces

    def _discs_between(self, upper_mm: float, lower_mm: float) -> int:
        return int(((self.seen.disc_mm > upper_mm) & (self.seen.disc_mm < lower_mm)).sum())

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
        discs = self._discs_between(*middles)
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


def _typical(value: np.ndarray, usual: np.ndarray, spread: float, at_least: bool = False):
    """Return the log likelihood of pieces' mean value against the usual ones; 0 where none shows it.

    It is never worse than that of an accident. With `at_least` the value may be larger than what is seen of it.
    """
    if np.isnan(value).all():
        return np.zeros_like(usual)
    z = (np.nanmean(value) - usual) / spread
    z = np.maximum(z, 0) if at_least else z
    return np.maximum(robust(z, USUAL_KNEE), -2 * MOST_EVIDENCE)


def _across(found_mm: float, usual_mm: np.ndarray) -> np.ndarray:
    """Return the log likelihood (states, scales) of a depth or width; it grows with a person's heights, but less."""
    usual = np.log(usual_mm)[:, None] + SHARED_GROWTH * np.log(SCALES / MEAN_SCALE)
    return robust((np.log(found_mm) - usual) / SPREAD_ACROSS)


def false_sacrum_cost(volume_mm3: float) -> float:
    """Return the log likelihood that as much is called sacrum and is none."""
    return max(SACRUM_UNSEEN_PER_ML * volume_mm3 / 1000, SACRUM_UNSEEN)


def _reach_mm(ends_mm: np.ndarray) -> float:
    """Return how far pieces with ends (n, 2) reach together."""
    return float(ends_mm[:, 1].max() - ends_mm[:, 0].min())


def _conus(at: np.ndarray, cord: tuple[float, float, float]) -> np.ndarray:
    """Return the log likelihood that the cord ends at places along the spine; only too low, where the image ends
    there."""
    z = (at - CONUS_NUMBER) / CONUS_SPREAD
    if cord[2] - cord[0] < CONUS_MARGIN_MM:
        z = np.maximum(z, 0)
    return TEMPER * robust(z, 2.5, 2.5)
