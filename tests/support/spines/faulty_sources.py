"""Segmentations with known errors: each source bends, grows and loses structures in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from wirbel.core import labels as L
from wirbel.core.boxes import tight_box
from wirbel.core.fusion.statements import Source
from wirbel.core.geometry import Volume, grow_box
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.phantom import make_phantom

GROUPS = {
    "sacrum": (L.SACRUM,),
    "canal": (L.CANAL, L.CORD),
    "posterior": L.POSTERIOR_ELEMENTS,
    "body": L.BODY_LABELS,
    "endplate": (L.ENDPLATE,),
    "disc": (L.DISC,),
}
"""What one tool does well or badly, painted in this order."""
SMOOTH_MM = 9.0
"""Half of a body: errors of one border, not of single voxels."""


@dataclass(frozen=True)
class Faults:
    """How wrong a source is.

    Attributes
    ----------
    bent_mm : mapping of str to float
        Group -> standard deviation of its borders' displacement.
    grown_mm : mapping of str to float
        Group -> how far its border lies outside (or inside) of the true one.
    lost : float
        Share of the vertebrae and discs that it misses.
    """

    bent_mm: Mapping[str, float]
    grown_mm: Mapping[str, float] = field(default_factory=dict)
    lost: float = 0.0


TOOLS = {
    "bodies": Faults({"body": 0.6, "disc": 1.1, "canal": 0.8, "posterior": 1.1, "sacrum": 1.0}),
    "discs": Faults(
        {"body": 1.0, "disc": 0.65, "canal": 1.0, "posterior": 0.85, "sacrum": 0.75},
        {"canal": 0.3},
    ),
    "even": Faults(dict.fromkeys(GROUPS, 0.9), {"posterior": -0.3}, lost=0.06),
}
"""Three sources: good bodies and canal; good discs and processes; nothing good, nothing bad, but things missing."""


def faulty_source(
    name: str, subregion: Volume, vertebra: Volume, faults: Faults, seed: int
) -> Source:
    """Return a source with all structures (scheme `spineps`) and numbered vertebrae; same seed, same errors."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros_like(subregion.data)
    numbers = np.zeros_like(vertebra.data)
    lost = _lost(vertebra.data, faults.lost, rng)
    for group, members in GROUPS.items():
        there = np.isin(subregion.data, members) & ~np.isin(vertebra.data, lost)
        where = _bent(subregion, faults.bent_mm.get(group, 0.9), rng)
        inside = _grown(there, faults.grown_mm.get(group, 0.0), subregion.spacing_mm)
        for full, out in ((subregion.data, wrong), (vertebra.data, numbers)):
            values = _spread(np.where(there, full, 0), inside)
            moved = ndimage.map_coordinates(values, where, order=0, mode="nearest")
            shown = ndimage.map_coordinates(inside.astype(np.uint8), where, order=0) > 0
            out[shown] = moved[shown]
    vertebrae = vertebra.with_data(numbers)
    return Source(name, subregion.with_data(wrong), read_scheme("spineps"), {}, vertebrae)


def faulty_sources(subregion: Volume, vertebra: Volume, seed: int) -> list[Source]:
    """Return one source per tool."""
    return [
        faulty_source(name, subregion, vertebra, faults, 1000 * seed + place)
        for place, (name, faults) in enumerate(TOOLS.items())
    ]


def in_other_numbers(source: Source, scheme: str, table: Mapping[int, int]) -> Source:
    """Return a source in another scheme: our label -> its number."""
    lookup = np.zeros(256, np.uint8)
    for label, number in table.items():
        lookup[label] = number
    numbers = source.numbers.with_data(lookup[source.numbers.data])
    return Source(source.name, numbers, read_scheme(scheme), source.trust, source.vertebrae)


def _lost(vertebra: np.ndarray, share: float, rng: np.random.Generator) -> list[int]:
    present = [int(v) for v in np.unique(vertebra) if v and v != L.SACRUM]
    return [value for value in present if rng.random() < share]


def _bent(volume: Volume, bent_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Return smoothly displaced voxel positions; slices stay where they are."""
    spacing = volume.spacing_mm
    across = int(np.argmax(spacing))
    where = np.indices(volume.data.shape).astype(np.float32)
    for axis in range(3):
        if axis != across:
            noise = ndimage.gaussian_filter(
                rng.standard_normal(volume.data.shape).astype(np.float32), SMOOTH_MM / spacing
            )
            where[axis] += noise * np.float32(bent_mm / noise.std() / spacing[axis])
    return where


def _grown(mask: np.ndarray, by_mm: float, spacing: np.ndarray) -> np.ndarray:
    if not by_mm or not mask.any():
        return mask
    if by_mm > 0:
        return ndimage.distance_transform_edt(~mask, sampling=spacing) <= by_mm + 0.5 * min(spacing)
    return ndimage.distance_transform_edt(mask, sampling=spacing) > 0.5 * min(spacing) - by_mm


def _spread(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return values with those of the nearest voxel where a mask has grown."""
    if not (inside & (values == 0)).any():
        return values
    _, nearest = ndimage.distance_transform_edt(values == 0, return_indices=True)
    return np.where(values == 0, values[tuple(nearest)], values)


def cropped_phantom(seed: int, in_plane_mm: float = 1.0) -> tuple[Volume, Volume]:
    """Return subregion and vertebra map of a lumbar phantom, cut to what is labelled."""
    phantom = make_phantom(seed, "lumbar", in_plane_mm=in_plane_mm, slice_mm=4.0, with_truth=False)
    box = grow_box(tight_box(phantom.subregion.data > 0) or (), 6, phantom.subregion.data.shape)
    affine = phantom.subregion.affine.copy()
    affine[:3, 3] = phantom.subregion.grid.to_world([s.start for s in box])
    cut = (np.ascontiguousarray(one.data[box]) for one in (phantom.subregion, phantom.vertebra))
    first, second = (Volume(data, affine) for data in cut)
    return first, second
