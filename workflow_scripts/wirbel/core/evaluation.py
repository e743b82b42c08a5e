"""The figures by which a run is judged: overlap, instances found, errors of measures.

Rows are plain dictionaries, one per scan and structure, vertebra or measure. Limits are data
(`TARGETS`), so that a summary says beside every figure whether it is good enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.labels import LEVEL_NAMES
from wirbel.core.metrics import (
    bodies_only,
    invented_vertebrae,
    level_name,
    match_vertebrae,
    structure_dice,
    surface_distance_mm,
)

Row = dict[str, Any]

HEIGHTS = ("height_anterior_mm", "height_middle_mm", "height_posterior_mm")
CORNERS = ("corner_height_anterior_mm", "corner_height_posterior_mm")
BODY, WHOLE = "body_fully_visible", "fully_visible"
SECTIONS = [
    f"{structure}_{size}"
    for structure in ("canal", "cord")
    for size in (
        "area_body_mm2",
        "ap_body_mm",
        "rl_body_mm",
        "area_disc_mm2",
        "ap_disc_mm",
        "rl_disc_mm",
    )
] + [
    "canal_area_min_mm2",
    "canal_ap_min_mm",
    "torg_pavlov_ratio",
    "stenosis_grade",
    "cord_compression_percent",
]
CURVES = (
    "cervical_lordosis",
    "thoracic_kyphosis",
    "lumbar_lordosis",
    "lumbar_lordosis_s1",
    "cobb_angle",
    "cobb_second_angle",
    "t1_slope",
    "sacral_slope",
)
OF_SCANS = (
    "spine_length_mm",
    "largest_slip_mm",
    "vbq_t2_to_csf_ratio",
    "vbq_t2_to_csf_corrected_ratio",
    "cobb_side",
    "conus_level",
)
TEXTS = ("cobb_side", "conus_level")
"""Measures that are right or wrong, without an error."""
MEASURES: dict[str, tuple[tuple[str, str], ...]] = {
    "vertebrae": (
        *((name, BODY) for name in (*HEIGHTS, *CORNERS)),
        *((f"depth_{at}_mm", BODY) for at in ("upper", "middle", "lower")),
        *((f"width_{at}_mm", BODY) for at in ("upper", "middle", "lower")),
        ("concavity_upper_mm", BODY),
        ("concavity_lower_mm", BODY),
        ("wedge_angle_deg", BODY),
        ("coronal_wedge_angle_deg", BODY),
        ("expected_height_mm", BODY),
        ("height_loss_percent", BODY),
        ("genant_grade", BODY),
        ("body_area_mm2", BODY),
        ("body_heterogeneity_percent", BODY),
        ("body_to_csf_ratio", BODY),
        ("body_to_csf_corrected_ratio", BODY),
        ("body_volume_mm3", BODY),
        ("vertebra_volume_mm3", WHOLE),
    ),
    "discs": (
        ("disc_height_mm", WHOLE),
        ("disc_depth_mm", WHOLE),
        ("disc_width_mm", WHOLE),
        ("disc_area_mm2", WHOLE),
        ("disc_wedge_angle_deg", WHOLE),
        ("slip_mm", WHOLE),
        ("meyerding_grade", WHOLE),
        ("posterior_bulge_mm", WHOLE),
        ("foramen_height_left_mm", WHOLE),
        ("foramen_height_right_mm", WHOLE),
        ("nucleus_to_csf_ratio", WHOLE),
        ("annulus_to_csf_ratio", WHOLE),
        ("nucleus_annulus_contrast", WHOLE),
        ("disc_heterogeneity", WHOLE),
        ("segment_angle_deg", WHOLE),
        ("disc_to_csf_ratio", WHOLE),
        ("disc_to_csf_corrected_ratio", WHOLE),
        ("disc_volume_mm3", WHOLE),
    ),
    "levels": tuple((name, BODY) for name in SECTIONS),
    "scans": tuple((name, WHOLE) for name in (*(f"{name}_deg" for name in CURVES), *OF_SCANS)),
}
"""Table -> (measure, the truth's column that says whether it can be measured at all)."""
NAMES = {table: {name for name, _ in pairs} for table, pairs in MEASURES.items()}
"""Table -> its measures."""
KEYS = {"vertebrae": "label", "discs": "label_above", "levels": "label"}
"""Table -> the column with the number of the vertebra that a row belongs to."""
UNITS = {
    "_mm": "mm",
    "_deg": "deg",
    "_mm2": "percent",
    "_mm3": "percent",
    "_ratio": "percent",
    "_percent": "points",
    "_grade": "grades",
    "_contrast": "absolute",
    "_heterogeneity": "absolute",
}
"""How a measure's name ends -> the unit that its errors are summed up in."""

THICKER = 1.2
"""Slices so much thicker than pixels are wide tell by themselves which way they lie."""
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


def structure_rows(scan_id: str, reference: np.ndarray, prediction: np.ndarray) -> list[Row]:
    """Return one row per structure that the reference or the prediction holds."""
    scores = structure_dice(reference, prediction)
    return [
        {"scan_id": scan_id, "structure": name, "dice": value}
        for name, value in scores.items()
        if value is not None
    ]


def instance_rows(
    scan_id: str, reference: Volume, prediction: np.ndarray, *, complete_reference: bool = True
) -> list[Row]:
    """Return one row per reference vertebra and per invented one, from the top down.

    `at_border` marks those that the end of the slices cuts off: how much of such a vertebra is labelled
    is a matter of taste, so the summary counts neither them as missed nor their kind as invented.
    """
    rows = []
    mine, theirs = _at_border(reference), _at_border(reference.with_data(prediction))
    matches = match_vertebrae(reference.data, prediction)
    for match in matches:
        distance = None
        if match.predicted is not None:
            masks = reference.data == match.reference, prediction == match.predicted
            distance = surface_distance_mm(*masks, reference.spacing_mm)
        rows.append(
            {
                "scan_id": scan_id,
                "reference_label": match.reference,
                "reference_level": level_name(match.reference),
                "predicted_label": match.predicted,
                "predicted_level": level_name(match.predicted),
                "dice": match.dice,
                "surface_distance_mm": distance,
                "found": match.found,
                "level_right": match.found and match.predicted == match.reference,
                "invented": False,
                "at_border": match.reference in mine,
            }
        )
    extra = invented_vertebrae(
        reference.data, prediction, matches, complete_reference=complete_reference
    )
    for label in extra:
        row = {"scan_id": scan_id, "predicted_label": label, "predicted_level": LEVEL_NAMES[label]}
        rows.append(row | {"invented": True, "at_border": label in theirs})
    return rows


def _at_border(vertebra: Volume) -> set[int]:
    """Return the labels that touch the image's border within the slices (not their first and last).

    Slices lie across the axis of the largest spacing, or from side to side where no spacing stands out.
    """
    spacing = vertebra.spacing_mm
    across = int(np.argmax(spacing))
    if spacing[across] < THICKER * np.sort(spacing)[1]:
        across = next(axis for axis, way in enumerate(vertebra.axes) if way in "LR")
    within = [axis for axis in range(3) if axis != across]
    ends = [np.take(vertebra.data, at, axis) for axis in within for at in (0, -1)]
    return {int(label) for end in ends for label in np.unique(end)}


def restrict_to_bodies(reference: Volume, vertebra: np.ndarray, subregion: np.ndarray):
    """Return (reference, prediction) of bodies alone, for references that show nothing else."""
    numbered = np.where(np.isin(reference.data, list(LEVEL_NAMES)), reference.data, 0)
    return reference.with_data(numbered), bodies_only(vertebra, subregion)


def measure_rows(
    scan_id: str,
    table: str,
    truth: Sequence[Mapping[str, Any]],
    measured: Sequence[Mapping[str, Any]],
    numbers: Mapping[int, int],
) -> list[Row]:
    """Return one row per structure and measure of one scan that truth says can be measured.

    `numbers`: reference vertebra label -> predicted label of the same vertebra, so that a wrong level
    name does not show as a wrong measure. What was not found, and what was not measured, has a row without a value:
    it has no error, but `summarise` counts it as missing.
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


def summarise(structures: list[Row], instances: list[Row], measures: list[Row]) -> dict[str, Any]:
    """Return figure -> {"value", "count"[, "target", "reached"]}."""
    figures: dict[str, tuple[float | None, int]] = {}
    for name in dict.fromkeys(row["structure"] for row in structures):
        figures[f"dice_{name}"] = _mean(r["dice"] for r in structures if r["structure"] == name)
    inside = [row for row in instances if not row["at_border"]]
    reference = [row for row in inside if not row["invented"]]
    invented = len(inside) - len(reference)
    figures["dice_vertebra_instances"] = _mean(row["dice"] for row in reference)
    figures["surface_distance_mm"] = _mean(row["surface_distance_mm"] for row in reference)
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
        unit = UNITS["_" + name.rsplit("_", 1)[1]]
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
    return {name: _figure(name, *value) for name, value in figures.items() if value[1]}


def _figure(name, value, count):
    figure = {"value": None if value is None else round(value, 4), "count": count}
    if name in TARGETS and value is not None:
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
