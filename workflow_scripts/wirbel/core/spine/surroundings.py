"""What lies beside the pieces of body: canal, cord, arches and processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.components import voxel_volume_mm3
from wirbel.core.geometry import Volume
from wirbel.core.instances.body_cuts import Part
from wirbel.core.labels import CANAL, CORD, COSTAL_LEFT, COSTAL_RIGHT, POSTERIOR_ELEMENTS
from wirbel.core.spine.extents import is_large
from wirbel.core.spine_curve import Chain

BIN_MM = 2.0
SAMPLES = 4000
"""Voxels by which the course of a long structure is followed."""
BELOW_MM = 6.0
"""Posterior elements hang lower than the body; half a disc."""
LEAST_ARCH_SHARE = 0.25
"""Posterior elements below this part of what usually lies beside a body are those of its neighbours."""
MOST_OF_CANAL = 0.6
"""Cord over canal from which the whole dural sac was called cord: in people at most half of its cross-section."""
SEEN = 0.9
"""Share of a body's height beside which the cord must be seen to be measured there."""
SLICE_MM = 5.0
"""A process that ends less than a thick slice from the side of the image may go on beyond it."""
LEAST_COSTAL_MM2 = 10.0
"""Cross-section below which costal processes are bits: both together have 20 to 140 mm2."""


@dataclass(frozen=True)
class Course:
    """A structure's voxels (a sample of them) along the chain: arc (n,), how far behind it and to its left or right
    (n,), mm3 for each."""

    arc_mm: np.ndarray
    behind_mm: np.ndarray
    aside_mm: np.ndarray
    voxel_mm3: float

    def bins(self, low_mm: float, high_mm: float) -> Bins:
        """Return the volume (mm3) in bins of `BIN_MM` along the chain, from `low_mm` on."""
        count = int((high_mm - low_mm) / BIN_MM) + 2
        place = ((self.arc_mm - low_mm) / BIN_MM).astype(int)
        inside = (self.arc_mm >= low_mm) & (place < count)
        return Bins(np.bincount(place[inside], minlength=count) * self.voxel_mm3, low_mm)

    def between(self, begin_mm: float, end_mm: float) -> Course:
        """Return the part between two heights."""
        inside = (self.arc_mm >= begin_mm) & (self.arc_mm <= end_mm)
        places = (self.arc_mm[inside], self.behind_mm[inside], self.aside_mm[inside])
        return Course(*places, self.voxel_mm3)


@dataclass(frozen=True)
class Bins:
    """Volumes (mm3) in bins along the chain that begin at `low_mm`."""

    volume_mm3: np.ndarray
    low_mm: float

    def between(self, begin_mm: float, end_mm: float) -> np.ndarray:
        first = int((begin_mm - self.low_mm) / BIN_MM)
        last = int((end_mm - self.low_mm) / BIN_MM)
        return self.volume_mm3[first : max(first, last) + 1]

    def section_mm2(self, begin_mm: float, end_mm: float) -> float:
        """Return the mean cross-section between two heights."""
        return float(self.between(begin_mm, end_mm).mean() / BIN_MM)


@dataclass(frozen=True)
class Beside:
    """The courses of what lies behind the bodies; `canal` with the cord in it."""

    canal: Course
    cord: Course
    arches: Course
    costal: Course


def beside(labels: Volume, chain: Chain) -> Beside:
    """Follow canal, cord, arches with their processes, and the costal processes alone."""
    kinds = ((CANAL, CORD), (CORD,), POSTERIOR_ELEMENTS, (COSTAL_LEFT, COSTAL_RIGHT))
    return Beside(*(_course(labels, numbers, chain) for numbers in kinds))


def _course(labels: Volume, numbers, chain: Chain) -> Course:
    wanted = np.zeros(256, bool)
    wanted[list(numbers)] = True
    found = np.flatnonzero(wanted[labels.data])
    step = max(1, len(found) // SAMPLES)
    voxels = np.stack(np.unravel_index(found[::step], labels.data.shape), axis=1)
    voxel_mm3 = step * voxel_volume_mm3(labels.affine)
    if not len(voxels):
        return Course(np.zeros(0), np.zeros(0), np.zeros(0), voxel_mm3)
    arc, offset = chain.locate(labels.grid.to_world(voxels))
    aside = np.einsum("ij,ij->i", offset, np.cross(chain.down(arc), chain.backward(arc)))
    return Course(arc, chain.behind_mm(arc, offset), aside, voxel_mm3)


def canal_share(canal: Course, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Return the share of each piece's height that has canal beside it; NaN where the map shows none at all."""
    bins = canal.bins(float(top.min()), float(bottom.max()))
    if not bins.volume_mm3.any():
        return np.full(len(top), np.nan)
    return np.array([(bins.between(a, b) > 0).mean() for a, b in zip(top, bottom, strict=True)])


def behind_canal(parts: list[Part], canal: Course, chain: Chain) -> np.ndarray:
    """Return the share of each piece's voxels that lie behind the middle of the canal at their height."""
    share = np.zeros(len(parts))
    if not len(canal.arc_mm):
        return share
    low = canal.arc_mm.min()
    place = ((canal.arc_mm - low) / (3 * BIN_MM)).astype(int)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.bincount(place, canal.behind_mm) / np.bincount(place)
    for i, part in enumerate(parts):
        at = ((part.arc_mm - low) / (3 * BIN_MM)).astype(int)
        inside = (at >= 0) & (at < len(middle))
        behind = chain.behind_mm(part.arc_mm[inside], part.offset_mm[inside]) > middle[at[inside]]
        share[i] = behind.sum() / len(part.arc_mm)
    return share


def has_arch(arches: Course, middle, bottom, volume) -> np.ndarray:
    """Return whether posterior elements lie behind the lower half of each piece, where arch and processes begin.

    Those of the vertebra above reach down to the upper half.

    Parameters
    ----------
    arches : Course
        Where posterior elements lie.
    middle, bottom : numpy.ndarray, shape (n,)
        Places of the pieces along the chain, mm.
    volume : numpy.ndarray, shape (n,)
        Their volumes, mm3.

    Returns
    -------
    numpy.ndarray, shape (n,)
        bool.
    """
    bins = arches.bins(float(middle.min()), float(bottom.max()) + 2 * BELOW_MM)
    ends = bottom + BELOW_MM
    density = np.array([bins.section_mm2(a, b) for a, b in zip(middle, ends, strict=True)])
    return density >= LEAST_ARCH_SHARE * np.median(density[is_large(volume)])


def cord_mm2(around: Beside, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Return the cord's cross-section beside each piece; NaN where it is not seen, or the whole sac was called cord."""
    ends = float(top.min()), float(bottom.max())
    cord, canal = around.cord.bins(*ends), around.canal.bins(*ends)
    found = np.full(len(top), np.nan)
    for i, (a, b) in enumerate(zip(top, bottom, strict=True)):
        seen = (cord.between(a, b) > 0).mean() >= SEEN
        if seen and cord.section_mm2(a, b) <= MOST_OF_CANAL * canal.section_mm2(a, b):
            found[i] = cord.section_mm2(a, b)
    return found


def costal_processes(
    around: Beside, top: np.ndarray, bottom: np.ndarray, room_mm: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how far the costal processes beside each piece lie behind the middle of the canal, how far the longer one
    reaches to its side, both NaN where not seen, and whether the image, which has `room_mm` (n, 2) to both sides of a
    piece, ends there.

    Parameters
    ----------
    around : Beside
        What lies around the chain.
    top, bottom : numpy.ndarray, shape (n,)
        Ends of the pieces along the chain, mm.
    room_mm : numpy.ndarray, shape (n, 2)
        See above.

    Returns
    -------
    tuple of three numpy.ndarray, shape (n,)
        mm, mm, bool.
    """
    bins = around.costal.bins(float(top.min()), float(bottom.max()))
    behind, reach, cut = (
        np.full(len(top), np.nan),
        np.full(len(top), np.nan),
        np.zeros(len(top), bool),
    )
    for i, (a, b) in enumerate(zip(top, bottom, strict=True)):
        canal, costal = around.canal.between(a, b), around.costal.between(a, b)
        enough = bins.section_mm2(a, b) >= LEAST_COSTAL_MM2
        if not (enough and len(canal.arc_mm) and len(costal.arc_mm)):
            continue
        behind[i] = costal.behind_mm.mean() - canal.behind_mm.mean()
        sides = np.abs(np.quantile(costal.aside_mm, (0.01, 0.99)) - canal.aside_mm.mean())
        reach[i] = sides.max()
        cut[i] = reach[i] + SLICE_MM >= room_mm[i].min()
    return behind, reach, cut


def cord_end(around: Beside) -> tuple[float, float, float] | None:
    """Return arc positions (mm) of the cord's lower end and of the canal's upper and lower ends, or None.

    The cord's end is minus infinity where there is a canal but no cord.
    """
    canal, cord = (_ends(course) for course in (around.canal, around.cord))
    if canal is None:
        return None
    return cord[1] if cord else -np.inf, *canal


def _ends(course: Course) -> tuple[float, float] | None:
    if len(course.arc_mm) * course.voxel_mm3 < 200.0:
        return None
    low, high = np.quantile(course.arc_mm, (0.01, 0.99))
    return float(low), float(high)
