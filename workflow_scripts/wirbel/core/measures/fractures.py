"""Height ratios and the semi-quantitative fracture grade that follows from them."""

from __future__ import annotations

from wirbel.core.labels import LEVEL_LABELS, LEVELS_TOP_DOWN
from wirbel.core.measures import status as S

GENANT_LIMITS = (20.0, 25.0, 40.0)
"""Height loss in percent at which grades 1, 2 and 3 begin (Genant et al., J Bone Miner Res 1993;8:1137)."""
GENANT_LEVELS = LEVELS_TOP_DOWN[
    LEVELS_TOP_DOWN.index(LEVEL_LABELS["T4"]) : LEVELS_TOP_DOWN.index(LEVEL_LABELS["L4"]) + 1
]
"""The levels that the method was made for: T4 to L4."""


def fracture_columns(rows: list[dict]) -> list[dict]:
    """Return ratio and grade columns for the rows of a scan's vertebrae, top down."""
    heights = {row["label"]: row["height_posterior_mm"] for row in rows}
    return [_columns(row, _neighbours(row["label"], heights)) for row in rows]


def _neighbours(label: int, heights: dict[int, float | None]) -> list[float]:
    """Return the posterior heights of the vertebrae next above and below that could be measured."""
    present = list(heights)
    at = present.index(label)
    near = [present[k] for k in (at - 1, at + 1) if 0 <= k < len(present)]
    return [heights[other] for other in near if heights[other] is not None]


def _columns(row: dict, neighbours: list[float]) -> dict:
    anterior, middle, posterior = (
        row[f"height_{name}_mm"] for name in ("anterior", "middle", "posterior")
    )
    if posterior is None:
        state = row["height_status"]
        names = ("wedge_ratio", "biconcavity_ratio", "crush_ratio")
        return dict.fromkeys(names) | {"crush_status": state} | _no_grade(state)
    crush = posterior / (sum(neighbours) / len(neighbours)) if neighbours else None
    ratios = {"wedge": anterior / posterior, "biconcave": middle / posterior, "crush": crush}
    columns = {
        "wedge_ratio": ratios["wedge"],
        "biconcavity_ratio": ratios["biconcave"],
        "crush_ratio": crush,
        "crush_status": S.OK if neighbours else S.NO_NEIGHBOUR,
    }
    if row["label"] not in GENANT_LEVELS:
        return columns | _no_grade(S.NOT_DEFINED_AT_LEVEL)
    if crush is None:
        return columns | _no_grade(S.NO_NEIGHBOUR)
    return columns | grade(ratios)


def grade(ratios: dict[str, float]) -> dict:
    """Return the Genant columns from the ratios "wedge", "biconcave" and "crush"."""
    kind = min(ratios, key=lambda name: ratios[name])
    loss = max(100 * (1 - ratios[kind]), 0.0)
    number = sum(loss >= limit for limit in GENANT_LIMITS)
    return {
        "height_loss_percent": loss,
        "genant_grade": number,
        "genant_type": kind if number else "none",
        "genant_status": S.OK,
    }


def _no_grade(state: str) -> dict:
    empty = dict.fromkeys(("height_loss_percent", "genant_grade", "genant_type"))
    return empty | {"genant_status": state}
