"""Cross-sections of canal and cord at right angles to the canal's centreline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.labels import CORD
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.narrowest import filled
from wirbel.core.measures.curvature.curves import Form, fit_closed_curve
from wirbel.core.measures.frames import Frame, Region
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
FLAT = 1.65
"""A form is flat whose width over depth is so many times the usual one: its thin ends lie between slices."""
LEAST_SHARE = 0.4
"""A curve that holds fewer voxels of the structure than this does not describe it."""


@dataclass(frozen=True)
class Section:
    """One closed cross-section: area in mm2, AP diameter and RL diameter in mm."""

    area_mm2: float
    depth_mm: float
    width_mm: float
    middle_mm: tuple[float, float] = (0.0, 0.0)
    """Its middle, to the right and to the front of the frame's origin."""


def cut_section(
    maps: LabelMaps, labels: tuple[int, ...], frame: Frame, form: Form
) -> tuple[Section | None, str]:
    """Return the mean cross-section of subregions `labels` about the plane of `frame`, and a status code.

    The first of `labels` has to be there.

    `frame` stands in the canal with its superior axis along the centreline. A closed curve is fitted to
    where columns of voxels leave the structure. Its area is multiplied by the number of voxels that the
    structure has in the slab over the number inside the curve: the voxels decide the size, the curve only how
    much a voxel of this grid stands for.
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
        return None, S.ABSENT
    if _cut_off(region, frame):
        return None, S.TOUCHES_BORDER
    lattice = frame.to_local(region.grid.to_world(np.indices(region.mask.shape).reshape(3, -1).T))
    weight = _in_slab(lattice, region)
    slab = weight > 0
    lattice, mask, weight = lattice[slab, :2], inside.ravel()[slab], weight[slab]
    step = float(np.abs(frame.right @ region.grid.affine[:3, :3]).max())
    across = lattice[mask, 0]
    if not len(across):
        return None, S.ABSENT
    curve = fit_closed_curve(edge[:, :2], form, (across.min(), across.max(), step), edge_weight)
    inside = curve.radius(lattice) < 1
    aside = np.abs(lattice[:, 0] - curve.right_mm) / max(CENTRAL_MM / 2, step)
    shares = [_share(mask, inside, w) for w in (weight, weight * np.maximum(1 - aside, 0))]
    if min(shares) < LEAST_SHARE:
        return None, S.SURFACE_INCOMPLETE
    depth = curve.mean_depth_mm(CENTRAL_MM) * shares[1]
    middle = curve.right_mm, curve.anterior_mm + (curve.front_mm - curve.back_mm) / 2
    section = Section(curve.area_mm2() * shares[0], depth, curve.width_mm, middle)
    return section, S.OK if _tells_form(section, form, np.ptp(across) / step) else S.FORM_ASSUMED


def _in_slab(local: np.ndarray, region: Region) -> np.ndarray:
    """Return how much points (n, 3) of a section's frame belong to its slab, 0 to 1."""
    layer = float(region.grid.spacing_mm.min())
    return np.clip((SLAB_MM - np.abs(local[:, 2])) / layer + 0.5, 0, 1)


def _tells_form(section: Section, form: Form, spanned: float) -> bool:
    """Whether slices that span so many slice distances tell the form of a section."""
    flat = section.width_mm > FLAT * form.aspect * section.depth_mm
    return round(spanned) + 1 >= (FEWEST_IF_FLAT if flat else FEWEST_SLICES)


def _cut_off(region: Region, frame: Frame) -> bool:
    """Whether the structure reaches the border of the scan within the slab."""
    index = np.argwhere(region.mask)
    at_border = index[region.border_voxels(index)]
    local = frame.to_local(region.grid.to_world(at_border))
    return bool((np.abs(local[:, 2]) < SLAB_MM).any())


def _share(mask: np.ndarray, inside: np.ndarray, weight: np.ndarray) -> float:
    """Return how many voxels there are for each one inside the curve, weighted."""
    expected = np.sum(inside * weight)
    return float(np.sum(mask * weight) / expected) if expected else 1.0
