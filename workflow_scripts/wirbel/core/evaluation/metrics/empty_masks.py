"""What a metric is if the reference, the prediction or both are empty: a table, not branches in formulas."""

from __future__ import annotations

EmptyPolicy = dict[tuple[bool, bool], float | None]

MISSED_IS_ZERO: EmptyPolicy = {(True, True): None, (True, False): 0.0, (False, True): 0.0}
NO_DISTANCE: EmptyPolicy = {(True, True): None, (True, False): None, (False, True): None}

EMPTY: dict[str, EmptyPolicy] = {
    "dice": MISSED_IS_ZERO,
    "nsd": MISSED_IS_ZERO,
    "assd_mm": NO_DISTANCE,
    "hd95_mm": NO_DISTANCE,
    "rq": MISSED_IS_ZERO,
    "pq": MISSED_IS_ZERO,
    "pq_dice": MISSED_IS_ZERO,
    "sq": NO_DISTANCE,
    "sq_dice": NO_DISTANCE,
    "sq_assd_mm": NO_DISTANCE,
}
"""Metric -> (reference is empty, prediction is empty) -> value. None: there is nothing to score.

What is missed has no surface to measure a distance to, so it lowers Dice and NSD but has no distance; tables say how
many scans a mean is of.
"""
