"""How far a vertebra has slipped on the one below."""

from __future__ import annotations

from wirbel.core.measures.endplates import Endplate

MEYERDING_LIMITS = (5.0, 25.0, 50.0, 75.0, 100.0)
"""Slip in percent of the endplate's depth at which grades 1 to 5 begin. The quarters are Meyerding's (Surg
Gynecol Obstet 1932;54:371); less than 5 % is no slip (Denard et al., Spine 2010;35:1072)."""


def slip_columns(above: Endplate, below: Endplate) -> dict:
    """Return the slip of the lower endplate `above` on the upper endplate `below`.

    It is the distance along the endplate below between both back corners, forward positive.
    """
    slip = float((above.back_mm - below.back_mm) @ below.forward)
    percent = 100 * slip / below.depth_mm
    grade = sum(abs(percent) >= limit for limit in MEYERDING_LIMITS)
    return {"slip_mm": slip, "slip_percent": percent, "meyerding_grade": grade}
