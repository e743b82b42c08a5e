"""Clean a subregion map: mislabelled sacrum, specks, holes, and structures that are not on the spine."""

from __future__ import annotations

from dataclasses import dataclass

import fill_voids
import numpy as np

from wirbel.core.boxes import label_boxes
from wirbel.core.components import Components, find_components, touching_share, voxels_of
from wirbel.core.geometry import Volume
from wirbel.core.growth import spread
from wirbel.core.labels import (
    ARCUS,
    BODY,
    BODY_BORDER,
    BODY_LABELS,
    CANAL,
    CORD,
    DISC,
    ENDPLATE,
    POSTERIOR_ELEMENTS,
    SACRUM,
    SPINOUS_PROCESS,
)
from wirbel.core.semantic.last_body import restore_last_body
from wirbel.core.spine_curve import Chain, spine_chain


@dataclass(frozen=True)
class Limits:
    """Conditions under which a component of one structure belongs to the spine.

    Attributes
    ----------
    smallest_mm3 : float
        Smallest volume.
    reach_mm : float
        Largest distance of its nearest voxel from the chain.
    anterior_mm : float
        How far half of it may lie in front of the chain.
    beyond_mm : float
        How far beyond the ends of the chain it may begin.
    """

    smallest_mm3: float
    reach_mm: float
    anterior_mm: float
    beyond_mm: float


# Volumes: about a tenth of the smallest adult structure, so that structures at the edge of the field of view
# stay (Panjabi et al., Spine 1991;16:861 and 1992;17:299: C3 body 2.9 ml, its disc 1 ml, an articular process
# 0.4 ml). A sacrum may be cut down to a tip of 1 ml.
# Reach: the chain runs through the bodies, whose half depth is 18 mm in the lumbar spine and 25 mm in the sacrum.
# The canal begins there and is 20 mm deep. Lumbar spinous processes end 85 mm and transverse processes 55 mm from
# the body's centre, but begin at the arch, 30 to 40 mm from it.
_PROCESS = Limits(40.0, 50.0, 8.0, 60.0)
LIMITS: dict[int, Limits] = {
    SACRUM: Limits(500.0, 40.0, 60.0, 60.0),
    **dict.fromkeys(POSTERIOR_ELEMENTS, _PROCESS),
    ARCUS: Limits(60.0, 50.0, 0.0, 60.0),
    SPINOUS_PROCESS: Limits(60.0, 75.0, 0.0, 60.0),
    BODY_BORDER: Limits(300.0, 18.0, 25.0, 90.0),
    CORD: Limits(100.0, 40.0, 5.0, 150.0),
    CANAL: Limits(150.0, 40.0, 5.0, 150.0),
    ENDPLATE: Limits(6.0, 28.0, 28.0, 60.0),
    DISC: Limits(100.0, 20.0, 25.0, 90.0),
}
WHOLE_BODY_MM3 = 1500.0
"""Half the volume of the smallest adult body (C3)."""
BODIES_BELOW_SACRUM = 2
"""A sacrum with this many bodies below its middle is something else; a single one may be a mislabelled
sacral segment.
"""
BEHIND_MM = 20.0
"""A sacrum this far behind the chain with even one body below its middle is an arch or a process. More
than half a lumbar body's depth (17 mm, Panjabi 1992).
"""
SIDEWAYS_MM = 25.0
"""Largest distance of the centroid of a body or disc from the chain: half the width of L5 (Panjabi
1992).
"""
REFILL_MM = 8.0
MOSTLY = 0.5
SOLID = (BODY_BORDER, DISC, SACRUM)
"""Structures without holes in any sagittal section."""
SAMPLES = 256


def clean_semantic(labels: Volume) -> Volume:
    """Clean a subregion map.

    Sacrum above the last disc becomes part of the body it belongs to. A speck inside other
    structures takes the label around it. Components outside their `LIMITS` become background;
    without any body or disc there is no chain, and they stay. Holes are filled.

    Parameters
    ----------
    labels : Volume
        Subregion labels, shape (i, j, k), any orientation.

    Returns
    -------
    Volume
        The same grid and data type.
    """
    data = labels.data.copy()
    was_body = data == BODY
    data[was_body] = BODY_BORDER
    work = restore_last_body(labels.with_data(data))
    data = work.data
    components = find_components(work)
    specks = components.volume_mm3 < _of_label(components, "smallest_mm3")
    chain = spine_chain(work)
    strays = _off_the_spine(work, components, chain, ~specks)
    refill = np.zeros(len(components) + 1, bool)
    surrounded = touching_share(components.numbers, len(components), work.data != 0)
    refill[1:][specks] = surrounded[specks] >= MOSTLY
    drop = np.concatenate([[False], specks | strays])
    region = refill[components.numbers]
    data[drop[components.numbers]] = 0
    data = spread(data, region, labels.spacing_mm, REFILL_MM)
    _fill_holes(data, _sagittal_axis(labels))
    data[was_body & (data == BODY_BORDER)] = BODY
    return labels.with_data(data.astype(labels.data.dtype, copy=False))


def _of_label(components: Components, name: str) -> np.ndarray:
    return np.array([getattr(LIMITS.get(int(v), _PROCESS), name) for v in components.label])


def _off_the_spine(
    labels: Volume, components: Components, chain: Chain | None, candidates: np.ndarray
) -> np.ndarray:
    """Return which of the candidate components, shape (n,), violate their limits."""
    stray = np.zeros(len(components), bool)
    if chain is None:
        return stray
    whole = (
        candidates & (components.label == BODY_BORDER) & (components.volume_mm3 >= WHOLE_BODY_MM3)
    )
    body_arcs = chain.locate(components.centroid_mm[whole])[0] if whole.any() else np.zeros(0)
    for i in map(int, np.flatnonzero(candidates)):
        limits = LIMITS.get(int(components.label[i]), _PROCESS)
        arc, offset = chain.locate(_sample(labels, components, i))
        distance, beyond = np.linalg.norm(offset, axis=1), chain.overshoot_mm(arc)
        _, middle = chain.locate(components.centroid_mm[i])
        # The median over voxels, because the centroid of a long curved canal lies outside it.
        anterior = -float(np.median(chain.behind_mm(arc, offset)))
        stray[i] = (
            distance.min() > limits.reach_mm
            or beyond.min() > limits.beyond_mm
            or anterior > limits.anterior_mm
            or (
                components.label[i] in (*BODY_LABELS, DISC) and np.linalg.norm(middle) > SIDEWAYS_MM
            )
            or (
                components.label[i] == SACRUM
                and (body_arcs > np.median(arc)).sum()
                >= (1 if -anterior > BEHIND_MM else BODIES_BELOW_SACRUM)
            )
        )
    return stray


def _sample(labels: Volume, components: Components, index: int) -> np.ndarray:
    """Return the world positions, shape (m, 3), of about `SAMPLES` evenly chosen voxels of a
    component.
    """
    voxels = voxels_of(components.numbers, index + 1, components.boxes[index])
    return labels.grid.to_world(voxels[:: max(1, len(voxels) // SAMPLES)])


def _sagittal_axis(labels: Volume) -> int:
    """Return the array axis between left and right."""
    return next(i for i, code in enumerate(labels.axes) if code in "LR")


def _fill_holes(data: np.ndarray, sagittal_axis: int) -> None:
    """Fill background enclosed by one structure, in place; in solid structures, slice by slice as
    well.
    """
    for label, box in label_boxes(data).items():
        part = data[box]
        # The cord counts as canal here; otherwise it would be a hole in it.
        mask = np.isin(part, (CORD, CANAL)) if label == CANAL else part == label
        filled = fill_voids.fill(mask) > 0
        if label in SOLID or label in (CORD, CANAL):
            sections = np.moveaxis(filled, sagittal_axis, 0)
            for section in sections:
                section[...] = fill_voids.fill(np.ascontiguousarray(section))
        part[filled & (part == 0)] = label
