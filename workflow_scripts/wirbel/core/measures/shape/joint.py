"""Measures that join structures: stenosis, Torg-Pavlov ratio, angles of segments, slopes, the largest slip."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures import status as S
from wirbel.core.measures.shape.endplates import Endplate, angle_deg
from wirbel.core.measures.shape.solids import Solid

STENOSIS_LIMITS_MM = {"C": (13.0, 10.0), "L": (12.0, 10.0)}
"""Region -> AP diameter of the canal below which it is narrow, and severely so: cervical Edwards and LaRocca, Spine
1983;8:20-27; lumbar Verbiest, J Bone Joint Surg Br 1954;36:230-237 (relative and absolute stenosis)."""
TORG_LEVELS = ("C3", "C4", "C5", "C6", "C7")
OUT_OF_VIEW = (S.TOUCHES_BORDER, S.NO_NEIGHBOUR)
"""Status of a disc whose slip cannot be measured, as it is at the end of what is in view."""


def stenosis_columns(levels: list[dict], vertebrae: list[dict]) -> list[dict]:
    """Return the grade of stenosis and the Torg-Pavlov ratio for the rows of levels."""
    bodies = {row["label"]: row for row in vertebrae}
    return [_grade(row) | _torg(row, bodies.get(row["label"])) for row in levels]


def _grade(row: dict) -> dict:
    limits = STENOSIS_LIMITS_MM.get(row["level"][0])
    narrow = row["canal_ap_min_mm"]
    if limits is None:
        return {"stenosis_grade": None, "stenosis_status": S.NOT_DEFINED_AT_LEVEL}
    if narrow is None:
        return {"stenosis_grade": None, "stenosis_status": row["canal_ap_min_status"]}
    return {"stenosis_grade": sum(narrow < limit for limit in limits), "stenosis_status": S.OK}


def _torg(row: dict, body: dict | None) -> dict:
    if row["level"] not in TORG_LEVELS:
        state = S.NOT_DEFINED_AT_LEVEL
    elif row["canal_ap_body_mm"] is None:
        state = row["canal_ap_body_status"]
    elif body is None or body["depth_middle_mm"] is None:
        state = S.ABSENT if body is None else body["height_status"]
    else:
        ratio = row["canal_ap_body_mm"] / body["depth_middle_mm"]
        return {"torg_pavlov_ratio": float(ratio), "torg_pavlov_status": S.OK}
    return {"torg_pavlov_ratio": None, "torg_pavlov_status": state}


def segment_angle_deg(upper: Endplate, lower: Endplate, right: np.ndarray) -> float:
    """Return the angle from the lower endplate of a segment to its upper one, positive when it opens forwards."""
    return angle_deg(lower.normal, upper.normal, right)


def slope_deg(plate: Endplate) -> float:
    """Return how far an endplate slopes down forwards, against the scanner's axial plane."""
    forward = plate.forward
    return float(np.rad2deg(np.arctan2(-forward[2], np.linalg.norm(forward[:2]))))


def slope_columns(solids: dict[int, Solid], sacral: Endplate | None) -> dict:
    """Return the slopes of T1 and of the sacrum, lying supine."""
    first = solids.get(LEVEL_LABELS["T1"])
    t1 = first.endplate(1) if first else None
    return {
        "t1_slope_deg": None if t1 is None else slope_deg(t1),
        "t1_slope_status": S.NOT_IN_VIEW if t1 is None else S.OK,
        "sacral_slope_deg": None if sacral is None else slope_deg(sacral),
        "sacral_slope_status": S.NOT_IN_VIEW if sacral is None else S.OK,
    }


def largest_slip_columns(discs: list[dict]) -> dict:
    """Return the largest slip of a scan by its size, where it is, and whether a larger one may have been missed.

    `discs`: rows of the table of discs, down the spine.
    """
    slips = [(abs(row["slip_mm"]), row) for row in discs if row["slip_mm"] is not None]
    if not slips:
        return {"largest_slip_mm": None, "largest_slip_level": None, "slip_status": S.NOT_IN_VIEW}
    row = max(slips, key=lambda pair: pair[0])[1]
    return {
        "largest_slip_mm": row["slip_mm"],
        "largest_slip_level": row["level"],
        "slip_status": S.OK if _all_slips_measured(discs) else S.SOME_MISSING,
    }


def _all_slips_measured(discs: list[dict]) -> bool:
    """Whether slips were measured from the first to the last without a gap, and none in full view failed."""
    measured = [number for number, row in enumerate(discs) if row["slip_mm"] is not None]
    inner = discs[measured[0] : measured[-1] + 1]
    ends = [tuple(row["level"].split("-")) for row in inner]
    follow_each_other = all(above[1] == below[0] for above, below in pairwise(ends))
    return (
        len(inner) == len(measured)
        and follow_each_other
        and all(row["slip_status"] in (S.OK, *OUT_OF_VIEW) for row in discs)
    )


def segment_columns(
    solids: dict[int, Solid], label: int, below: int, lower: Endplate | None
) -> dict:
    """Return the angle of a disc's segment: from the upper endplate of the body above to the lower one below.

    Parameters
    ----------
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    label, below : int
        The vertebra above the disc, and the vertebra or sacrum below it.
    lower : Endplate or None
        The endplate at the lower end; of the segment on the sacrum, that of the sacrum.
    """
    above = solids.get(label)
    upper = above.endplate(1) if above else None
    if upper is None or lower is None:
        missing = above if upper is None else solids.get(below)
        state = S.NO_NEIGHBOUR if missing is None else missing.status
        state = S.SURFACE_INCOMPLETE if state == S.OK else state
        return {"segment_angle_deg": None, "segment_status": state}
    assert above is not None and above.block is not None  # it has an endplate
    right = above.block.frame.right
    return {"segment_angle_deg": segment_angle_deg(upper, lower, right), "segment_status": S.OK}
