"""Vertebral bodies one by one: merged ones are split, fragments of one body are joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.body_cuts import Part, cut_merged, is_dens_of
from wirbel.core.chain import Chain, column_map, spine_chain
from wirbel.core.components import find_components, voxel_volume_mm3, voxels_of
from wirbel.core.geometry import Volume

SMALLEST_BODY_MM3 = 300.0
"""Parts of bodies at the edge of the field of view count from here: a 2 mm slice of C3."""
SMALLEST_SHARE = 0.12
"""A body smaller than this part of its neighbours is noise; a crushed one keeps at least 40 %
(Genant grade 3, J Bone Miner Res 1993;8:1137)."""
TOO_CLOSE = 0.5
"""Bodies closer than half the usual spacing are pieces of one; the most crushed body still keeps its two discs
and half of each neighbour between the centres, three quarters of the usual spacing."""
SMALLEST_SPACING_MM = 15.0
"""Spacing of C4-C5 in small women (Gilad and Nissan, Spine 1986;11:154: body 12, disc 4 mm)."""


@dataclass(frozen=True)
class Bodies:
    """Vertebral bodies from the top of the spine down.

    `numbers` (I, J, K) uint8, 1 ... n; `centre_mm` (n, 3) world; `arc_mm` (n,) along `chain`; `volume_mm3` (n,);
    `cut` (n,) whether the body was cut out of a larger, merged component.
    """

    numbers: np.ndarray
    centre_mm: np.ndarray
    arc_mm: np.ndarray
    volume_mm3: np.ndarray
    cut: np.ndarray
    chain: Chain | None

    def __len__(self) -> int:
        return len(self.arc_mm)


def separate_bodies(labels: Volume) -> Bodies:
    """Separate the vertebral bodies of a cleaned subregion map, in any orientation."""
    numbers = np.zeros(labels.data.shape, np.uint8)
    chain = spine_chain(labels)
    if chain is None:
        return Bodies(numbers, np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.zeros(0, bool), None)
    parts, discs = _parts(labels, chain)
    parts = _without_bits_beside_the_first(_sorted(parts))
    parts = cut_merged(parts, discs, chain)
    parts = _join_dens(_sorted(parts), labels.data.shape, chain)
    parts = _join_fragments(parts, discs)
    parts = _without_noise(_sorted(parts))[:254]
    for number, part in enumerate(parts, start=1):
        numbers[tuple(part.voxels.T)] = number
    return Bodies(
        numbers,
        np.array([part.world_mm.mean(0) for part in parts]).reshape(-1, 3),
        np.array([part.middle_mm for part in parts]),
        np.array([part.volume_mm3 for part in parts]),
        np.array([part.cut for part in parts], bool),
        chain,
    )


def _parts(labels: Volume, chain: Chain) -> tuple[list[Part], list[Part]]:
    """Return the components of bodies and those of discs."""
    components = find_components(column_map(labels), connectivity=6)
    voxel_mm3 = voxel_volume_mm3(labels.affine)
    found: tuple[list[Part], list[Part]] = ([], [])
    for i in np.flatnonzero(components.volume_mm3 >= SMALLEST_BODY_MM3 / 3):
        voxels = voxels_of(components.numbers, i + 1, components.boxes[i])
        world = labels.grid.to_world(voxels)
        arc, offset = chain.locate(world)
        found[components.label[i] - 1].append(Part(voxels, world, arc, offset, voxel_mm3))
    return found


def _sorted(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: part.middle_mm)


def _without_bits_beside_the_first(parts: list[Part]) -> list[Part]:
    """Leave out small parts at the top that lie beside the next one, such as a lateral mass of C1 beside the dens.

    They would count as the topmost vertebra, and C2 below one is not known by its dens.
    """
    while len(parts) > 1 and _is_bit_beside(*parts[:2]):
        parts = parts[1:]
    return parts


def _is_bit_beside(bit: Part, body: Part) -> bool:
    height, span = bit.world_mm[:, 2], body.world_mm[:, 2]
    beside = span.min() <= height.min() and height.max() <= span.max()
    return beside and bit.volume_mm3 < SMALLEST_SHARE * body.volume_mm3


def _join_dens(parts: list[Part], shape: tuple[int, ...], chain: Chain) -> list[Part]:
    """Join a dens that was drawn apart from the body of C2, whatever lies between."""
    if len(parts) < 2 or not is_dens_of(*parts[:2], shape, chain):
        return parts
    return [parts[0].with_part(parts[1]), *parts[2:]]


def _join_fragments(parts: list[Part], discs: list[Part]) -> list[Part]:
    """Join neighbours that lie too close along the spine to be two bodies and have no disc between."""
    usual = usual_spacing(
        np.array([p.middle_mm for p in parts if p.volume_mm3 >= SMALLEST_BODY_MM3])
    )
    joined: list[Part] = []
    for part in parts:
        if joined and _one_body(joined[-1], part, usual, discs):
            joined[-1] = joined[-1].with_part(part)
        else:
            joined.append(part)
    return joined


def _one_body(upper: Part, lower: Part, usual_mm: float, discs: list[Part]) -> bool:
    if lower.middle_mm - upper.middle_mm >= TOO_CLOSE * usual_mm or (upper.cut and lower.cut):
        return False
    return not any(upper.middle_mm < disc.middle_mm < lower.middle_mm for disc in discs)


def usual_spacing(arc_mm: np.ndarray) -> float:
    """Return the usual distance between neighbouring centres, never below `SMALLEST_SPACING_MM`.

    The upper quartile, because fragments only ever add distances that are too short.
    """
    if len(arc_mm) < 2:
        return SMALLEST_SPACING_MM
    return max(float(np.quantile(np.diff(arc_mm), 0.6)), SMALLEST_SPACING_MM)


def _without_noise(parts: list[Part]) -> list[Part]:
    if not parts:
        return []
    volume = np.array([part.volume_mm3 for part in parts])
    kept = []
    for i, part in enumerate(parts):
        near = np.median(volume[max(0, i - 2) : i + 3])
        at_end = i in (0, len(parts) - 1)
        if part.volume_mm3 >= max(SMALLEST_BODY_MM3, 0 if at_end else SMALLEST_SHARE * near):
            kept.append(part)
    return kept
