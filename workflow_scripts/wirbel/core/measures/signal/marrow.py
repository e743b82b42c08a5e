"""Marrow: how much its signal varies within a body, and its signal in the lumbar spine as a whole."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import Grid
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
    enough,
    signal_of_fluid,
)

FEWEST_VOXELS = 60
"""Fewer voxels tell no spread."""
SMOOTH_MM = 3.0
"""Signals are averaged over so much first: noise of single voxels is larger than what trabeculae and fat make, and
falls to a third; what is larger than 3 mm stays."""
MAD_TO_SD = 1.4826
VEIN = 3.0
"""A voxel so many spreads from the trend is a vein or a haemangioma, no marrow; of a normal distribution 0.3 %."""
NOISE_KERNEL = (1.0, -2.0, 1.0)
"""Along two axes in turn it leaves nothing of what is linear over three voxels, so what it leaves is noise: Immerkaer,
Comput Vis Image Underst 1996;64:300-302."""
KERNEL_GAIN = float(np.sum(np.square(NOISE_KERNEL)))
"""Applied along both axes of a slice, it lets the spread of white noise grow by this."""
VBQ_LEVELS = ("L1", "L2", "L3", "L4")
FLUID_LEVEL = "L3"


def add_marrow_heterogeneity(
    picture: Picture | None, maps: LabelMaps, vertebrae: list[dict]
) -> None:
    """Add `body_heterogeneity_percent` with its status to the rows, in place."""
    for row in vertebrae:
        row["body_heterogeneity_percent"], row["heterogeneity_status"] = spread_of(
            picture, None if picture is None else maps.body(row["label"])
        )


def heterogeneity_percent(values: np.ndarray, points_mm: np.ndarray) -> float:
    """Return the spread of signals (n,) at points (n, 3) about their linear trend, in percent of their median.

    The spread is 1.4826 times the median absolute deviation: a vein or a small haemangioma does not decide it.
    The trend is the coil's part.
    """
    return float(100 * MAD_TO_SD * np.median(_astray(values, points_mm)))


def _astray(values: np.ndarray, points_mm: np.ndarray) -> np.ndarray:
    """Return how far each signal lies from the linear trend of all, over their median."""
    design = np.column_stack([np.ones(len(values)), points_mm - points_mm.mean(0)])
    scaled = values / np.median(values)
    off = scaled - design @ np.linalg.lstsq(design, scaled, rcond=None)[0]
    return np.abs(off - np.median(off))


def without_veins(image: np.ndarray, mask: np.ndarray, points_mm: np.ndarray) -> np.ndarray:
    """Return the mask without voxels far from the trend of all: averaged first, a vein would reach its neighbours.

    `points_mm`: (n, 3), where the voxels of the mask lie.
    """
    far = _astray(image[mask], points_mm)
    kept = mask.copy()
    kept[mask] = far <= VEIN * MAD_TO_SD * np.median(far)
    return kept


def smoothed(image: np.ndarray, mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the mean of `image` over about 3 mm within `mask`, at the voxels of the mask (n,).

    Along each axis an odd number of voxels counts: three of 0.86 mm, one of 3.3 mm.
    """
    size = _smoothing(spacing_mm)
    total = ndimage.uniform_filter(np.where(mask, image, 0.0), size, mode="constant")
    weight = ndimage.uniform_filter(mask.astype(float), size, mode="constant")
    return total[mask] / weight[mask]


def noise_left(image: np.ndarray, mask: np.ndarray, grid: Grid) -> float:
    """Return the standard deviation that the noise of single voxels leaves in the `smoothed` signals.

    It is seen from neighbours within the slices; 0 where no three by three voxels lie within the mask.
    """
    within = [axis for axis in range(3) if axis != grid.across_slices]
    rough = np.where(mask, image, 0.0)
    whole = ndimage.binary_erosion(mask, np.ones([3 if k in within else 1 for k in range(3)]))
    for axis in within:
        rough = ndimage.convolve1d(rough, NOISE_KERNEL, axis, mode="constant")
    if not whole.any():
        return 0.0
    single = MAD_TO_SD * np.median(np.abs(rough[whole])) / KERNEL_GAIN
    size = _smoothing(grid.spacing_mm)
    averaged = ndimage.uniform_filter(mask.astype(float), size, mode="constant") * np.prod(size)
    return float(single * np.sqrt(np.mean(1 / averaged[mask])))


def _smoothing(spacing_mm: np.ndarray) -> np.ndarray:
    return 2 * np.maximum(np.round((SMOOTH_MM / spacing_mm - 1) / 2), 0).astype(int) + 1


def spread_of(picture: Picture | None, region: Region | None) -> tuple[float | None, str]:
    """Return the heterogeneity of the marrow of a body in percent, and its status."""
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
    image, spacing = picture.data[region.box], region.grid.spacing_mm
    if np.median(image[usable]) <= 0:
        return None, S.DARK_MARROW
    marrow = without_veins(image, usable, region.grid.to_world(np.argwhere(usable)))
    values = smoothed(image, marrow, spacing)
    spread = heterogeneity_percent(values, region.grid.to_world(np.argwhere(marrow)))
    noise = 100 * noise_left(image, marrow, region.grid) / np.median(values)
    return float(np.sqrt(max(spread**2 - noise**2, 0.0))), S.OK


def vbq_columns(
    picture: Picture | None,
    fluid: Fluid | None,
    maps: LabelMaps,
    solids: dict[int, Solid],
    vertebrae: list[dict],
) -> dict:
    """Return the bone quality score: the median of the marrow's signals of L1 to L4 over that of the fluid behind L3.

    Once as it is, and once corrected for the coil, as the rows of `vertebrae` are.

    Parameters
    ----------
    picture : Picture or None
        The scan's intensities.
    fluid : Fluid or None
        The cerebrospinal fluid.
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    vertebrae : list of dict
        Rows with their signal ratios.
    """
    names = ("vbq_t2_to_csf_ratio", "vbq_t2_to_csf_corrected_ratio")
    rows = [row for row in vertebrae if row["level"] in VBQ_LEVELS]
    bright, state = _fluid_behind(picture, fluid, maps, solids, rows)
    if picture is None or bright is None:
        return dict.fromkeys(names) | {"vbq_status": state}
    bodies = [maps.body(row["label"]) for row in rows]
    raw = [_marrow(picture, body) for body in bodies if body is not None]
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
    names = ("body_signal_status", "body_corrected_status")
    states = (row[name] for row in rows for name in names)
    fault = next((state for state in states if state != S.OK), None)
    if fault:
        return None, fault
    if not all(row["body_to_csf_ratio"] for row in rows):
        return None, S.DARK_MARROW
    return signal_of_fluid(
        picture, fluid, [] if fluid is None else fluid_behind(fluid, level.block)
    )


def _marrow(picture: Picture, region: Region) -> float:
    return float(np.median(picture.data[region.box][picture.inside(region, BODY_MARGIN_MM)[1]]))


def fluid_behind(fluid: Fluid, block: Block) -> np.ndarray:
    """Return the numbers of the fluid's voxels at the height of a body."""
    height = block.frame.to_local(np.asarray(fluid.tree.data))[:, 2]
    low, high = np.median(block.lower[:, 2]), np.median(block.upper[:, 2])
    return np.flatnonzero((height > low) & (height < high))
