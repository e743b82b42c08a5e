"""How sure the names of levels are, and what is unusual about them."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import LEVEL_LABELS, LEVEL_NAMES
from wirbel.core.spine.decision import Decision
from wirbel.core.spine.sightings import Sightings
from wirbel.core.spine.states import LABELS, SACRAL
from wirbel.core.spine.weights import SURE_SACRUM_MM3

AXIS, LAST, EXTRA = LEVEL_LABELS["C2"], LEVEL_LABELS["L5"], LEVEL_LABELS["L6"]
DENS_RATIO, DENS_HEIGHT_MM = 1.6, 26.0
"""Height of C2 with its dens over C3's, and at the least: 38 mm (Yousuf et al., Int J Res Med Sci 2023) over 12 to
16 mm (Panjabi 1991; Gilad and Nissan 1985), less three standard deviations and a tip lost to partial volume."""
IMPLAUSIBLE_STEP = -9.0
"""Log likelihood of what lies between two bodies below which anatomy does not explain it."""
MOST_BY_SIZES, MOST_IMPLAUSIBLE = 0.6, 0.3
"""Greatest confidence where neither C2 nor the sacrum is seen, and where anatomy does not explain the result."""
LEAST_ALTERNATIVE = 0.01

NO_SACRUM = "no_sacrum"
"""Flag: what was taken for a sacrum is none, by all else that is seen."""
SET_ASIDE = "parts_set_aside"
"""Flag: something that was called a vertebral body is none."""
SACRAL_BODY = "sacral_body"
"""Flag: a segment of the sacrum was called a vertebral body."""


def model_probability(decision: Decision) -> float:
    """Return the decision's own probability of its least certain name; 0 where it holds no vertebra."""
    of_group = decision.posterior[np.arange(len(decision.states)), decision.states]
    return float(min(of_group[: len(decision.bodies)], default=0.0))


def most_confidence(flags: set[str], landmark: bool) -> float:
    """Return the greatest confidence with these flags; `landmark`: C2 or the sacrum is seen."""
    if "enumeration_implausible" in flags:
        return MOST_IMPLAUSIBLE
    return 1.0 if landmark else MOST_BY_SIZES


def shows_axis(seen: Sightings, decision: Decision) -> bool:
    """Return whether the topmost body is C2 and shows its dens."""
    if LABELS[decision.states[0]] != AXIS or len(decision.groups) < 2:
        return False
    heights = [
        seen.bottom_mm[g.first : g.last + 1].max() - seen.top_mm[g.first : g.last + 1].min()
        for g in decision.groups[:4]
    ]
    return heights[0] >= max(DENS_HEIGHT_MM, DENS_RATIO * float(np.median(heights[1:])))


def level_flags(seen: Sightings, decision: Decision, set_aside: int, both: bool) -> set[str]:
    """Return what is unusual about the names.

    Parameters
    ----------
    seen : Sightings
        What is seen of the pieces.
    decision : Decision
        Which of them are vertebrae, and which.
    set_aside : int
        Pieces of body that are no vertebra.
    both : bool
        C2 and the sacrum are seen.
    """
    states = np.array(decision.states)
    labels = LABELS[states[~SACRAL[states]]]
    last_above = decision.missing_below == 0 and (decision.with_sacrum or SACRAL[states].any())
    left_out = np.diff(labels) - 1 - np.array(decision.missing[1 : len(labels)])
    anomaly = EXTRA in labels or (last_above and labels[-1] != LAST) or bool(left_out.any())
    whole = any(seen.volume_share[i] >= 0.5 for i in decision.set_aside)
    lost = seen.sacrum_mm3 > 0 and not decision.with_sacrum and not SACRAL[states].any()
    impossible = decision.worst_step < IMPLAUSIBLE_STEP
    marks = {
        "gap": sum(decision.missing) + decision.missing_below > 0,
        "enumeration_anomaly": anomaly,
        "enumeration_implausible": impossible or (lost and seen.sacrum_mm3 >= SURE_SACRUM_MM3),
        "too_many_vertebrae": whole and both,
        SET_ASIDE: set_aside > 0,
        SACRAL_BODY: bool(SACRAL[states].any()),
        NO_SACRUM: lost,
    }
    return {name for name, holds in marks.items() if holds}


def alternative_of(decision: Decision) -> str:
    """Return the second most probable level of the topmost vertebra."""
    others = np.where(SACRAL, 0.0, decision.posterior[0])
    others[decision.states[0]] = 0.0
    best = int(others.argmax())
    return LEVEL_NAMES[int(LABELS[best])] if others[best] >= LEAST_ALTERNATIVE else ""
