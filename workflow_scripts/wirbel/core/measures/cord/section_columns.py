"""The columns of canal and cord at the two places of a level, which are measured alike, by their full names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SectionColumns:
    """The section of one structure at one place: area (mm2), AP and RL diameters (mm), and what explains them.

    `status` is that of area and RL diameter, `ap_status` that of the AP diameter.
    """

    area: str
    ap: str
    rl: str
    status: str
    ap_status: str


@dataclass(frozen=True)
class ComparedColumns:
    """Canal and cord at one place beside each other: AP diameters (mm) and areas, and what explains them."""

    space: str
    space_status: str
    ratio: str
    ratio_status: str


SECTIONS = {
    ("canal", "body"): SectionColumns(
        "canal_area_body_mm2",
        "canal_ap_body_mm",
        "canal_rl_body_mm",
        "canal_body_status",
        "canal_ap_body_status",
    ),
    ("canal", "disc"): SectionColumns(
        "canal_area_disc_mm2",
        "canal_ap_disc_mm",
        "canal_rl_disc_mm",
        "canal_disc_status",
        "canal_ap_disc_status",
    ),
    ("cord", "body"): SectionColumns(
        "cord_area_body_mm2",
        "cord_ap_body_mm",
        "cord_rl_body_mm",
        "cord_body_status",
        "cord_ap_body_status",
    ),
    ("cord", "disc"): SectionColumns(
        "cord_area_disc_mm2",
        "cord_ap_disc_mm",
        "cord_rl_disc_mm",
        "cord_disc_status",
        "cord_ap_disc_status",
    ),
}
"""(Structure, place) -> its columns."""
COMPARED = {
    "body": ComparedColumns(
        "space_for_cord_body_mm",
        "space_body_status",
        "cord_to_canal_ratio_body",
        "ratio_body_status",
    ),
    "disc": ComparedColumns(
        "space_for_cord_disc_mm",
        "space_disc_status",
        "cord_to_canal_ratio_disc",
        "ratio_disc_status",
    ),
}
"""Place -> the columns that compare canal and cord there."""
