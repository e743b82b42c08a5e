"""Which measures an evaluation compares with the truth, and in which unit their errors are summed up."""

from __future__ import annotations

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
    *(f"cord_to_canal_ratio_{place}" for place in ("body", "disc")),
    *(f"space_for_cord_{place}_mm" for place in ("body", "disc")),
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
    "fracture_count",
    "spinal_deformity_index",
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
        *((f"{name}_ratio", BODY) for name in ("wedge", "biconcavity", "crush")),
        *((f"corner_{name}_ratio", BODY) for name in ("wedge", "biconcavity", "crush")),
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
        *((f"disc_height_{at}_mm", WHOLE) for at in ("anterior", "middle", "posterior")),
        ("disc_height_index", WHOLE),
        ("disc_area_index", WHOLE),
        ("disc_depth_mm", WHOLE),
        ("disc_width_mm", WHOLE),
        ("disc_area_mm2", WHOLE),
        ("disc_wedge_angle_deg", WHOLE),
        ("slip_mm", WHOLE),
        ("slip_percent", WHOLE),
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
    "deformity_index": "grades",
    "_count": "fractures",
    "_ratio_body": "percent",
    "_ratio_disc": "percent",
    "_index": "percent",
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


def unit_of(name: str) -> str:
    """Return the unit that a measure's errors are summed up in."""
    return next(unit for ending, unit in UNITS.items() if name.endswith(ending))
