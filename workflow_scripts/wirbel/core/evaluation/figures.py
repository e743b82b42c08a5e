"""The figures by which a run is judged: overlap, instances found, errors of measures, and the rows of measures.

Rows are plain dictionaries, one per scan and structure, vertebra or measure. Limits are data
(`TARGETS`), so that a summary says beside every figure whether it is good enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.core.evaluation.compared_measures import (
    HEIGHTS,
    KEYS,
    MEASURES,
    NAMES,
    TEXTS,
    unit_of,
)

Row = dict[str, Any]

POSTERIOR_LIMIT = 0.75
TARGETS: dict[str, tuple[str, float]] = {
    "dice_vertebral_body": (">=", 0.90),
    "dice_intervertebral_disc": (">=", 0.90),
    "dice_spinal_canal": (">=", 0.90),
    "dice_sacrum": (">=", 0.90),
    "dice_spinal_cord": (">=", 0.85),
    **{
        f"dice_{name}": (">=", POSTERIOR_LIMIT)
        for name in (
            "arcus_vertebrae",
            "spinous_process",
            "costal_process_left",
            "costal_process_right",
            "superior_articular_process_left",
            "superior_articular_process_right",
            "inferior_articular_process_left",
            "inferior_articular_process_right",
        )
    },
    "vertebrae_found": (">=", 0.97),
    "vertebrae_invented": ("<=", 0.01),
    "body_height_mean_absolute_error_mm": ("<=", 1.0),
    "volume_mean_absolute_error_percent": ("<=", 6.0),
}
"""Figure -> what a run of the embedded models on simulated scans has to reach."""


def measure_rows(
    scan_id: str,
    table: str,
    truth: Sequence[Mapping[str, Any]],
    measured: Sequence[Mapping[str, Any]],
    numbers: Mapping[int, int],
) -> list[Row]:
    """Return one row per structure and measure of one scan that truth says can be measured.

    What was not found, and what was not measured, has a row without a value: it has no error, but `summarise` counts
    it as missing.

    Parameters
    ----------
    scan_id : str
        For the rows.
    table : str
        A key of `MEASURES`.
    truth, measured : sequence of mapping
        Rows of that table: what is true of the scan, and what was measured.
    numbers : mapping of int to int
        Reference vertebra label -> predicted label of the same vertebra, so that a wrong level name does not show as a
        wrong measure.
    """
    key = KEYS.get(table)
    by_label = {int(row[key]) if key else 0: row for row in measured}
    rows = []
    for true in truth:
        mine = by_label.get(numbers.get(int(true[key]), -1) if key else 0, {})
        for name, visible in MEASURES[table]:
            value = _text if name in TEXTS else _number
            if not true.get(visible, True) or value(true.get(name)) is None:
                continue
            rows.append({"scan_id": scan_id, "level": true.get("level", ""), "measure": name})
            rows[-1] |= _compare(value(true[name]), value(mine.get(name)))
    return rows


def summarise(
    structures: list[Row], instances: list[Row], measures: list[Row], *, targets: bool = True
) -> dict[str, Any]:
    """Return figure -> {"value", "count"[, "target", "reached"]}.

    Parameters
    ----------
    structures, instances, measures : list of dict
        Rows of all scans.
    targets : bool
        Say beside each figure whether it reaches its limit (`TARGETS`, for simulated scans).
    """
    figures: dict[str, tuple[float | None, int]] = {}
    for name in dict.fromkeys(row["structure"] for row in structures):
        figures[f"dice_{name}"] = _mean(r["dice"] for r in structures if r["structure"] == name)
    inside = [row for row in instances if not row["at_border"]]
    reference = [row for row in inside if not row["invented"]]
    invented = len(inside) - len(reference)
    figures["dice_vertebra_instances"] = _mean(row["dice"] for row in reference)
    for name in ("assd_mm", "hd95_mm", "nsd"):
        figures[f"{name}_vertebra_instances"] = _mean(row[name] for row in reference)
    figures["vertebrae_found"] = _mean(float(row["found"]) for row in reference)
    found = sum(row["found"] for row in reference) + invented
    figures["vertebrae_invented"] = (invented / found if found else None, found)
    figures["levels_right"] = _mean(float(r["level_right"]) for r in reference if r["found"])
    for name in dict.fromkeys(row["measure"] for row in measures):
        if name in TEXTS or name.endswith("_grade"):
            mine = [
                row for row in measures if row["measure"] == name and row["measured"] is not None
            ]
            figures[f"{name}_right"] = _mean(float(r["measured"] == r["truth"]) for r in mine)
        if name in TEXTS:
            continue
        unit = unit_of(name)
        errors = [
            row["error_percent" if unit == "percent" else "error_mm"]
            for row in measures
            if row["measure"] == name
        ]
        figures[f"{name}_bias_{unit}"] = _mean(errors)
        figures[f"{name}_mean_absolute_error_{unit}"] = _mean(map(_absolute, errors))
    for table in MEASURES:
        values = [row["measured"] for row in measures if row["measure"] in NAMES[table]]
        figures[f"measured_in_{table}"] = _mean(float(value is not None) for value in values)
    heights = [row["error_mm"] for row in measures if row["measure"] in HEIGHTS]
    volumes = [row["error_percent"] for row in measures if row["measure"].endswith("_mm3")]
    figures["body_height_mean_absolute_error_mm"] = _mean(map(_absolute, heights))
    figures["volume_mean_absolute_error_percent"] = _mean(map(_absolute, volumes))
    return {name: _figure(name, *value, targets) for name, value in figures.items() if value[1]}


def _figure(name, value, count, targets):
    figure = {"value": None if value is None else round(value, 4), "count": count}
    if targets and name in TARGETS and value is not None:
        sense, limit = TARGETS[name]
        figure["target"] = f"{sense} {limit}"
        figure["reached"] = value >= limit if sense == ">=" else value <= limit
    return figure


def _compare(true, measured):
    in_mm = isinstance(true, float) and isinstance(measured, float)
    error = measured - true if in_mm else None
    return {
        "truth": true,
        "measured": measured,
        "error_mm": error,
        "error_percent": 100 * error / true if in_mm and true else None,
    }


def _mean(values):
    present = [value for value in values if value is not None]
    return (float(np.mean(present)) if present else None), len(present)


def _absolute(value):
    return None if value is None else abs(value)


def _text(value):
    """Return a text; None where it is missing, which pandas reads as NaN."""
    return value if isinstance(value, str) and value else None


def _number(value):
    return None if value is None or value != value else float(value)
