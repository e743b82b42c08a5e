"""All measurements of one scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.labels import CANAL, CORD, LEVEL_NAMES, SACRUM
from wirbel.core.measures import status as S
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.rows import disc_row, level_rows, vertebra_row
from wirbel.core.measures.spine import Spine


@dataclass(frozen=True)
class Measurements:
    """Rows of the four tables for one scan, vertebrae and discs from the top down.

    Values are float, int, str or None; a None is explained by the status column that
    `wirbel.core.dictionary` names for its column.
    """

    scan: dict
    vertebrae: list[dict]
    discs: list[dict]
    levels: list[dict]


def measure(image: Volume | None, subregion: Volume, vertebra: Volume) -> Measurements:
    """Measure a scan from its final label maps, which share one grid of any orientation.

    `image` is the scan itself on the same grid; no measure uses its intensities yet, so None will do.
    Raises ValueError when the grids differ.
    """
    if image is not None and image.data.shape != subregion.data.shape:
        raise ValueError("the image and the label maps do not lie on the same grid")
    maps = LabelMaps(subregion, vertebra)
    spine = Spine(maps)
    vertebrae = [vertebra_row(maps, spine, label) for label in maps.vertebrae]
    discs = [disc_row(maps, spine, label) for label in maps.discs]
    return Measurements(_scan_row(maps, discs), vertebrae, discs, level_rows(maps, spine))


def _scan_row(maps: LabelMaps, discs: list[dict]) -> dict:
    labels = maps.vertebrae
    spacing = np.sort(maps.subregion.spacing_mm)
    row = {
        "vertebrae_found": len(labels),
        "discs_found": len(discs),
        "first_level": LEVEL_NAMES[labels[0]] if labels else None,
        "last_level": LEVEL_NAMES[labels[-1]] if labels else None,
        "in_plane_spacing_mm": float(spacing[:2].mean()),
        "slice_spacing_mm": float(spacing[2]),
    }
    for name, label in (("canal", CANAL), ("cord", CORD), ("sacrum", SACRUM)):
        region = maps.structure(label)
        row[f"{name}_volume_mm3"] = region.volume_mm3 if region else 0.0
        row[f"{name}_status"] = (
            S.ABSENT if region is None else S.TOUCHES_BORDER if region.touches_border else S.OK
        )
    return row
