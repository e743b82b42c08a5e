"""Bodies and discs as solids: everything that is fitted to one of them, done once and asked many times."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVEL_NAMES
from wirbel.core.measures import status as S
from wirbel.core.measures.coverage.border import is_cut
from wirbel.core.measures.curvature.outline import Outline
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.endplates import Endplate, find_endplate
from wirbel.core.measures.shape.outlines import fit_outline, usual_outline
from wirbel.core.measures.shape.surfaces import Block, SurfaceError, find_block
from wirbel.core.measures.shape.widths import check_widths
from wirbel.core.measures.spine import Spine

NO_UPPER_ENDPLATE = ("C1", "C2")
OTHER_DEPTH = 1.35
"""An outline whose depth differs more from that of the walls in the mid-sagittal plane does not describe it."""


@dataclass(frozen=True)
class Solid:
    """A body (with its endplates) or a disc: its voxels and surfaces, or the status code why not.

    `width_status` says why it has no width, when the border cuts off a flank or slices show only a part.
    `canal_mm` is the canal's centre behind it.
    """

    region: Region | None
    block: Block | None
    status: str
    flat: bool = False
    width_status: str = S.OK
    canal_mm: np.ndarray | None = None

    def located(self) -> tuple[Region, Block, np.ndarray]:
        """Return voxels, surfaces and the canal's centre, all of which a solid with surfaces has."""
        assert self.region is not None and self.block is not None and self.canal_mm is not None
        return self.region, self.block, self.canal_mm

    @property
    def whole_width(self) -> bool:
        """Whether all of the structure from left to right is there."""
        return self.width_status == S.OK

    @cached_property
    def outline(self) -> Outline | None:
        """The outline seen from above; None when too little of the wall is there."""
        if self.block is None:
            return None
        region, block, _ = self.located()
        outline = fit_outline(
            region,
            block.frame,
            block.lower,
            block.upper,
            straight=self.flat,
            whole=self.whole_width,
            centred=self.width_status == S.PARTLY_SEEN,
        )
        if (
            outline is None
            or not 1 / OTHER_DEPTH < outline.depth_at(0) / block.depth_mm < OTHER_DEPTH
        ):
            return usual_outline(block.back_mm, block.front_mm) if self.flat else None
        return outline

    @property
    def shape_status(self) -> str:
        """Status of what is measured in the mid-sagittal plane."""
        askew = self.block is not None and self.block.askew
        return S.FORM_ASSUMED if askew and self.status == S.OK else self.status

    def endplate(self, side: int) -> Endplate | None:
        """The upper (1) or lower (-1) endplate or face; None when it cannot be located."""
        return self._endplates[side]

    @cached_property
    def _endplates(self) -> dict[int, Endplate | None]:
        found: dict[int, Endplate | None] = {1: None, -1: None}
        if self.block is None:
            return found
        for side in found:
            with suppress(SurfaceError):
                found[side] = find_endplate(self.block, self.outline, side)
        return found


def find_solids(maps: LabelMaps, spine: Spine) -> dict[int, Solid]:
    """Return label -> body, and 100 + label -> the disc below, from the top down."""
    solids = {v: _body(maps, spine, v) for v in maps.vertebrae}
    solids |= {DISC_OFFSET + v: _solid(maps.disc(v), spine, DISC_OFFSET + v) for v in maps.discs}
    return check_widths(solids)


def _body(maps: LabelMaps, spine: Spine, label: int) -> Solid:
    if LEVEL_NAMES[label] in NO_UPPER_ENDPLATE:
        return Solid(None, None, S.NOT_DEFINED_FOR_C2)
    return _solid(maps.body_with_endplates(label), spine, label)


def _solid(region: Region | None, spine: Spine, key: int) -> Solid:
    """Locate a structure's surfaces, or say why not."""
    if region is None or key not in spine.centroids_mm:
        return Solid(None, None, S.ABSENT)
    superior, centre = spine.superior(key), region.centroid_mm
    canal = spine.canal_mm(centre, superior)
    if canal is None:
        return Solid(region, None, S.TOUCHES_BORDER if region.touches_border else S.NO_CANAL)
    if is_cut(region, np.cross(centre - canal, superior), canal):
        return Solid(region, None, S.TOUCHES_BORDER)
    flat = key >= DISC_OFFSET
    try:
        block = find_block(region, superior, canal, flat=flat)
    except ValueError:  # no surface, or a canal that is not behind but above or below
        return Solid(region, None, S.SURFACE_INCOMPLETE)
    width = S.TOUCHES_BORDER if region.touches_border else S.OK
    return Solid(region, block, S.OK, flat, width, canal)
