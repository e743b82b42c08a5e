"""How much the cord is compressed at a level, against itself above and below: MSCC.

Maximum spinal cord compression (Fehlings et al., Spine 1999;24:605-613): 1 - di / ((da + db) / 2), with the AP
diameters of the cord where it is narrowest (di) and where it is normal above (da) and below (db).
"""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS, LEVELS_TOP_DOWN
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.centreline import Centreline
from wirbel.core.measures.cord.narrowest import BIN_MM, INSIDE_MM, Profile
from wirbel.core.measures.cord.section_columns import SECTIONS
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.spine import Spine

GIVEN = (S.OK, S.CORD_QUESTIONED)
LOWEST = LEVEL_LABELS["T10"]
"""Below this level the cord swells and tapers into the conus: then its neighbours say nothing about what is normal."""


def compression_columns(
    levels: list[dict],
    spine: Spine,
    line: Centreline | None,
    order: Contiguity,
    profile: Profile | None,
) -> list[dict]:
    """Return `cord_compression_percent` and its status for the rows of levels.

    Parameters
    ----------
    levels : list of dict
        Rows of levels with their sections of the cord.
    spine : Spine
        Centres of bodies and discs.
    line : Centreline or None
        The canal's centreline.
    order : Contiguity
        Which vertebrae follow each other.
    profile : Profile or None
        Area and AP diameter of the cord along `line`.
    """
    names = ("cord_compression_percent", "compression_status")
    seen = {row["label"] for row in levels if _state(row, "body") in GIVEN}
    return [
        dict(zip(names, _compression(row, spine, line, order, profile, seen), strict=True))
        for row in levels
    ]


def _compression(row: dict, spine: Spine, line, order: Contiguity, profile, seen: set[int]):
    label = row["label"]
    if LEVELS_TOP_DOWN.index(label) > LEVELS_TOP_DOWN.index(LOWEST):
        return None, S.NOT_DEFINED_AT_LEVEL
    beside_body, beside_disc = (_state(row, place) for place in ("body", "disc"))
    if beside_body not in GIVEN:
        return None, beside_body
    if profile is None or not order.is_followed(label):
        return None, S.NO_NEIGHBOUR
    if beside_disc not in GIVEN:
        return None, beside_disc
    state = S.CORD_QUESTIONED if S.CORD_QUESTIONED in (beside_body, beside_disc) else S.OK
    places = _places(spine, line, label, seen)
    if places is None:
        return None, S.NO_NEIGHBOUR
    narrowest = profile.narrowest(*places.pop("stretch"))
    above, below = (_largest(profile, places[way]) for way in ("above", "below"))
    if narrowest is None or above is None or below is None:
        return None, S.NOT_IN_VIEW
    return mscc_percent(narrowest[1], above, below), state


def mscc_percent(narrowest_mm: float, above_mm: float, below_mm: float) -> float:
    """Return the maximum spinal cord compression from three AP diameters, in percent."""
    return float(100 * (1 - narrowest_mm / ((above_mm + below_mm) / 2)))


def _state(row: dict, place: str) -> str:
    """Return what is known of the cord at a place; a form that is assumed does not touch its AP diameter."""
    state = row[SECTIONS["cord", place].ap_status]
    return S.OK if state == S.FORM_ASSUMED else state


def _places(spine: Spine, line: Centreline, label: int, seen: set[int]) -> dict | None:
    """Return where on the line the level lies, and the middles of the two bodies next above and below its disc.

    Of these bodies only those beside which the cord's AP diameter is `seen`: the border may cut the cord.
    """
    bodies = [key for key in spine.centroids_mm if key < DISC_OFFSET]
    at = bodies.index(label)
    if at + 1 >= len(bodies) or label + DISC_OFFSET not in spine.centroids_mm:
        return None
    middles = {
        key: line.position(spine.centroids_mm[key]) for key in bodies[max(at - 1, 0) : at + 3]
    }
    disc = line.position(spine.centroids_mm[label + DISC_OFFSET])
    above, below = bodies[max(at - 1, 0) : at + 1], bodies[at + 1 : at + 3]
    return {
        "stretch": (middles[label], 2 * disc - middles[label]),
        "above": [middles[key] for key in above if key in seen],
        "below": [middles[key] for key in below if key in seen],
    }


def _largest(profile: Profile, places: list[float]) -> float | None:
    """Return the largest AP diameter at some positions; None where the cord shows at none of them in full.

    The larger of two neighbours counts as normal: the nearer one may be compressed as well.
    """
    low, high = profile.start_mm + INSIDE_MM, profile.end_mm - INSIDE_MM
    index = [round((at - profile.start_mm) / BIN_MM) for at in places if low <= at <= high]
    return max((float(np.nan_to_num(profile.depth_mm[k])) for k in index), default=0.0) or None
