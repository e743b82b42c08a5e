"""The structures of one scan, cut out of its two label maps."""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from wirbel.core.boxes import Box, label_boxes, tight_box
from wirbel.core.geometry import Volume, grow_box
from wirbel.core.labels import (
    BODY_LABELS,
    CANAL,
    CORD,
    DISC_OFFSET,
    ENDPLATE_LABELS,
    LEVELS_TOP_DOWN,
    SACRUM,
)
from wirbel.core.measures.frames import Region, region_of_mask

ENDPLATE_REACH_MM = 4.0
"""Endplate voxels further than this from a body are not its own: an endplate is 0.6 to 1 mm thick
(Roberts et al., Spine 1989;14:166), label maps draw it up to 3 mm."""

ISLAND_FRACTION, ISLAND_MM = 0.05, 15.0
"""A part smaller than this share of a structure's largest and further away from all larger ones does not belong to
it: the parts of one vertebra that thick slices leave unconnected (spinous and costal processes) lie nearer or are
larger."""


class LabelMaps:
    """A subregion map and a vertebra map on one grid; raises ValueError when the grids differ."""

    def __init__(self, subregion: Volume, vertebra: Volume) -> None:
        same_affine = np.allclose(subregion.affine, vertebra.affine, atol=1e-3)
        if subregion.data.shape != vertebra.data.shape or not same_affine:
            raise ValueError("the subregion and the vertebra map do not lie on the same grid")
        self.subregion, self.vertebra = subregion, vertebra
        # each object keeps its own results, as long as it lives
        self.part = cache(self.part)  # type: ignore[method-assign]
        self.disc = cache(self.disc)  # type: ignore[method-assign]
        self.body = cache(self.body)  # type: ignore[method-assign]
        self.structure = cache(self.structure)  # type: ignore[method-assign]
        self._own = cache(self._own)  # type: ignore[method-assign]

    @cached_property
    def boxes(self) -> dict[int, Box]:
        """Label of the vertebra map -> its bounding box."""
        return label_boxes(self.vertebra.data)

    @cached_property
    def _subregion_boxes(self) -> dict[int, Box]:
        """Label of the subregion map -> its bounding box."""
        return label_boxes(self.subregion.data)

    @property
    def numbered(self) -> list[int]:
        """Labels of the presacral vertebrae that have any voxel, with a body or without, top down."""
        return [v for v in LEVELS_TOP_DOWN if v != SACRUM and v in self.boxes]

    @cached_property
    def vertebrae(self) -> list[int]:
        """Labels of the presacral vertebrae that show at least a part of their body, top down.

        One whose body lies outside the field of view has a place in the vertebra map, but nothing to measure.
        """
        region = self.structure(*BODY_LABELS)
        if region is None:
            return []
        bodies = np.unique(self.vertebra.data[region.box][region.mask])
        return [v for v in LEVELS_TOP_DOWN if v != SACRUM and v in bodies]

    @property
    def discs(self) -> list[int]:
        """Labels of the vertebrae whose disc below is present, top down."""
        return [v for v in LEVELS_TOP_DOWN if v != SACRUM and DISC_OFFSET + v in self.boxes]

    def whole(self, label: int) -> Region | None:
        """Return what has one number in the vertebra map, without islands far from it."""
        if label not in self.boxes:
            return None
        return self._region(self._own(label), self.boxes[label])

    def everything(self, label: int) -> Region | None:
        """Return all that has one number in the vertebra map, islands as well."""
        if label not in self.boxes:
            return None
        box = self.boxes[label]
        return self._region(self.vertebra.data[box] == label, box)

    def _own(self, label: int) -> np.ndarray:
        """Return the mask of a number of the vertebra map in its box, without islands."""
        box = self.boxes[label]
        return _without_islands(self.vertebra.data[box] == label, self.vertebra.spacing_mm)

    def part(self, label: int, subregions: tuple[int, ...]) -> Region | None:
        """Return the voxels of vertebra `label` in one of `subregions`; None where there are none."""
        if label not in self.boxes:
            return None
        box = self.boxes[label]
        mask = self._own(label) & np.isin(self.subregion.data[box], subregions)
        return self._region(mask, box)

    def structure(self, *subregions: int) -> Region | None:
        """Return all voxels of one or more subregions in the whole scan."""
        boxes = [self._subregion_boxes[s] for s in subregions if s in self._subregion_boxes]
        if not boxes:
            return None
        ends = [
            (min(s.start for s in side), max(s.stop for s in side))
            for side in zip(*boxes, strict=True)
        ]
        box = tuple(slice(*end) for end in ends)
        return self._region(np.isin(self.subregion.data[box], subregions), box)

    def near(
        self, centre_mm: np.ndarray, reach_mm: float, subregions: tuple[int, ...]
    ) -> Region | None:
        """Return the voxels of some subregions in a box of the grid about a world point."""
        middle = self.subregion.grid.to_index(centre_mm)
        half = reach_mm / self.subregion.spacing_mm
        low = np.clip(np.floor(middle - half).astype(int), 0, self.subregion.data.shape)
        high = np.clip(np.ceil(middle + half).astype(int) + 1, 0, self.subregion.data.shape)
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return self._region(np.isin(self.subregion.data[box], subregions), box)

    def body(self, label: int) -> Region | None:
        """Return the largest connected part of a vertebra's body, without its endplates."""
        parts = self.part(label, BODY_LABELS)
        return None if parts is None else self._region(_largest_part(parts.mask), self.boxes[label])

    def bone(self, label: int) -> Region | None:
        """Return the body of a vertebra, all of it where it has none; or the sacrum."""
        return (self.body(label) if label != SACRUM else None) or self.whole(label)

    def disc(self, label: int) -> Region | None:
        """Return the largest connected part of the disc below vertebra `label`."""
        box = self.boxes[DISC_OFFSET + label]
        return self._region(_largest_part(self.vertebra.data[box] == DISC_OFFSET + label), box)

    def body_with_endplates(self, label: int) -> Region | None:
        """Return a body's largest connected part and the endplate voxels nearer to it than to any other.

        Nearness decides, not the number in the vertebra map: label maps differ in whether the
        endplate above a body carries the number of this body or of the one above.
        """
        spacing = self.vertebra.spacing_mm
        margin = np.ceil(ENDPLATE_REACH_MM / spacing).astype(int)
        box = grow_box(self.boxes[label], tuple(margin), self.vertebra.data.shape)
        subregion = self.subregion.data[box]
        any_body = np.isin(subregion, BODY_LABELS)
        own = _largest_part(any_body & (self.vertebra.data[box] == label))
        plates = np.isin(subregion, ENDPLATE_LABELS)
        body = tight_box(own)
        if body is not None and plates.any():
            # what is nearer to another body than to this one lies within reach of both
            near = grow_box(body, tuple(2 * margin), own.shape)
            others = any_body[near] & (self.vertebra.data[box][near] != label)
            nearer = plates[near] & _nearer(own[near], others, spacing)
            own = own.copy()
            own[near] |= nearer
        return self._region(own, box)

    @cached_property
    def canal_points_mm(self) -> np.ndarray:
        """World mm of all voxels of canal and cord (n, 3)."""
        region = self.structure(CANAL, CORD)
        return np.empty((0, 3)) if region is None else region.points_mm

    def _region(self, mask: np.ndarray, box: tuple[slice, ...]) -> Region | None:
        return region_of_mask(mask, box, self.vertebra) if mask.any() else None


def _without_islands(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return a mask without small parts that lie far from all larger ones."""
    parts, number = ndimage.label(mask, np.ones((3, 3, 3)))
    if number < 2:
        return mask
    sizes = np.bincount(parts.ravel(), minlength=number + 1)
    sizes[0] = 0
    small = (sizes > 0) & (sizes < ISLAND_FRACTION * sizes.max())
    if not small.any():
        return mask
    kept = ~small
    tree = cKDTree(np.argwhere(mask & kept[parts]) * spacing_mm)
    for part in np.flatnonzero(small):
        near = tree.query(np.argwhere(parts == part) * spacing_mm)[0].min()
        kept[part] = near < ISLAND_MM
    return mask & kept[parts]


def _largest_part(mask: np.ndarray) -> np.ndarray:
    """Return the largest component whose voxels touch by a face, an edge or a corner."""
    parts, number = ndimage.label(mask, np.ones((3, 3, 3)))
    return mask if number < 2 else parts == np.bincount(parts.ravel())[1:].argmax() + 1


def _nearer(own: np.ndarray, others: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return where `own` is within reach and at least as near as any of `others`."""
    distance = ndimage.distance_transform_edt(~own, sampling=spacing_mm)
    near = distance <= ENDPLATE_REACH_MM
    if others.any():
        near &= distance <= ndimage.distance_transform_edt(~others, sampling=spacing_mm)
    return near
