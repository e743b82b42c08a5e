"""Height ratios, and the semi-quantitative fracture grade that follows from heights at the corners."""

from __future__ import annotations

from collections.abc import Collection

from wirbel.core.labels import LEVEL_LABELS, LEVELS_TOP_DOWN
from wirbel.core.measures import status as S
from wirbel.core.measures.fractures.expected import expected_height_mm, height_profile

GENANT_LIMITS = (20.0, 25.0, 40.0)
"""Height loss in percent at which grades 1, 2 and 3 begin (Genant et al., J Bone Miner Res 1993;8:1137)."""
GENANT_LEVELS = LEVELS_TOP_DOWN[
    LEVELS_TOP_DOWN.index(LEVEL_LABELS["T4"]) : LEVELS_TOP_DOWN.index(LEVEL_LABELS["L4"]) + 1
]
"""The levels that the method was made for: T4 to L4."""
INTACT = 0.94
"""A posterior height of at least this part of the expected one is what anterior and middle height are compared with; a
lower one is itself lost, and all are compared with the expected one. Levels stray by 4 to 5 % from what is expected."""
ENDPLATE_CHANGE = 0.05
"""An endplate dips when the middle is lower than the corners by so much more than in the scan's plausible vertebrae."""
AS_LOW = 0.03
"""Where the back has lost as much as front and middle, up to this, the vertebra is crushed as a whole."""
LEAST_MM = 0.1
"""A corner that has collapsed has a height of 0, by which nothing can be divided."""
RATIOS = ("wedge_ratio", "biconcavity_ratio", "crush_ratio")
OF_CORNERS = ("corner_wedge_ratio", "corner_biconcavity_ratio", "corner_crush_ratio")
GRADING = ("height_loss_percent", "genant_grade", "genant_type", "short_vertebral_height")


def fracture_columns(rows: list[dict]) -> list[dict]:
    """Return ratio and grade columns for the rows of a scan's vertebrae, top down."""
    measured = {row["label"]: row for row in rows if row["height_posterior_mm"] is not None}
    six = {v: row["height_posterior_mm"] for v, row in measured.items()}
    corners = {
        v: row["corner_height_posterior_mm"]
        for v, row in measured.items()
        if row["corner_height_posterior_mm"] is not None
    }
    profile = height_profile(corners, {v: _own_ratio(measured[v]) for v in corners})
    dips = sorted(_dip(measured[v]) for v in profile.plausible)
    usual_dip = dips[len(dips) // 2] if dips else 0.0
    return [
        _six_point(row, _neighbours(row["label"], six, profile.plausible))
        | _graded(row, expected_height_mm(row["label"], profile), usual_dip)
        for row in rows
    ]


def _neighbours(label: int, heights: dict[int, float], trusted: Collection[int]) -> list[float]:
    """Return the posterior heights of the plausible vertebrae right above and below."""
    at = LEVELS_TOP_DOWN.index(label)
    usable = [v for v in heights if v in trusted or not trusted]
    near = [v for v in usable if 0 < abs(LEVELS_TOP_DOWN.index(v) - at) <= _reach(label, v)]
    return [heights[v] for v in near]


def _reach(label: int, other: int) -> int:
    """Return how far apart in the order of levels neighbours are: T13 and L6 are rare, and skipped."""
    spanned = sorted(LEVELS_TOP_DOWN.index(v) for v in (label, other))
    return 2 if LEVEL_LABELS["T13"] in LEVELS_TOP_DOWN[spanned[0] + 1 : spanned[1]] else 1


def _own_ratio(row: dict) -> float:
    least = min(row["corner_height_anterior_mm"], row["height_middle_mm"])
    return least / max(row["corner_height_posterior_mm"], LEAST_MM)


def _dip(row: dict) -> float:
    """Return how much lower the middle is than the mean of the corners, over that."""
    rim = (row["corner_height_anterior_mm"] + row["corner_height_posterior_mm"]) / 2
    return 1 - row["height_middle_mm"] / max(rim, LEAST_MM)


def _six_point(row: dict, neighbours: list[float]) -> dict:
    """Return the ratios of the heights at 15, 50 and 85 % of the depth."""
    names = ("height_anterior_mm", "height_middle_mm", "height_posterior_mm")
    anterior, middle, posterior = (row[name] for name in names)
    if posterior is None:
        return dict.fromkeys(RATIOS) | {"crush_status": row["height_status"]}
    usual = max(sum(neighbours) / len(neighbours), LEAST_MM) if neighbours else None
    crush = posterior / usual if neighbours else None
    own = max(posterior, LEAST_MM)
    columns = dict(zip(RATIOS, (anterior / own, middle / own, crush), strict=True))
    return columns | {"crush_status": S.OK if neighbours else S.NO_NEIGHBOUR}


def _graded(row: dict, expected: float | None, usual_dip: float) -> dict:
    """Return expected height, ratios of the corner heights, and the grade."""
    empty = {"expected_height_mm": None} | dict.fromkeys((*OF_CORNERS, *GRADING))
    posterior = row["corner_height_posterior_mm"]
    if posterior is None:
        return empty | {
            "corner_status": row["height_status"],
            "genant_status": row["height_status"],
        }
    if expected is None:
        return empty | {"corner_status": S.NO_NEIGHBOUR, "genant_status": S.NO_NEIGHBOUR}
    against = posterior if posterior >= INTACT * expected else expected
    ratios = {
        "wedge": row["corner_height_anterior_mm"] / against,
        "biconcave": row["height_middle_mm"] / against,
        "crush": posterior / expected,
    }
    columns = {"expected_height_mm": expected, "corner_status": S.OK}
    columns |= dict(zip(OF_CORNERS, ratios.values(), strict=True))
    if row["label"] not in GENANT_LEVELS:
        return columns | dict.fromkeys(GRADING) | {"genant_status": S.NOT_DEFINED_AT_LEVEL}
    found = grade(ratios)
    short = found["genant_grade"] > 0 and _dip(row) < usual_dip + ENDPLATE_CHANGE
    return columns | found | {"short_vertebral_height": short}


def grade(ratios: dict[str, float]) -> dict:
    """Return the Genant columns from the ratios "wedge", "biconcave" and "crush"."""
    least = min(ratios.values())
    kind = min(ratios, key=lambda name: ratios[name])
    if ratios["crush"] <= least + AS_LOW:
        kind = "crush"
    loss = max(100 * (1 - least), 0.0)
    number = sum(loss >= limit for limit in GENANT_LIMITS)
    return {
        "height_loss_percent": loss,
        "genant_grade": number,
        "genant_type": kind if number else "none",
        "genant_status": S.OK,
    }


def deformity_columns(vertebrae: list[dict]) -> dict:
    """Return the scan's columns: how many vertebrae have a grade, the sum of grades, and how many were graded."""
    grades = {r["label"]: r["genant_grade"] for r in vertebrae if r["genant_grade"] is not None}
    usual = [v for v in GENANT_LEVELS if v != LEVEL_LABELS["T13"]]
    complete = all(v in grades for v in usual)
    return {
        "vertebrae_graded": len(grades),
        "fracture_count": sum(g > 0 for g in grades.values()) if grades else None,
        "spinal_deformity_index": sum(grades.values()) if grades else None,
        "deformity_status": S.OK if complete else S.NOT_IN_VIEW,
    }
