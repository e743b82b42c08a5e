"""How well a piece, or several together, fit a body of each level, by size, place and surroundings."""

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
    WIDTH_MM,
    next_states,
)
from wirbel.core.spine.weights import (
    BAND_MM,
    BEHIND_CANAL,
    BEND_DEG,
    BEND_SACRAL_DEG,
    BEND_SPREAD_DEG,
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
    LOG_ARCH,
    LOG_BEHIND_CANAL,
    LOG_CALLED_BODY,
    LOG_DISC_INSIDE,
    LOG_GAP_PER_MM,
    LOG_NO_CANAL,
    LOG_NO_DENS,
    LOG_NO_DISC,
    LOG_NO_DISC_BELOW,
    LOG_PIECE,
    LOG_WITHIN_SACRUM,
    LONG_KNEE,
    MEAN_SCALE,
    MOST_EVIDENCE,
    MOST_GAP_MM,
    SCALES,
    SHARED_GROWTH,
    SPREAD_ACROSS,
    SPREAD_HEIGHT,
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


class BodyScores:
    """The log likelihoods that groups of one scan's pieces are bodies; arrays over (state, scale)."""

    def __init__(self, seen: Sightings) -> None:
        self.seen = seen

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
        inside = self.discs_between(seen.middle_mm[group.first], seen.middle_mm[group.last])
        if group.count == 2:
            return 2 * LOG_NO_DISC if not inside else 0.0
        own = slice(group.first, group.last + 1)
        ends = np.maximum.accumulate(seen.bottom_mm[own])[:-1]
        gaps_mm = np.clip(seen.top_mm[own][1:] - ends - BAND_MM, 0.0, MOST_GAP_MM)
        pieces = LOG_PIECE * (group.last - group.first)
        return LOG_DISC_INSIDE * inside + LOG_GAP_PER_MM * gaps_mm.sum() + pieces

    def discs_between(self, upper_mm: float, lower_mm: float) -> int:
        """Return how many discs lie between two positions along the spine."""
        return int(((self.seen.disc_mm > upper_mm) & (self.seen.disc_mm < lower_mm)).sum())


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


def _reach_mm(ends_mm: np.ndarray) -> float:
    """Return how far pieces with ends (n, 2) reach together."""
    return float(ends_mm[:, 1].max() - ends_mm[:, 0].min())
