"""Marrow: how much its signal varies within a body, and its signal in the lumbar spine as a whole."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import Solid
from wirbel.core.measures.shape.surfaces import Block
from wirbel.core.measures.signal.signals import (
    BODY_MARGIN_MM,
    Fluid,
    Picture,
    box_of,
    enough,
    signal_of_fluid,
)

FEWEST_VOXELS = 60
"""Fewer voxels tell no spread."""
SMOOTH_MM = 3.0
"""Signals are averaged over so much first: noise of single voxels is larger than what trabeculae and fat make,
and falls to a third, what is larger than 3 mm stays."""
MAD_TO_SD = 1.4826
VBQ_LEVELS = ("L1", "L2", "L3", "L4")
FLUID_LEVEL = "L3"


def add_marrow_heterogeneity(
    picture: Picture | None, maps: LabelMaps, vertebrae: list[dict]
) -> None:
    """Add `body_heterogeneity_percent` with its status to the rows, in place."""
    for row in vertebrae:
        row["body_heterogeneity_percent"], row["heterogeneity_status"] = _spread(
            picture, None if picture is None else maps.body(row["label"])
        )


def heterogeneity_percent(values: np.ndarray, points_mm: np.ndarray) -> float:
    """Return the spread of signals (n,) at points (n, 3) about their linear trend, in percent of their median.

    The spread is 1.4826 times the median absolute deviation: a vein or a small haemangioma does not decide it.
    The trend is the coil's part.
    """
    design = np.column_stack([np.ones(len(values)), points_mm - points_mm.mean(0)])
    scaled = values / np.median(values)
    off = scaled - design @ np.linalg.lstsq(design, scaled, rcond=None)[0]
    return float(100 * MAD_TO_SD * np.median(np.abs(off - np.median(off))))


def smoothed(image: np.ndarray, mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the mean of `image` over about 3 mm within `mask`, at the voxels of the mask (n,).

    Along each axis an odd number of voxels counts: three of 0.86 mm, one of 3.3 mm.
    """
    size = 2 * np.maximum(np.round((SMOOTH_MM / spacing_mm - 1) / 2), 0).astype(int) + 1
    total = ndimage.uniform_filter(np.where(mask, image, 0.0), size, mode="constant")
    weight = ndimage.uniform_filter(mask.astype(float), size, mode="constant")
    return total[mask] / weight[mask]


def _spread(picture: Picture | None, region) -> tuple[float | None, str]:
    if picture is None:
        return None, S.NO_IMAGE
    if region is None:
        return None, S.ABSENT
    inner, usable = picture.inside(region, BODY_MARGIN_MM)
    if inner.sum() < FEWEST_VOXELS:
        return None, S.TOO_FEW_VOXELS
    if not picture.has_zero:
        return None, S.NO_ZERO
    if not enough(usable[inner]) or usable.sum() < FEWEST_VOXELS:
        return None, S.VOXELS_REPLACED
    values = smoothed(picture.data[box_of(region)], usable, region.grid.spacing_mm)
    if np.median(values) <= 0:
        return None, S.DARK_MARROW
    points = region.grid.to_world(np.argwhere(usable))
    return heterogeneity_percent(values, points), S.OK


def vbq_columns(
    picture: Picture | None,
    fluid: Fluid | None,
    maps: LabelMaps,
    solids: dict[int, Solid],
    vertebrae: list[dict],
) -> dict:
    """Return the bone quality score: the median of the marrow's signals of L1 to L4 over that of the fluid behind L3.

    Once as it is, and once corrected for the coil, as the rows of `vertebrae` are.
    """
    names = ("vbq_t2_to_csf_ratio", "vbq_t2_to_csf_corrected_ratio")
    rows = [row for row in vertebrae if row["level"] in VBQ_LEVELS]
    bright, state = _fluid_behind(picture, fluid, maps, solids, rows)
    if state != S.OK:
        return dict.fromkeys(names) | {"vbq_status": state}
    raw = [_marrow(picture, maps.body(row["label"])) for row in rows]
    kept = [
        signal * row["body_to_csf_corrected_ratio"] / row["body_to_csf_ratio"]
        for signal, row in zip(raw, rows, strict=True)
    ]
    scores = (float(np.median(signals) / bright) for signals in (raw, kept))
    return dict(zip(names, scores, strict=True)) | {"vbq_status": S.OK}


def _fluid_behind(picture, fluid, maps, solids, rows) -> tuple[float | None, str]:
    """Return the signal of the fluid behind L3, where all four bodies have one; or why not."""
    if picture is None:
        return None, S.NO_IMAGE
    blocks = [solids[row["label"]].block for row in rows]
    level = solids.get(LEVEL_LABELS[FLUID_LEVEL])
    if len(rows) < len(VBQ_LEVELS) or None in blocks or level is None or level.block is None:
        return None, S.NOT_IN_VIEW
    states = (row[f"body_{kind}_status"] for row in rows for kind in ("signal", "corrected"))
    fault = next((state for state in states if state != S.OK), None)
    if fault:
        return None, fault
    if not all(row["body_to_csf_ratio"] for row in rows):
        return None, S.DARK_MARROW
    return signal_of_fluid(
        picture, fluid, [] if fluid is None else fluid_behind(fluid, level.block)
    )


def _marrow(picture: Picture, region: Region) -> float:
    return float(np.median(picture.data[box_of(region)][picture.inside(region, BODY_MARGIN_MM)[1]]))


def fluid_behind(fluid: Fluid, block: Block) -> np.ndarray:
    """Return the numbers of the fluid's voxels at the height of a body."""
    height = block.frame.to_local(np.asarray(fluid.tree.data))[:, 2]
    low, high = np.median(block.lower[:, 2]), np.median(block.upper[:, 2])
    return np.flatnonzero((height > low) & (height < high))
