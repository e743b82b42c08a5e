"""Cross-sections of canal and cord at right angles to the canal's centreline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.labels import CORD
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.narrowest import filled
from wirbel.core.measures.curvature.curves import ClosedCurve, Form, fit_closed_curve
from wirbel.core.measures.frames import Frame, Region, voxels_between
from wirbel.core.measures.label_maps import LabelMaps

SLAB_MM = 2.5
"""Half-thickness of the slab that a section is the mean of: 5 mm, an axial slice of clinical protocols. Layers of
voxels enter it gradually, over the thickness of one."""
REACH_MM = 26.0
"""Half-width of the box that surely holds a section, also where the canal runs oblique to the grid."""
CENTRAL_MM = 3.0
"""The AP diameter is the mean over this width about the middle; slices count the more the nearer they are to it, up to
the next one, so that no slice enters all at once."""
FEWEST_POINTS = 10
FEWEST_SLICES, FEWEST_IF_FLAT = 3, 5
"""So many slices have to show a structure to tell its form: depths in two fit an ellipse of any width."""
IN_PASSING = 0.2
"""A slice with less of the structure than this part of what the fullest one shows does not tell its form."""
FLAT = 1.65
"""A form is flat whose width over depth is so many times the usual one: its thin ends lie between slices."""
LEAST_SEEN = 0.4
"""Where the border cuts off flanks, so much of half the width has to be seen on both sides of the middle: AP diameters
are then off by 0.2 mm on average, of canals 8 to 16 mm deep in slices of 2 to 6 mm."""
LEAST_SHARE = 0.4
"""A curve that holds fewer voxels of the structure than this does not describe it."""


@dataclass(frozen=True)
class Section:
    """One closed cross-section: area in mm2, AP diameter and RL diameter in mm.

    Area and width are None where the border of the scan cuts off a flank.
    """

    area_mm2: float | None
    depth_mm: float
    width_mm: float | None
    middle_mm: tuple[float, float] = (0.0, 0.0)
    """Its middle, to the right and to the front of the frame's origin."""


def cut_section(
    maps: LabelMaps, labels: tuple[int, ...], frame: Frame, form: Form
) -> tuple[Section | None, str]:
    """Return the mean cross-section of some subregions about a plane, and a status code.

    A closed curve is fitted to where columns of voxels leave the structure. Its area is multiplied by the number of
    voxels that the structure has in the slab over the number inside the curve: the voxels decide the size, the curve
    only how much a voxel of this grid stands for. Where the border cuts off no more than flanks, the section has an AP
    diameter and the status `touches_border`.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    labels : tuple of int
        Subregions; the first of them has to be there.
    frame : Frame
        It stands in the canal, with its superior axis along the centreline.
    form : Form
        The usual form of the section.
    """
    region = maps.near(frame.origin_mm, REACH_MM, labels)
    if region is None or maps.near(frame.origin_mm, REACH_MM, labels[:1]) is None:
        return None, S.ABSENT
    inside = region.mask
    if len(labels) > 1 and maps.structure(CORD) is None:  # the canal may be drawn around it
        axes = region.grid.affine[:3, :3] / region.grid.spacing_mm
        inside = filled(inside, int(np.abs(frame.anterior @ axes).argmax()))
    edge = frame.to_local(np.vstack(region.ends(frame.anterior)))
    edge_weight = _in_slab(edge, region)
    edge, edge_weight = edge[edge_weight > 0], edge_weight[edge_weight > 0]
    if len(edge) < FEWEST_POINTS:
        return None, S.SURFACE_INCOMPLETE if len(edge) else S.ABSENT
    cut = _cut_flanks(region, frame)
    if cut is None:
        return None, S.TOUCHES_BORDER
    reach = SLAB_MM + float(region.grid.spacing_mm.min()) / 2
    index = voxels_between(region, frame, (-np.inf, -np.inf, -reach), (np.inf, np.inf, reach))
    lattice = frame.to_local(region.grid.to_world(index))
    weight = _in_slab(lattice, region)
    slab = weight > 0
    index, lattice, weight = index[slab], lattice[slab, :2], weight[slab]
    mask = inside[tuple(index.T)]
    step = float(np.abs(frame.right @ region.grid.affine[:3, :3]).max())
    across = lattice[mask, 0]
    if not len(across):
        return None, S.ABSENT
    shown = _slices_shown(index[mask, _across(region, frame)[0]], weight[mask])
    slices = float(across.min()), float(across.max()), step
    curve = fit_closed_curve(edge[:, :2], form, slices, edge_weight, cut)
    if any(cut) and not _shows_middle(curve, slices):
        return None, S.TOUCHES_BORDER
    inside = curve.radius(lattice) < 1
    aside = np.abs(lattice[:, 0] - curve.right_mm) / max(CENTRAL_MM / 2, step)
    shares = [_share(mask, inside, w) for w in (weight, weight * np.maximum(1 - aside, 0))]
    if min(shares) < LEAST_SHARE:
        return None, S.SURFACE_INCOMPLETE
    depth = curve.mean_depth_mm(CENTRAL_MM) * shares[1]
    middle = curve.right_mm, curve.anterior_mm + (curve.front_mm - curve.back_mm) / 2
    if any(cut):
        return Section(None, depth, None, middle), S.TOUCHES_BORDER
    section = Section(curve.area_mm2() * shares[0], depth, curve.width_mm, middle)
    return section, S.OK if _tells_form(section, form, shown) else S.FORM_ASSUMED


def _in_slab(local: np.ndarray, region: Region) -> np.ndarray:
    """Return how much points (n, 3) of a section's frame belong to its slab, 0 to 1."""
    layer = float(region.grid.spacing_mm.min())
    return np.clip((SLAB_MM - np.abs(local[:, 2])) / layer + 0.5, 0, 1)


def _across(region: Region, frame: Frame) -> tuple[int, float]:
    """Return the array axis that leads across the slices, and its cosine with the right."""
    cosine = frame.right @ (region.grid.affine[:3, :3] / region.grid.spacing_mm)
    axis = int(np.abs(cosine).argmax())
    return axis, float(cosine[axis])


def _slices_shown(number: np.ndarray, weight: np.ndarray) -> int:
    """Return how many slices show the structure within the slab, but for those that lean into it at a corner.

    `number`: the slice of each voxel of the structure, `weight`: how much it belongs to the slab.
    """
    shown = np.bincount(number, weight)
    return int((shown > IN_PASSING * shown.max()).sum())


def _tells_form(section: Section, form: Form, slices: int) -> bool:
    """Whether so many slices tell the form of a section."""
    flat = (section.width_mm or 0.0) > FLAT * form.aspect * section.depth_mm
    return slices >= (FEWEST_IF_FLAT if flat else FEWEST_SLICES)


def _cut_flanks(region: Region, frame: Frame) -> tuple[bool, bool] | None:
    """Return whether the border cuts the structure on its left, and on its right, within the slab.

    None where it does so in front, behind, above or below.
    """
    index = np.argwhere(region.mask)
    index = index[region.border_voxels(index)]
    local = frame.to_local(region.grid.to_world(index))
    index = index[np.abs(local[:, 2]) < SLAB_MM]
    axis, cosine = _across(region, frame)
    sides = np.any(region.border_sides(index), axis=0)
    if np.delete(sides, axis, axis=0).any():
        return None
    first, last = map(bool, sides[axis])
    return (first, last) if cosine > 0 else (last, first)


def _shows_middle(curve: ClosedCurve, slices: tuple[float, float, float]) -> bool:
    """Whether slices show the middle of a curve, and enough of the half to either side of it."""
    first, last, step = slices
    halves = curve.right_mm - first + step / 2, last + step / 2 - curve.right_mm
    return min(halves) >= LEAST_SEEN * curve.width_mm / 2


def _share(mask: np.ndarray, inside: np.ndarray, weight: np.ndarray) -> float:
    """Return how many voxels there are for each one inside the curve, weighted."""
    expected = np.sum(inside * weight)
    return float(np.sum(mask * weight) / expected) if expected else 1.0
