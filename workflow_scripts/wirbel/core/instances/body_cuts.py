"""Cut vertebral bodies apart that a segmentation has merged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wirbel.core.spine_curve import Chain

TOO_LARGE = 1.5
"""A body counts as merged from this volume relative to its neighbours (SPINEPS, Moeller et al. 2024)."""
TOO_LONG = 1.5
"""A component may hold two bodies from this length relative to its neighbours; two heights and a disc
are 2.3.
"""
SLENDER = 1.45
"""Length over anteroposterior depth that no single body below C2 reaches: T12 has the largest ratio,
27 / 33 mm on MRI, two merged ones at least 1.6 (Panjabi et al. 1991, 1992).
"""
NOT_SQUAT = 1.2
"""Smallest such ratio of a merged pair, whatever a cut-off neighbour suggests."""
DENS_TAPER = 0.65
"""Upper over lower cross-section of C2: dens 11 x 10 mm on a body of 15 x 17 mm (Gosavi and Swamy 2012;
Panjabi 1991), 0.4 to 0.6; a merged pair of bodies has about 1."""
CERVICAL_DEPTH_MM = 24.0
"""Greatest depth of a cervical body: C7 18 mm (Panjabi 1991) and osteophytes."""
DENS_USUAL = 2.7
"""C2's length over the next body's height: 38 mm (Yousuf et al. 2022) over 12 to 16 mm."""
DENS_LENGTH = 2.1
"""Smallest such ratio."""
LENGTH_PITCH = 1.3
"""Height of a body and its disc over the body's: 1.2 (thoracic) to 1.37 (Gilad and Nissan 1986)."""
DEPTH_PITCH = 0.95
"""The same over the body's depth: 0.85 (thoracic) to 1.2 (cervical)."""
SMALLEST_PITCH_MM = 14.0
"""Height of a body and its disc in small women: C4 and C5, 15 mm (Gilad and Nissan, Spine 1986;11:154), and a
margin."""
INSIDE = 0.22
"""A disc lies inside a component if at least this fraction of the length is above it and below it."""
SEARCH = 0.25
"""The narrowest cross-section is searched within this distance (fraction of one body's length) of the
expected place, so that the waist of a single body is never taken for a gap.
"""
BIN_MM = 1.0


@dataclass(frozen=True)
class Part:
    """A set of voxels of the column, such as a body or a disc.

    Attributes
    ----------
    voxels : ndarray, shape (m, 3)
        Voxel indices.
    world_mm : ndarray, shape (m, 3)
        RAS+ positions.
    arc_mm : ndarray, shape (m,)
        Positions along the chain.
    offset_mm : ndarray, shape (m, 3)
        Vectors from the chain.
    voxel_mm3 : float
        Volume of a voxel.
    cut : bool
        True if it is only part of a component.
    component : int
        The connected component it belongs to.
    """

    voxels: np.ndarray
    world_mm: np.ndarray
    arc_mm: np.ndarray
    offset_mm: np.ndarray
    voxel_mm3: float
    cut: bool = False
    component: int = -1

    @property
    def volume_mm3(self) -> float:
        """Volume in mm3."""
        return len(self.voxels) * self.voxel_mm3

    @property
    def middle_mm(self) -> float:
        """Centre along the chain, in mm."""
        return float(self.arc_mm.mean())

    @property
    def length_mm(self) -> float:
        """Extent along the chain in mm: the central 90 % of its voxels, scaled to the whole."""
        low, high = np.quantile(self.arc_mm, (0.05, 0.95))
        return float(high - low) / 0.9

    def with_part(self, other: Part) -> Part:
        """Return the union with another part."""
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _ARRAYS
        }
        return replace(self, **joined)

    def divided(self, piece: np.ndarray) -> list[Part]:
        """Return one part per piece number (m,) 0, 1, ... that has voxels, marked as cut."""
        return [
            replace(self, **{k: getattr(self, k)[piece == i] for k in _ARRAYS}, cut=True)
            for i in range(int(piece.max()) + 1)
            if (piece == i).any()
        ]


_ARRAYS = ("voxels", "world_mm", "arc_mm", "offset_mm")


def cut_merged(parts: list[Part], discs: list[Part], chain: Chain) -> list[Part]:
    """Cut components that hold several bodies: at the discs inside them, otherwise at narrow places.

    `parts` and the result are ordered from the top down.
    """
    out: list[Part] = []
    for i, part in enumerate(parts):
        single = is_dens_and_body(parts, i, chain)
        out.extend([part] if single else _cut_at_discs(part, discs))
    out.sort(key=lambda part: part.middle_mm)
    return [piece for i in range(len(out)) for piece in _cut_if_too_large(out, i, chain)]


def is_dens_and_body(parts: list[Part], index: int, chain: Chain) -> bool:
    """Return True if a part looks like C2 alone: topmost, cervical, tapering, no longer than C2."""
    part = parts[index]
    if (
        index > 0
        or part.cut
        or _depth_mm(part, chain) > CERVICAL_DEPTH_MM
        or not _tapers_like_c2(part)
    ):
        return False
    expected = _expected(parts, index)
    pitch = LENGTH_PITCH * expected[0] if expected else DEPTH_PITCH * _depth_mm(part, chain)
    return part.length_mm <= DENS_LENGTH * pitch / LENGTH_PITCH + pitch


def _cut_at_discs(part: Part, discs: list[Part]) -> list[Part]:
    low, high = np.quantile(part.arc_mm, (0.02, 0.98))
    margin = INSIDE * (high - low)
    inside = [
        disc
        for disc in discs
        if low + margin < disc.middle_mm < high - margin and _fills_the_gap(part, disc)
    ]
    if not inside:
        return [part]
    piece = np.sum([_below(part, disc) for disc in inside], axis=0, dtype=int)
    return part.divided(piece)


def _fills_the_gap(part: Part, disc: Part) -> bool:
    """Return True if there is more disc than body at the disc's height: a bridge, not a speck in bone."""
    below = _below(part, disc)
    if below.all() or not below.any():
        return False
    nearby = np.abs(part.arc_mm - disc.middle_mm) <= BIN_MM
    own = np.abs(disc.arc_mm - disc.middle_mm) <= BIN_MM
    return bool(own.sum() > nearby.sum())


def _below(part: Part, disc: Part) -> np.ndarray:
    """Return which voxels of a part lie below the disc's middle plane, whose normal is its flattest
    direction.
    """
    centre = disc.world_mm.mean(0)
    _, vectors = np.linalg.eigh(np.cov((disc.world_mm - centre).T))
    normal = vectors[:, 0]
    height, arc = (part.world_mm - centre) @ normal, part.arc_mm - disc.middle_mm
    turned = np.corrcoef(height, arc)[0, 1]
    # A disc without a clear plane (a few slices of it) is cut at right angles to the chain instead.
    return arc > 0 if abs(turned) < 0.8 else height * np.sign(turned) > 0


def _cut_if_too_large(parts: list[Part], index: int, chain: Chain) -> list[Part]:
    part, expected = parts[index], _expected(parts, index)
    depth = float(np.median([_depth_mm(p, chain) for p in parts[max(0, index - 2) : index + 3]]))
    depth = max(depth, _depth_mm(part, chain))
    first, pitch = 0.0, DEPTH_PITCH * depth
    large = part.length_mm > SLENDER * depth
    if expected:
        pitch = LENGTH_PITCH * expected[0]
        large |= part.volume_mm3 > TOO_LARGE * expected[1] and part.length_mm > max(
            TOO_LONG * expected[0], NOT_SQUAT * depth
        )
    if large and index == 0 and depth <= CERVICAL_DEPTH_MM and _tapers_like_c2(part):
        first = DENS_USUAL * pitch / LENGTH_PITCH
        large = not is_dens_and_body(parts, index, chain)
    pitch = max(pitch, SMALLEST_PITCH_MM)
    if not large or part.length_mm < NOT_SQUAT * pitch:
        return [part]
    return part.divided(np.digitize(part.arc_mm, _narrow_places(part, pitch, first)))


def _expected(parts: list[Part], index: int) -> tuple[float, float] | None:
    """Return the length (mm) and volume (mm3) that the neighbours suggest, or None without any."""
    near = [i for i in range(max(0, index - 2), min(len(parts), index + 3)) if i != index]
    near = [i for i in near if parts[i].volume_mm3 > 0.2 * parts[index].volume_mm3]
    if not near:
        return None
    length_mm = float(np.median([parts[i].length_mm for i in near]))
    return length_mm, float(np.median([parts[i].volume_mm3 for i in near]))


def _tapers_like_c2(part: Part) -> bool:
    area = np.histogram(part.arc_mm, bins=3)[0]
    return area[0] < DENS_TAPER * area[2]


def _depth_mm(part: Part, chain: Chain) -> float:
    along = part.offset_mm @ chain.backward(part.middle_mm)
    low, high = np.quantile(along, (0.05, 0.95))
    return float(high - low) / 0.9


def _narrow_places(part: Part, pitch_mm: float, first_mm: float) -> np.ndarray:
    """Return the arc positions of the cuts: the least cross-section near each expected gap."""
    low, high = np.quantile(part.arc_mm, (0.01, 0.99))
    begin = low + max(first_mm - pitch_mm, 0.0)
    count = max(2, round((high - begin) / pitch_mm))
    bins = np.arange(low, high + BIN_MM, BIN_MM)
    area = np.histogram(part.arc_mm, bins)[0].astype(float)
    area = np.convolve(np.pad(area, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    middle = (bins[:-1] + bins[1:]) / 2
    length = (high - begin) / count
    cuts = []
    for k in range(1, count):
        expected = begin + k * length
        window = np.abs(middle - expected) <= SEARCH * length
        # A slight preference for the expected place decides between equal cross-sections.
        cost = area[window] * (1 + 0.3 * ((middle[window] - expected) / (SEARCH * length)) ** 2)
        cuts.append(middle[window][cost.argmin()])
    return np.array(cuts)
