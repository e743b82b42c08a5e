"""How wide canal and cord are all along their length: where the canal is narrowest, and where the cord ends.

A section is the mean over 5 mm, and stands where bodies and discs have their middle; a stenosis is shorter, and may lie
between. Here voxels are counted along the centreline, slice by slice, with a weight that falls off within 3 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.labels import CANAL, CORD
from wirbel.core.measures.cord.centreline import Centreline
from wirbel.core.measures.cord.flanks import Middle, canal_middle
from wirbel.core.measures.coverage.border import LARGEST_EDGE, outermost_layers
from wirbel.core.measures.curvature.curves import CANAL_FORM
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps

BIN_MM = 0.25
KERNEL_MM = 3.0
"""Half-width of the weights (Hann, half as wide at half height): four layers of in-plane voxels, so that where the
layers lie does not matter, and a narrowing of 4 mm length is seen nearly in full."""
LEAST_WIDTH_MM = 1.5
"""The AP diameter is interpolated between the slices next to the middle, at least so wide."""
INSIDE_MM = 4.0
"""Nearer to where the structure begins or ends than this nothing is said."""


@dataclass(frozen=True)
class Profile:
    """Area in mm2 and AP diameter in mm at positions (mm from the top of the centreline) `BIN_MM` apart.

    A cord's AP diameter is NaN where the border of the scan cuts so much off that the middle may be out of view. Of a
    canal, which a disc may flatten so that the layer at the border is as deep as the middle one, the flank that is
    whole tells where the middle is (`flanks`); its area is NaN wherever a flank is cut.
    """

    start_mm: float
    area_mm2: np.ndarray
    depth_mm: np.ndarray

    @property
    def end_mm(self) -> float:
        """The last position."""
        return self.start_mm + BIN_MM * (len(self.area_mm2) - 1)

    def narrowest(
        self, first_mm: float, last_mm: float, least_mm: float | None = None
    ) -> tuple[float | None, float] | None:
        """Return the smallest (area, AP) between two positions, or as far as it is in view beyond `least_mm`.

        None where the structure ends before, is broken, or is cut by the border; the area alone where that cuts flanks.
        """
        if first_mm < self.start_mm + INSIDE_MM or last_mm > self.end_mm - INSIDE_MM:
            return None
        low, high, least = (
            round((at - self.start_mm) / BIN_MM)
            for at in (first_mm, last_mm, last_mm if least_mm is None else least_mm)
        )
        if high <= low:
            return None
        area, depth = (
            _smallest(sizes[low : high + 1], least - low)
            for sizes in (self.area_mm2, self.depth_mm)
        )
        return (area, depth) if depth else None


def _smallest(sizes: np.ndarray, least: int) -> float | None:
    """Return the smallest size before the first unknown one; None if that is not beyond the place `least`."""
    unknown = np.flatnonzero(np.isnan(sizes))
    if not len(unknown):
        return float(sizes.min())
    return float(sizes[: unknown[0]].min()) if unknown[0] > least else None


def canal_profile(maps: LabelMaps, line: Centreline, right: np.ndarray) -> Profile | None:
    """Return the profile of the canal with the cord; None where the map has no canal (label 61)."""
    region = maps.structure(CANAL, CORD)
    if region is None or maps.structure(CANAL) is None:
        return None
    mask = region.mask
    if maps.structure(CORD) is None:  # the canal may be drawn around it
        axes = region.grid.affine[:3, :3] / region.grid.spacing_mm
        mask = filled(mask, int(np.abs(np.cross(line.tangent(line.middle), right) @ axes).argmax()))
    return _profile(mask, region, line, right)


def cord_profile(maps: LabelMaps, line: Centreline, right: np.ndarray) -> Profile | None:
    """Return the profile of the cord, or None without one."""
    region = maps.structure(CORD)
    return None if region is None else _profile(region.mask, region, line, right, is_cord=True)


def filled(mask: np.ndarray, axis: int) -> np.ndarray:
    """Return a mask with everything between the first and the last voxel of each line along an axis."""
    before = np.maximum.accumulate(mask, axis)
    return before & np.flip(np.maximum.accumulate(np.flip(mask, axis), axis), axis)


def _profile(
    mask: np.ndarray, region: Region, line: Centreline, right: np.ndarray, is_cord: bool = False
) -> Profile | None:
    grid = region.grid
    index = np.argwhere(mask)
    at = line.positions(grid.to_world(index))
    inside = (at > 0) & (at < line.length)
    if not inside.any():
        return None
    index, at = index[inside], at[inside]
    cosine = np.abs(right @ (grid.affine[:3, :3] / grid.spacing_mm))
    axis = int(cosine.argmax())
    step = float(grid.spacing_mm[axis])
    first = np.floor(at.min() / BIN_MM)
    bins = (at / BIN_MM - first).astype(int)
    count = np.zeros((mask.shape[axis], bins.max() + 1))
    np.add.at(count, (index[:, axis], bins), 1.0)
    density = np.apply_along_axis(np.convolve, 1, count, _kernel(), "same")
    volume = abs(float(np.linalg.det(grid.affine[:3, :3])))
    positions = (first + 0.5 + np.arange(count.shape[1])) * BIN_MM
    middle = grid.to_index(line.point(positions))[:, axis]
    area = density.sum(0) * volume
    if not is_cord:
        found = _canal_middle(density, region, axis, middle, volume / step)
        middle = found.index
    aside = np.abs(np.arange(len(count))[:, None] - middle) * step
    weight = np.maximum(1 - aside / max(step, LEAST_WIDTH_MM), 0)
    depth = (density * weight).sum(0) / np.maximum(weight.sum(0), 1e-9) * volume / step
    if is_cord:
        edge = density[outermost_layers(region, axis)].max(0, initial=0.0)
        depth[(edge > 0) & (edge >= LARGEST_EDGE * density.max(0))] = np.nan
    else:
        area, depth = np.where(found.cut, np.nan, area), np.where(found.hidden, np.nan, depth)
    return Profile(float(positions[0]), area, depth)


def _canal_middle(
    density: np.ndarray, region: Region, axis: int, middle: np.ndarray, area_mm2: float
) -> Middle:
    """Return where the middle of the canal lies; `area_mm2` is that of a voxel's face between slices.

    Where the canal is seen as a whole nowhere, it is as wide as one of its depth usually is.
    """
    outer, half = outermost_layers(region, axis), np.arange(len(density)) < len(density) / 2
    step = float(region.grid.spacing_mm[axis])
    wide_mm = CANAL_FORM.aspect * area_mm2 * float(np.median(density.max(0)))
    return canal_middle(
        density, (outer & half, outer & ~half), middle, (step, BIN_MM), wide_mm / step
    )


def _kernel() -> np.ndarray:
    """Return Hann weights per mm."""
    offset = np.arange(-KERNEL_MM, KERNEL_MM + BIN_MM / 2, BIN_MM)
    weights = 1 + np.cos(np.pi * offset / KERNEL_MM)
    return weights / weights.sum() / BIN_MM
