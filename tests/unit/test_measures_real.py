"""Measures of label maps of real spines, which are not part of the project: CONTRIBUTING.md.

Ranges are those of adults: bodies and discs after Panjabi et al., Spine 1991;16:888-901, and Busscher et al., Eur
Spine J 2010;19:1104-1114, widened by two standard deviations and by osteophytes; canals after Nell et al., PLoS ONE
2019;14:e0222682, and for the lumbar spine Panjabi's.
"""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.core.geometry import Volume
from wirbel.core.measures import measure

REAL = Path(os.environ.get("WIRBEL_REAL_SCANS", "nowhere"), "labels")
LOWER_SPINE = {
    "height_anterior_mm": (20, 36),
    "height_middle_mm": (19, 34),
    "height_posterior_mm": (21, 36),
    "depth_upper_mm": (25, 50),
    "depth_middle_mm": (23, 45),
    "depth_lower_mm": (25, 48),
    "width_upper_mm": (33, 60),
    "width_middle_mm": (30, 55),
    "width_lower_mm": (33, 60),
    "wedge_angle_deg": (-12, 15),
    "coronal_wedge_angle_deg": (-8, 8),
    "body_volume_mm3": (15000, 60000),
    "vertebra_volume_mm3": (20000, 80000),
    "disc_height_mm": (3, 16),
    "disc_depth_mm": (25, 50),
    "disc_width_mm": (35, 65),
    "disc_height_index": (0.1, 0.6),
    "disc_wedge_angle_deg": (-6, 22),
    "disc_volume_mm3": (4000, 25000),
    "slip_mm": (-6, 6),
    "canal_ap_body_mm": (9, 24),
    "canal_rl_body_mm": (15, 32),
    "canal_area_body_mm2": (100, 450),
}
"""Measure -> range at T11 to S1."""


@pytest.mark.parametrize(("name", "fewest"), [("panoptica", 6), ("sub-tptbox", 1)])
def test_measures_of_real_spines_lie_in_the_ranges_of_adults(name, fewest):
    if not (REAL / f"{name}_subregions.nii.gz").exists():
        pytest.skip("WIRBEL_REAL_SCANS names no real label maps")
    subregion, vertebra = (read(f"{name}_{kind}.nii.gz") for kind in ("subregions", "vertebrae"))
    if name == "panoptica":  # its numbers count from the top of the view: the last is L5
        lookup = np.arange(256, dtype=np.uint8)
        for offset in (0, 100, 200):
            lookup[offset + 2 : offset + 9] = np.arange(18, 25) + offset
        vertebra = vertebra.with_data(lookup[vertebra.data])
    measured = measure(None, subregion, vertebra)
    complete = [row for row in measured.vertebrae if row["height_status"] == "ok"]
    assert len(complete) == fewest
    for row in (*complete, *measured.discs, *measured.levels):
        for measure_name, (low, high) in LOWER_SPINE.items():
            if row.get(measure_name) is not None and "touches_border" not in row.values():
                assert low <= row[measure_name] <= high, (row["level"], measure_name)


def read(name):
    image = nib.load(REAL / name)
    return Volume(np.asarray(image.dataobj).astype(np.uint8), image.affine)
