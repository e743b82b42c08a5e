"""T2 signal of marrow and discs as a ratio to that of the fluid beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from wirbel.core.geometry import Volume
from wirbel.core.labels import CANAL, DISC_OFFSET
from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.spine import Spine
from wirbel.core.preparation.voxel_values import clean, has_zero

BODY_MARGIN_MM = 3.0
"""Marrow nearer to the body's surface is left out: cortex, chemical shift and partial volume."""
DISC_MARGIN_MM = 1.5
CSF_MARGIN_MM = 1.0
"""A dural sac leaves two to four millimetres of fluid beside the cord."""
CSF_REACH_MM = 45.0
"""Fluid is taken from the canal within this distance of the structure's centre: behind it, so that the
coil's sensitivity is nearly the same."""
FEWEST_VOXELS = 12
VOXELS_REPLACED, NO_ZERO = "voxels_replaced", "no_zero_intensity"
"""Flags of a scan: some voxels' own values were not usable; 0 does not mean no signal."""


@dataclass(frozen=True)
class Picture:
    """The image as the networks see it: `data` finite, `replaced` where a voxel's own value was not usable."""

    data: np.ndarray
    replaced: np.ndarray | None
    has_zero: bool
    _inside: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def flags(self) -> list[str]:
        """What is odd about the scan's intensities, as the table of scans says it."""
        odd = {VOXELS_REPLACED: self.replaced is not None, NO_ZERO: not self.has_zero}
        return [flag for flag, found in odd.items() if found]

    def inside(self, region: Region, margin_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the voxels of a region deeper than `margin_mm` as a mask of its box, and which of them are usable."""
        key = id(region), margin_mm
        if (
            key not in self._inside
        ):  # the region is kept as well: else another may come to have its id
            inner = inner_mask(region, margin_mm)
            usable = inner if self.replaced is None else inner & ~self.replaced[region.box]
            self._inside[key] = region, inner, usable
        return self._inside[key][1:]


def picture_of(image: Volume | None) -> Picture | None:
    """Return the intensities to measure."""
    if image is None:
        return None
    data, replaced = clean(image.data)
    return Picture(data, replaced, has_zero(data))


def add_signal_ratios(
    picture: Picture | None,
    maps: LabelMaps,
    spine: Spine,
    vertebrae: list[dict],
    discs: list[dict],
    fluid: Fluid | None = None,
) -> None:
    """Add `body_to_csf_ratio` and `disc_to_csf_ratio` with their status to the rows, in place.

    Parameters
    ----------
    picture : Picture or None
        The scan's intensities.
    maps : LabelMaps
        The scan's label maps.
    spine : Spine
        Centres of bodies and discs.
    vertebrae, discs : list of dict
        Their rows.
    fluid : Fluid, optional
        As `find_fluid` returns it, where it is known already.
    """
    fluid = fluid or find_fluid(picture, maps)
    for row in vertebrae:
        region = None if picture is None else maps.body(row["label"])
        centre_mm = spine.centroids_mm.get(row["label"])
        values = _ratio(picture, region, centre_mm, BODY_MARGIN_MM, fluid)
        row["body_to_csf_ratio"], row["body_signal_status"] = values
    for row in discs:
        key = DISC_OFFSET + row["label_above"]
        region = None if picture is None else maps.disc(row["label_above"])
        values = _ratio(picture, region, spine.centroids_mm.get(key), DISC_MARGIN_MM, fluid)
        row["disc_to_csf_ratio"], row["disc_signal_status"] = values


def inner_mask(region: Region, margin_mm: float) -> np.ndarray:
    """Return the voxels deeper than `margin_mm` in a region and not at its rim in any direction."""
    padded = np.pad(region.mask, 1)
    depth = ndimage.distance_transform_edt(padded, sampling=region.grid.spacing_mm)
    rim = ndimage.binary_erosion(padded)
    return (rim & (depth > margin_mm))[1:-1, 1:-1, 1:-1]


@dataclass(frozen=True)
class Fluid:
    """Where fluid surely is (a tree of world points in mm), its intensities, and which of them are usable."""

    tree: cKDTree
    values: np.ndarray
    usable: np.ndarray


def find_fluid(picture: Picture | None, maps: LabelMaps) -> Fluid | None:
    """Return the fluid of a scan; None without an image, and where the map has no canal."""
    region = maps.structure(CANAL)
    if picture is None or region is None:
        return None
    inner, usable = picture.inside(region, CSF_MARGIN_MM)
    if not inner.any():
        return None
    points = region.grid.to_world(np.argwhere(inner))
    return Fluid(cKDTree(points), picture.data[region.box][inner], usable[inner])


def _ratio(picture, region, centre_mm, margin_mm, fluid) -> tuple[float | None, str]:
    if picture is None:
        return None, S.NO_IMAGE
    if region is None or centre_mm is None:
        return None, S.ABSENT
    inner, usable = picture.inside(region, margin_mm)
    near = [] if fluid is None else fluid.tree.query_ball_point(centre_mm, CSF_REACH_MM)
    bright, state = signal_of_fluid(picture, fluid, near)
    if inner.sum() < FEWEST_VOXELS:
        return None, S.TOO_FEW_VOXELS
    if state != S.OK:
        return None, state
    if not enough(usable[inner]):
        return None, S.VOXELS_REPLACED
    return float(np.median(picture.data[region.box][usable]) / bright), S.OK


def signal_of_fluid(
    picture: Picture, fluid: Fluid | None, near: list[int] | np.ndarray
) -> tuple[float | None, str]:
    """Return the median signal of the fluid's voxels `near` (their numbers), or None and the reason."""
    if fluid is None or len(near) < FEWEST_VOXELS:
        return None, S.TOO_FEW_VOXELS
    if not picture.has_zero:
        return None, S.NO_ZERO
    usable = fluid.usable[near]
    if not enough(usable):
        return None, S.VOXELS_REPLACED
    bright = float(np.median(fluid.values[near][usable]))
    return (bright, S.OK) if bright > 0 else (None, S.DARK_FLUID)


def enough(usable: np.ndarray) -> bool:
    """Return whether a median over the usable voxels stands for all."""
    return usable.sum() >= max(FEWEST_VOXELS, usable.size / 2)
